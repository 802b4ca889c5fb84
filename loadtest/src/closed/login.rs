//! Sign-ins through `POST /api/v1/logins`: unchanged ones, such that change two groups, and first ones; each claim has 20 groups.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::client::{Answer, Connection, Request};

/// Groups of a claim.
const EACH: u64 = 20;

/// Groups that there are; not a multiple of 7.
const GROUPS: u64 = 2_000;

/// Groups that one sign-in of the preparation makes.
const MADE_AT_ONCE: u64 = 80;

/// What a sign-in meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The claim of last time.
    None,
    /// Two groups more and two fewer than last time; the groups are there.
    Churn,
    /// A user whom nobody has seen; the groups are there.
    First,
}

/// Sign-ins, prepared.
#[derive(Debug)]
pub struct Logins {
    change: Change,
    users: u64,
    clients: u64,
    series: String,
    next: AtomicU64,
    /// Each user's first sign-in. An unchanged one sends it again as it is: the service shares the processors with what would
    /// make it anew.
    first: Vec<Request>,
}

/// What an answer says of a sign-in; the rest is passed over.
#[derive(Debug, Deserialize)]
struct Told {
    changed: bool,
    created: bool,
    groups: Groups,
}

/// How many groups a sign-in changed.
#[derive(Debug, Deserialize)]
struct Groups {
    added: Vec<IgnoredAny>,
    removed: Vec<IgnoredAny>,
}

impl Logins {
    /// Makes the groups, and the users whom the sign-ins shall meet. Raises what the service refuses.
    pub async fn prepare(
        change: Change,
        users: u64,
        clients: u32,
        connection: &mut Connection,
    ) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let mut logins = Self {
            change,
            users: users.max(u64::from(clients)),
            clients: u64::from(clients),
            series: format!("{now:x}"),
            next: AtomicU64::new(0),
            first: Vec::new(),
        };
        for part in 0..GROUPS / MADE_AT_ONCE {
            let names: Vec<String> = (0..MADE_AT_ONCE).map(|at| group(part * MADE_AT_ONCE + at)).collect();
            connection
                .send(&logins.login(&logins.name("maker"), &names))
                .await?
                .json()?;
        }
        if change != Change::First {
            for user in 0..logins.users {
                let request = logins.login(&logins.name(user), &claim(user, 0));
                connection.send(&request).await?.json()?;
                logins.first.push(request);
            }
        }
        Ok(logins)
    }

    /// Its name in reports.
    pub fn report_name(&self) -> &'static str {
        match self.change {
            Change::None => "login-unchanged",
            Change::Churn => "login-churn",
            Change::First => "login-first",
        }
    }

    /// The request of a client's step. Clients share no users, so that the order of claims is theirs.
    pub fn request(&self, client: u32, step: u64) -> Request {
        let own = (self.users / self.clients).max(1);
        let (user, round) = (u64::from(client) + self.clients * (step % own), step / own + 1);
        match self.change {
            Change::None => self.first[usize::try_from(user).unwrap_or_default()].clone(),
            Change::Churn => self.login(&self.name(user), &claim(user, round)),
            Change::First => {
                let user = self.next.fetch_add(1, Ordering::Relaxed);
                self.login(&self.name(format_args!("first-{user}")), &claim(user, 0))
            }
        }
    }

    /// Whether an answer counts. Raises the fault in a few words.
    pub fn judge(&self, answer: &Answer) -> Result<(), String> {
        let told: Told = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let groups = (told.groups.added.len(), told.groups.removed.len());
        let is_right = match self.change {
            Change::None => !told.changed,
            Change::Churn => groups == (2, 2),
            Change::First => told.created && groups.0 == 20,
        };
        is_right
            .then_some(())
            .ok_or_else(|| format!("not a {}", self.report_name()))
    }

    fn name(&self, user: impl std::fmt::Display) -> String {
        format!("login-{}-{user}", self.series)
    }

    fn login(&self, user: &str, groups: &[String]) -> Request {
        let body = json!({"userName": user, "provider": self.series, "subject": user, "groups": groups});
        Request::with_body(Method::POST, "/logins", &body)
    }
}

fn group(number: u64) -> String {
    format!("Login group {number}")
}

/// Each round takes two groups away and brings two others.
fn claim(user: u64, round: u64) -> Vec<String> {
    (0..EACH)
        .map(|at| group((user * 37 + at + round * 2) * 7 % GROUPS))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_round_of_a_claim_differs_by_two_groups_from_the_last() {
        let set = |round| claim(5, round).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(set(0).len(), 20);
        assert_eq!(set(0).difference(&set(1)).count(), 2);
        assert_eq!(set(1).difference(&set(0)).count(), 2);
    }

    #[test]
    fn an_unchanged_sign_in_is_the_first_one_again_and_its_answer_says_so() {
        let mut logins = Logins {
            change: Change::None,
            users: 4,
            clients: 2,
            series: "s".into(),
            next: AtomicU64::new(0),
            first: Vec::new(),
        };
        logins.first = (0..4u64)
            .map(|user| logins.login(&logins.name(user), &claim(user, 0)))
            .collect();
        for (client, step, user) in [(0, 0, 0), (1, 0, 1), (0, 1, 2), (1, 1, 3), (0, 2, 0)] {
            assert_eq!(logins.request(client, step), logins.first[user]);
        }
        let judge = |changed: bool| {
            let body =
                json!({"user": {}, "changed": changed, "created": false, "groups": {"added": [], "removed": []}});
            logins.judge(&Answer {
                status: 200,
                body: body.to_string().into(),
            })
        };
        assert!(judge(false).is_ok() && judge(true).is_err());
    }

    #[test]
    fn clients_share_no_users_and_go_round_by_round() {
        let logins = Logins {
            change: Change::Churn,
            users: 4,
            clients: 2,
            series: "s".into(),
            next: AtomicU64::new(0),
            first: Vec::new(),
        };
        let sent = |client, step| String::from_utf8(logins.request(client, step).body.unwrap().to_vec()).unwrap();
        assert!(
            sent(0, 0).contains("login-s-0") && sent(0, 1).contains("login-s-2") && sent(1, 0).contains("login-s-1")
        );
        assert_ne!(sent(0, 0), sent(0, 2), "the next round of the same user");
    }
}
