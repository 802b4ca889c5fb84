//! The tri-state of groups: absent, empty and listed, told apart in everything a provider may send.

use regex::Regex;
use serde_json::Value;

use super::assertion::Groups;
use super::refusal::{Reason, Refusal};
use crate::db::logins::ClaimedGroup;
use crate::fold::{check_name, compose, fold};
use crate::scim::limits::NAME_CHARACTERS;

/// Most groups of one claim.
pub const GROUPS: usize = 2_000;

/// Lengths at which providers are known to cut the list off.
const SUSPICIOUS: [usize; 3] = [100, 150, 200];

fn malformed(detail: &str) -> Refusal {
    Refusal::new(Reason::MalformedGroups, detail)
}

impl Groups {
    /// The groups of a JSON claim. Absent and `null` say nothing, `""` and `[]` say none, a string is one group.
    /// Raises `malformed_groups` for anything else and for a list with something else in it.
    pub fn from_claim(claim: Option<Value>) -> Result<Self, Refusal> {
        match claim {
            None | Some(Value::Null) => Ok(Self::Unknown),
            Some(Value::String(name)) => Ok(Self::Listed(vec![name])),
            Some(Value::Array(names)) => {
                if names.len() > GROUPS {
                    return Err(malformed("the claim lists too many groups"));
                }
                let name = |value| match value {
                    Value::String(name) => Some(name),
                    _ => None,
                };
                let names = names.into_iter().map(name).collect::<Option<Vec<_>>>();
                names
                    .map(Self::Listed)
                    .ok_or_else(|| malformed("the list of groups holds something that is no name"))
            }
            Some(_) => Err(malformed("the groups are neither a name nor a list of names")),
        }
    }

    /// The groups of a header: its value split at `separator`. An empty value says none.
    pub fn from_header(value: Option<&str>, separator: &str) -> Self {
        value.map_or(Self::Unknown, |text| {
            Self::Listed(text.split(separator).map(str::to_owned).collect())
        })
    }
}

/// Brings listed groups into the form that the database compares: trimmed, NFC, without blanks, without names that differ
/// by case only, ordered by key. `refused` is a pattern for names that must not come.
///
/// Raises `malformed_groups` for a name with control or invisible characters, one that is too long, and for more than
/// [`GROUPS`] names.
pub fn canonical(names: &[String], refused: Option<&Regex>) -> Result<Vec<ClaimedGroup>, Refusal> {
    if names.len() > GROUPS {
        return Err(malformed("the claim lists too many groups"));
    }
    if SUSPICIOUS.contains(&names.len()) {
        tracing::warn!(
            groups = names.len(),
            "a claim lists exactly as many groups as providers cut lists off at"
        );
    }
    let mut groups = Vec::with_capacity(names.len());
    for name in names {
        let name = compose(name.trim());
        if name.is_empty() {
            continue;
        }
        if check_name(&name).is_err() || name.chars().count() > NAME_CHARACTERS {
            return Err(malformed(
                "the name of a group is too long or holds characters that cannot be seen",
            ));
        }
        if refused.is_some_and(|pattern| pattern.is_match(&name)) {
            return Err(malformed(
                "the name of a group is one that auth-groups-refused-names refuses",
            ));
        }
        groups.push(ClaimedGroup {
            key: fold(&name),
            name: name.into_owned(),
        });
    }
    groups.sort_by(|one, other| one.key.cmp(&other.key));
    groups.dedup_by(|one, other| one.key == other.key);
    Ok(groups)
}
