//! Entries of one file that stand in each other's way: each is in order by itself, and the later one is refused when the earlier is made.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Bootstrap, Group, User};
use crate::posix::{derive_group_name, derive_user_name};
use crate::scim::schema::{POSIX_GROUP, WORKBENCH_USER};

/// Why entries cannot be made beside the others.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Clashes {
    /// Of users, by the folded `userName`.
    pub users: HashMap<String, String>,
    /// Of groups, by the folded `displayName`.
    pub groups: HashMap<String, String>,
}

impl Clashes {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}

/// The users and groups that are there already, by their folded names: they have their POSIX names and numbers, whatever a file says.
#[derive(Debug, Default)]
pub struct Present {
    /// Folded `userName`s.
    pub users: HashSet<String>,
    /// Folded `displayName`s.
    pub groups: HashSet<String>,
}

/// What entries get, in the order in which they are made, and the lines of those that get it.
#[derive(Default)]
struct Given {
    /// Names of groups, private ones included.
    names: HashMap<String, usize>,
    gids: HashMap<i64, usize>,
}

impl Bootstrap {
    /// The entries among those not `present` that ask for a number in a hard reserved block of the same file, or for a POSIX name or
    /// number that an entry made before them gets. `suffix`: whether a user whose derived POSIX name is taken gets another one.
    pub fn clashes(&self, present: &Present, suffix: bool) -> Clashes {
        let mut clashes = Clashes::default();
        let mut given = Given::default();
        for user in self.users.iter().filter(|user| !present.users.contains(&user.key)) {
            let (name, uid) = (user.posix_name(), user.uid());
            let is_fixed = user.said_name().is_some() || !suffix;
            let clash = self
                .reserved("uid", uid)
                .or_else(|| taken("POSIX name", &name, given.names.get(&name).filter(|_| is_fixed)));
            if let Some(clash) = clash {
                clashes.users.insert(user.key.clone(), clash);
                continue;
            }
            given.names.entry(name).or_insert(user.line);
            if let Some(uid) = uid {
                // The gid of his private group.
                given.gids.entry(uid).or_insert(user.line);
            }
        }
        for group in self.groups.iter().filter(|group| !present.groups.contains(&group.key)) {
            let (said, gid) = (group.said_name(), group.gid());
            let clash = self
                .reserved("gid", gid)
                .or_else(|| taken("POSIX name", said?, given.names.get(said?)))
                .or_else(|| taken("gid", &gid?.to_string(), given.gids.get(&gid?)));
            if let Some(clash) = clash {
                clashes.groups.insert(group.key.clone(), clash);
                continue;
            }
            // A derived name that is taken gets a number behind it.
            let name = said.map_or_else(|| derive_group_name(&group.display_name), str::to_owned);
            given.names.entry(name).or_insert(group.line);
        }
        clashes
    }

    /// Why a number cannot be had, if a block of the file has it.
    fn reserved(&self, what: &str, number: Option<i64>) -> Option<String> {
        let number = number?;
        let mut blocks = self.reserved_ids.iter().filter(|block| block.hard);
        let block = blocks.find(|block| (i64::from(block.first)..=i64::from(block.last)).contains(&number))?;
        let (first, last, line) = (block.first, block.last, block.line);
        Some(format!(
            "{what} {number} lies in the block {first}-{last} of line {line}, of which nobody gets one"
        ))
    }
}

/// Why a name or number cannot be had that `line` gets, if any does.
fn taken(what: &str, value: &str, line: Option<&usize>) -> Option<String> {
    line.map(|line| format!("the {what} {value} goes to the entry of line {line}"))
}

impl User {
    fn said_name(&self) -> Option<&str> {
        self.said_of("posixUserName")?.as_str()
    }

    fn uid(&self) -> Option<i64> {
        self.said_of("posixUserId")?.as_i64()
    }

    fn said_of(&self, name: &str) -> Option<&Value> {
        self.said.get(WORKBENCH_USER.id)?.get(name)
    }

    /// The POSIX name that he gets when he is new and it is free: the one the file says, or the derived one.
    pub fn posix_name(&self) -> String {
        let derived = || derive_user_name(&self.user_name);
        self.said_name().map_or_else(derived, str::to_owned)
    }
}

impl Group {
    fn said_name(&self) -> Option<&str> {
        self.said_of("posixGroupName")?.as_str()
    }

    fn gid(&self) -> Option<i64> {
        self.said_of("posixGroupId")?.as_i64()
    }

    fn said_of(&self, name: &str) -> Option<&Value> {
        self.said.get(POSIX_GROUP.id)?.get(name)
    }
}
