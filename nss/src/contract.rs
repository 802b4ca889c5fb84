//! The JSON of the read API (CONTRACT.md §2, §3) as checked values: nothing that the service says is believed unseen.

mod wire;

pub use wire::{
    changes, entries_of_groups, entries_of_users, group, initgroups, is_cursor_gone, is_not_found, shadow, snapshot,
    user,
};

use crate::record::Key;
use crate::rules::{GIDS_MAX, IdRange, KEYS_MAX, MEMBERS_MAX, is_field, is_key_line, is_name, is_path};
use serde::{Deserialize, Serialize};

/// Longest answer that is read, in bytes (CONTRACT.md §2).
pub const BODY_MAX: usize = 8 << 20;
/// Longest cursor, in bytes.
pub const CURSOR_MAX: usize = 255;

/// Why an answer cannot be used. All of them mean "cannot know".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not JSON, or not of the agreed form.
    Form,
    /// A name, id or path that no record may have.
    Value,
    /// A record other than the one asked for.
    Other,
}

/// Whether a user may log in (CONTRACT.md §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In use.
    #[default]
    Live,
    /// Resolves, but its shadow entry refuses the login.
    Locked,
    /// Deleted, kept for file ownership.
    Retired,
}

/// A user, with the gids where the answer told them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The resource's UUID; stable over renames.
    #[serde(default)]
    pub id: String,
    /// POSIX name.
    pub name: String,
    /// uid.
    pub uid: u32,
    /// Primary gid.
    pub gid: u32,
    /// Full name and the like.
    pub gecos: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Live, locked or retired.
    pub state: State,
    /// A live user has taken the name: only the uid answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_uid_only: bool,
    /// All gids, the primary included; None = not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gids: Option<Vec<u32>>,
    /// Groups that ride along in the login bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Lines of `authorized_keys`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<String>,
}

/// A group, with its members where the answer told them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The resource's UUID; stable over renames.
    #[serde(default)]
    pub id: String,
    /// POSIX name.
    pub name: String,
    /// gid.
    pub gid: u32,
    /// Names of its members; None = not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
}

/// A shadow entry; days, None = −1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Shadow {
    /// POSIX name.
    pub name: String,
    /// `*` or `!`.
    pub password: String,
    /// Day of the last change.
    #[serde(default)]
    pub last_change: Option<i32>,
    /// Day on which the account ends.
    #[serde(default)]
    pub expire: Option<i32>,
}

/// Supplementary groups of one user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Initgroups {
    /// POSIX name.
    pub name: String,
    /// Primary gid.
    pub gid: u32,
    /// All gids.
    pub gids: Vec<u32>,
}

/// One page of `/snapshot`.
#[derive(Debug, Default)]
pub struct SnapshotPage {
    /// Timeline of the ids.
    pub epoch: String,
    /// Where the feed goes on.
    pub cursor: String,
    /// Cursor of the next page; None = this was the last.
    pub next: Option<String>,
    /// Users that passed the checks.
    pub users: Vec<User>,
    /// Groups that passed the checks.
    pub groups: Vec<Group>,
    /// Records that did not.
    pub skipped: usize,
    /// How far the source may trail, ms.
    pub age_ms: u64,
}

/// What one change leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// The user with this UUID is now so, or resolves no more.
    User(String, Option<User>),
    /// The group with this UUID is now so, or resolves no more.
    Group(String, Option<Group>),
}

/// One answer of `/changes`.
#[derive(Debug, Default)]
pub struct Changes {
    /// Timeline of the ids.
    pub epoch: String,
    /// Where to go on.
    pub cursor: String,
    /// Ask again at once.
    pub more: bool,
    /// What has changed.
    pub changes: Vec<Change>,
    /// Changes that could not be read: the directory must be loaded afresh.
    pub skipped: usize,
    /// How far the source may trail, ms.
    pub age_ms: u64,
}

impl User {
    /// Checks every field against the rules and the node's id range, and sorts the gids.
    pub fn checked(mut self, range: IdRange) -> Result<Self, Refused> {
        let ids = range.contains(self.uid) && range.contains(self.gid);
        let texts =
            is_name(self.name.as_bytes()) && is_field(&self.gecos) && is_path(&self.home) && is_path(&self.shell);
        if !ids || !texts {
            return Err(Refused::Value);
        }
        if let Some(gids) = &mut self.gids {
            if gids.len() > GIDS_MAX || !gids.iter().all(|&gid| range.contains(gid)) {
                return Err(Refused::Value);
            }
            gids.sort_unstable();
            gids.dedup();
        }
        // A key that cannot be one is left out: its owner resolves all the same.
        self.ssh_keys.retain(|key| is_key_line(key.as_bytes()));
        self.ssh_keys.truncate(KEYS_MAX);
        if self.state != State::Live {
            self.ssh_keys.clear();
        }
        self.groups
            .retain(|group| range.contains(group.gid) && group.has_names());
        Ok(self)
    }

    /// The shadow entry that follows from the state (CONTRACT.md §3, Shadow).
    pub fn shadow(&self) -> Shadow {
        let live = self.state == State::Live;
        Shadow {
            name: self.name.clone(),
            password: if live { "*" } else { "!" }.to_owned(),
            last_change: None,
            expire: if live { None } else { Some(1) },
        }
    }

    fn answers(&self, key: &Key<'_>) -> bool {
        match *key {
            Key::UserName(name) => self.name.as_bytes() == name && !self.by_uid_only,
            Key::Uid(uid) => self.uid == uid,
            Key::GroupName(_) | Key::Gid(_) => false,
        }
    }
}

impl Group {
    /// Checks every field against the rules and the node's id range.
    pub fn checked(self, range: IdRange) -> Result<Self, Refused> {
        if range.contains(self.gid) && self.has_names() {
            Ok(self)
        } else {
            Err(Refused::Value)
        }
    }

    fn has_names(&self) -> bool {
        let members = self.members.as_deref().unwrap_or(&[]);
        is_name(self.name.as_bytes())
            && members.len() <= MEMBERS_MAX
            && members.iter().all(|member| is_name(member.as_bytes()))
    }

    fn answers(&self, key: &Key<'_>) -> bool {
        match *key {
            Key::GroupName(name) => self.name.as_bytes() == name,
            Key::Gid(gid) => self.gid == gid,
            Key::UserName(_) | Key::Uid(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
