//! The bootstrap file: users, groups, tokens and settings that are to be there, read from TOML and checked, without I/O.
//!
//! What the file says of somebody is made so; what it leaves out is left alone, and nobody is removed.

mod attributes;
mod clashes;
mod entry;
mod file;
mod settings;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use clashes::{Clashes, Present};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::fold::fold;
use crate::scim::Document;
use crate::scim::dialect::Dialect;
use crate::scim::document::normalise;
use crate::scim::error::ScimError;
use crate::scim::group::GroupDraft;
use crate::scim::schema::ResourceType;
use crate::scim::user::UserDraft;
use crate::tokens::{Scope, SecretHash};

/// Largest bootstrap file, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Most users, groups, tokens and settings of one file together.
pub const MAX_ENTRIES: usize = 10_000;

/// Most faults of one file that are told.
pub const MAX_FAULTS: usize = 100;

/// What is wrong with a bootstrap file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("line {line}: {message}")]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// For a person; holds no secret.
    pub message: String,
}

/// What a bootstrap file asks for.
#[derive(Debug, Default)]
pub struct Bootstrap {
    /// Users, each named once.
    pub users: Vec<User>,
    /// Groups, each named once.
    pub groups: Vec<Group>,
    /// Tokens, each named once.
    pub tokens: Vec<Token>,
    /// Blocks of numbers, none of which overlaps another.
    pub reserved_ids: Vec<ReservedIds>,
    /// Limits, each token's once.
    pub deletion_limits: Vec<DeletionLimit>,
}

/// A block of numbers that is not to be given, because something else has it.
#[derive(Debug)]
pub struct ReservedIds {
    /// Where the file names it.
    pub line: usize,
    /// Its lowest number.
    pub first: u32,
    /// Its highest number.
    pub last: u32,
    /// Whether its numbers are refused to whoever asks for one, too.
    pub hard: bool,
    /// What has it.
    pub reason: String,
}

/// How many users a token may delete and lock, in place of `deletion-limit-per-hour`.
#[derive(Debug)]
pub struct DeletionLimit {
    /// Where the file names it.
    pub line: usize,
    /// The token: its name or public id.
    pub token: String,
    /// So many an hour; 0 for any number.
    pub per_hour: u32,
}

/// A user who is to be there.
#[derive(Debug)]
pub struct User {
    /// Where the file names him.
    pub line: usize,
    /// `userName`.
    pub user_name: String,
    /// `userName`, folded.
    pub key: String,
    said: Map<String, Value>,
}

/// A group that is to be there.
#[derive(Debug)]
pub struct Group {
    /// Where the file names it.
    pub line: usize,
    /// `displayName`.
    pub display_name: String,
    /// `displayName`, folded.
    pub key: String,
    /// Users who are to be members: userName or POSIX name.
    pub members: Vec<String>,
    /// Whether users who are not listed leave.
    pub members_only: bool,
    said: Map<String, Value>,
}

/// A token that is to be there.
#[derive(Debug)]
pub struct Token {
    /// Where the file names it.
    pub line: usize,
    /// Its name for people.
    pub name: String,
    /// What it may be used for; not empty.
    pub scopes: Vec<Scope>,
    /// The client's dialect of SCIM.
    pub dialect: Dialect,
    /// Days for which it is valid from the day it is made; `None` for ever.
    pub days: Option<i64>,
    /// Where its secret comes from.
    pub source: Source,
}

/// Where a token's secret comes from.
#[derive(Debug)]
pub enum Source {
    /// A file with the whole token; made, and written there, when it is missing.
    File(PathBuf),
    /// Its public id, and the SHA-256 of its secret.
    Hash(String, SecretHash),
}

impl Bootstrap {
    /// Reads a file and checks all of it. Raises every fault with its line, at most [`MAX_FAULTS`]: what is no UTF-8 or no TOML (and
    /// nothing else then), an unknown key, a value that SCIM would refuse, what stands twice, more than [`MAX_BYTES`] or [`MAX_ENTRIES`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        let fault = |line: usize, message: String| vec![Fault { line, message }];
        if bytes.len() > MAX_BYTES {
            return Err(fault(1, format!("the file is larger than {MAX_BYTES} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            fault(line, "what stands here is not UTF-8".to_owned())
        })?;
        file::read(text)
    }
}

impl User {
    /// Whether a list of members may mean him by `name`: userName or POSIX name.
    pub fn is_called(&self, name: &str) -> bool {
        self.key == fold(name) || self.posix_name() == name
    }

    /// The draft that creates him. Raises what a SCIM client would be told.
    pub fn new_draft(&self) -> Result<UserDraft, ScimError> {
        attributes::user(self.said.clone())
    }

    /// The draft that makes `present` as the file says, or `None` when he is so already.
    pub fn change(&self, present: &Document) -> Result<Option<UserDraft>, ScimError> {
        let has_address = self.said.get("emails").is_some_and(|said| {
            let value = |emails: &Value, at: usize| emails.get(at)?.get("value")?.as_str().map(fold);
            let present = present.get("emails").unwrap_or(&Value::Null);
            let many = present.as_array().map_or(0, Vec::len);
            (0..many).any(|at| value(present, at) == value(said, 0))
        });
        let mut said = self.said.clone();
        if has_address {
            said.shift_remove("emails");
        }
        let after = overlaid(ResourceType::User, present, said)?;
        after.map(|after| UserDraft::from_document(&after)).transpose()
    }
}

impl Group {
    /// The draft that creates it, without members. Raises what a SCIM client would be told.
    pub fn new_draft(&self) -> Result<GroupDraft, ScimError> {
        attributes::group(self.said.clone())
    }

    /// The draft that makes `present` as the file says, or `None` when it is so already; members not looked at.
    pub fn change(&self, present: &Document) -> Result<Option<GroupDraft>, ScimError> {
        let after = overlaid(ResourceType::Group, present, self.said.clone())?;
        after.map(GroupDraft::from_document).transpose()
    }
}

/// `present` with what is said laid over it, or `None` when that changes nothing.
fn overlaid(
    resource: ResourceType,
    present: &Document,
    said: Map<String, Value>,
) -> Result<Option<Document>, ScimError> {
    let before = normalise(resource, present.clone(), Dialect::Strict)?;
    let mut after = before.clone();
    for (key, value) in said {
        match (after.get_mut(&key), value) {
            (Some(Value::Object(present)), Value::Object(said)) => present.extend(said),
            (_, value) => {
                after.insert(key, value);
            }
        }
    }
    let after = normalise(resource, after, Dialect::Strict)?;
    Ok((after != before).then_some(after))
}
