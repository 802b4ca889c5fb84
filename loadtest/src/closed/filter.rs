//! Searches by each attribute that has an index, each for another user or group of the population.

use clap::ValueEnum;

use crate::client::{Connection, Request, escape};
use crate::population::Population;
use crate::random::Random;

/// Users whose ids are looked up beforehand, for the filters that need one.
const KNOWN_IDS: u64 = 400;

/// The attribute of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// `userName eq`.
    UserName,
    /// `userName sw`, with the beginning of one name.
    UserNameStart,
    /// `externalId eq`.
    ExternalId,
    /// `emails.value eq`.
    Email,
    /// `id eq`.
    Id,
    /// `posixUserName eq` of the Workbench extension.
    PosixUserName,
    /// `posixUserId eq` of the Workbench extension.
    PosixUserId,
    /// `meta.lastModified gt` the moment of the preparation: what an incremental cycle asks for.
    LastModified,
    /// `displayName eq` of a group.
    GroupName,
    /// `members.value eq`: the groups of a user.
    Member,
}

/// The attributes that Workbench's extension has.
const EXTENSION: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

/// Searches, prepared.
#[derive(Debug)]
pub struct Filters {
    by: By,
    population: Population,
    users: u64,
    groups: u64,
    start_uid: u64,
    ids: Vec<String>,
    began: String,
}

impl Filters {
    /// Looks up what the filters need; `sizes`: users, groups and the first uid. Raises a population that is not there.
    pub async fn prepare(
        by: By,
        population: Population,
        sizes: (u64, u64, u64),
        connection: &mut Connection,
    ) -> anyhow::Result<Self> {
        let (users, groups, start_uid) = sizes;
        anyhow::ensure!(by != By::GroupName || groups > 0, "give --groups");
        let mut filters = Self {
            by,
            population,
            users,
            groups,
            start_uid,
            ids: Vec::new(),
            began: String::new(),
        };
        if matches!(by, By::Id | By::Member) {
            for step in 0..KNOWN_IDS {
                let user = filters.population.user(Random::new(7, step).below(users));
                let list = connection.send(&named(&user.user_name)).await?.json()?;
                let id = list["Resources"][0]["id"].as_str().map(str::to_owned);
                filters
                    .ids
                    .push(id.ok_or_else(|| anyhow::anyhow!("{} is not there", user.user_name))?);
            }
        }
        if by == By::LastModified {
            // The service's own clock: the last change of somebody, and nobody is changed meanwhile.
            let page = "/Users?sortBy=meta.lastModified&sortOrder=descending&count=1&attributes=meta";
            let list = connection.send(&Request::get(page)).await?.json()?;
            list["Resources"][0]["meta"]["lastModified"]
                .as_str()
                .unwrap_or("2100-01-01T00:00:00Z")
                .clone_into(&mut filters.began);
        }
        Ok(filters)
    }

    /// Its name in reports.
    pub fn report_name(&self) -> String {
        let by = self.by.to_possible_value();
        format!("filter {}", by.as_ref().map_or("", |value| value.get_name()))
    }

    /// The request of a client's step.
    pub fn request(&self, client: u32, step: u64) -> Request {
        let mut random = Random::new(u64::from(client) + 1_000, step);
        let index = random.below(self.users);
        let user = || self.population.user(index);
        let (resource, filter) = match self.by {
            By::UserName => return named(&user().user_name),
            By::UserNameStart => {
                // With the first letter of the domain, so that the number is complete.
                let name = user().user_name;
                let end = name.find('@').map_or(name.len(), |at| at + 2);
                ("Users", format!("userName sw \"{}\"", &name[..end]))
            }
            By::ExternalId => ("Users", format!("externalId eq \"{}\"", user().external_id)),
            By::Email => ("Users", format!("emails.value eq \"{}\"", user().email)),
            By::Id => ("Users", format!("id eq \"{}\"", random.pick(&self.ids))),
            By::PosixUserName => (
                "Users",
                format!("{EXTENSION}:posixUserName eq \"{}\"", user().posix_name),
            ),
            By::PosixUserId => (
                "Users",
                format!("{EXTENSION}:posixUserId eq {}", self.start_uid + index),
            ),
            By::LastModified => ("Users", format!("meta.lastModified gt \"{}\"", self.began)),
            By::GroupName => {
                let group = self.population.group_name(index % self.groups);
                ("Groups", format!("displayName eq \"{group}\""))
            }
            By::Member => ("Groups", format!("members.value eq \"{}\"", random.pick(&self.ids))),
        };
        let members = if resource == "Groups" {
            "&excludedAttributes=members"
        } else {
            ""
        };
        Request::get(format!(
            "/{resource}?filter={}&startIndex=1&count=100{members}",
            escape(&filter)
        ))
    }

    /// Whether an answer with so many results counts. Raises the fault in a few words.
    pub fn judge(&self, total: Option<u64>) -> Result<(), String> {
        let is_right = match self.by {
            By::LastModified => total.is_some(),
            By::Member => total.is_some_and(|total| total > 0),
            _ => total == Some(1),
        };
        is_right
            .then_some(())
            .ok_or_else(|| format!("{}: {total:?} results", self.report_name()))
    }
}

fn named(user_name: &str) -> Request {
    let filter = escape(&format!("userName eq \"{user_name}\""));
    Request::get(format!("/Users?filter={filter}&startIndex=1&count=100"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(by: By) -> Filters {
        Filters {
            by,
            population: Population::new(1, ""),
            users: 1_000,
            groups: 10,
            start_uid: 5_000,
            ids: vec!["an-id".to_owned()],
            began: "2026-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn every_attribute_is_asked_for_by_its_own_name() {
        for (by, text) in [
            (By::UserName, "userName%20eq"),
            (By::UserNameStart, "userName%20sw"),
            (By::ExternalId, "externalId%20eq"),
            (By::Email, "emails.value%20eq"),
            (By::Id, "id%20eq%20%22an-id"),
            (By::PosixUserName, "posixUserName%20eq"),
            (By::PosixUserId, "posixUserId%20eq%205"),
            (By::LastModified, "meta.lastModified%20gt"),
            (By::GroupName, "/Groups?filter=displayName%20eq"),
            (By::Member, "/Groups?filter=members.value%20eq"),
        ] {
            let path = filters(by).request(0, 1).path;
            assert!(path.contains(text), "{path}");
        }
    }

    #[test]
    fn nobody_found_does_not_count() {
        assert!(filters(By::Email).judge(Some(1)).is_ok());
        assert!(filters(By::Email).judge(Some(0)).is_err());
        assert!(filters(By::Member).judge(Some(3)).is_ok());
        assert!(filters(By::Member).judge(Some(0)).is_err());
        assert!(filters(By::LastModified).judge(Some(0)).is_ok());
    }
}
