//! Lists of values that a directory gives in parts: `member;range=0-1499` (Active Directory, above 1,500 members).

use anyhow::Context;
use ldap3::{Ldap, Scope, SearchEntry};
use rollcall::transfer::Fault;

use super::ENTRY_LIMIT;

/// Most values of one attribute: four times the members that a group may have.
const MOST_VALUES: usize = 1_000_000;

/// A part of a list: `attribute;range=first-last`, where `*` for the last means that nothing follows.
#[derive(Debug, PartialEq, Eq)]
struct Part<'a> {
    attribute: &'a str,
    first: usize,
    last: Option<usize>,
}

impl<'a> Part<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let (attribute, option) = name.split_once(';')?;
        let option = option.to_ascii_lowercase();
        let (first, last) = option.strip_prefix("range=")?.split_once('-')?;
        let last = match last {
            "*" => None,
            number => Some(number.parse().ok()?),
        };
        Some(Self {
            attribute,
            first: first.parse().ok()?,
            last,
        })
    }
}

/// Asks for the parts that are missing in an entry, until its lists are whole; `number` is its place in the answer.
/// Gives a fault for a list that the directory does not complete, and raises what the connection raises.
pub(super) async fn complete(
    ldap: &mut Ldap,
    entry: &mut SearchEntry,
    number: u64,
) -> anyhow::Result<Result<(), Fault>> {
    let names = entry.attrs.keys().chain(entry.bin_attrs.keys());
    let parts: Vec<String> = names.filter(|name| is_ranged(name)).cloned().collect();
    for name in parts {
        let attribute = name.split(';').next().unwrap_or_default().to_owned();
        let values = entry.attrs.remove(&name).unwrap_or_default();
        match rest(ldap, &entry.dn, &name, values).await? {
            Some(values) => entry.attrs.entry(attribute).or_default().extend(values),
            None => {
                let reason = "the directory gives a part of the values only";
                return Ok(Err(Fault::of_value(number, &attribute, &entry.dn, reason)));
            }
        }
    }
    Ok(Ok(()))
}

fn is_ranged(name: &str) -> bool {
    name.to_ascii_lowercase().contains(";range=")
}

/// All values of the list that begins with the part `name`; `None` when they cannot be had.
async fn rest(ldap: &mut Ldap, dn: &str, name: &str, mut values: Vec<String>) -> anyhow::Result<Option<Vec<String>>> {
    let Some(Part {
        attribute,
        first: 0,
        mut last,
    }) = Part::of(name)
    else {
        return Ok(None);
    };
    while let Some(known) = last {
        let next = known.saturating_add(1);
        if values.len() != next || next > MOST_VALUES {
            return Ok(None);
        }
        let wanted = format!("{attribute};range={next}-*");
        let asked = ldap.search(dn, Scope::Base, "(objectClass=*)", vec![wanted]);
        let (found, _) = tokio::time::timeout(ENTRY_LIMIT, asked)
            .await
            .context("the directory has fallen silent")??
            .success()
            .context("the directory refuses the search")?;
        let Some(found) = found.into_iter().next().map(SearchEntry::construct) else {
            return Ok(None);
        };
        let part = found.attrs.into_iter().find_map(|(name, more)| {
            let part = Part::of(&name).filter(|part| part.attribute.eq_ignore_ascii_case(attribute))?;
            let is_next = part.first == next && part.last.is_none_or(|last| last >= next);
            is_next.then_some((part.last, more))
        });
        let Some((end, more)) = part else {
            return Ok(None);
        };
        values.extend(more);
        last = end;
    }
    Ok(Some(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_where_it_begins_and_ends() {
        let part = |first, last| {
            Some(Part {
                attribute: "member",
                first,
                last,
            })
        };
        assert_eq!(Part::of("member;range=0-1499"), part(0, Some(1499)));
        assert_eq!(Part::of("member;Range=1500-*"), part(1500, None));
        for other in [
            "member",
            "member;binary",
            "member;range=x-1",
            "member;range=1",
            "member;range=0--1",
        ] {
            assert_eq!(Part::of(other), None, "{other}");
        }
    }
}
