//! The copy of the directory on disk: with it a node that boots without network still knows its users. Shadow entries are not in it.

use super::directory::{Directory, Dirty};
use crate::config::read_safe;
use crate::contract::{Group, User};
use crate::rules::IdRange;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

/// The copy's file name.
pub const COPY_FILE: &str = "directory.json";
/// Version of the copy; another one is not read.
const VERSION: u32 = 1;
/// Largest copy that is read, bytes.
const COPY_MAX: usize = 512 << 20;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    epoch: &'a str,
    cursor: &'a str,
    synced: u64,
    users: Vec<&'a User>,
    groups: Vec<&'a Group>,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    epoch: String,
    cursor: String,
    synced: u64,
    users: Vec<User>,
    groups: Vec<Group>,
}

/// Writes the copy beside the old one and lets it take its place: a crash leaves one of the two.
pub fn save(folder: &str, directory: &Directory, synced: u64) -> io::Result<()> {
    if !directory.is_loaded() {
        return Ok(());
    }
    let written = Written {
        version: VERSION,
        epoch: &directory.epoch,
        cursor: &directory.cursor,
        synced,
        users: directory.users().map(|(_, user)| user).collect(),
        groups: directory.groups().map(|(_, group)| group).collect(),
    };
    let bytes = serde_json::to_vec(&written)?;
    let temporary = format!("{folder}/.{COPY_FILE}");
    let _ = std::fs::remove_file(&temporary);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(temporary, format!("{folder}/{COPY_FILE}"))
}

/// The copy, and when it was known to be whole (seconds since 1970). None when there is none that can be believed.
pub fn load(folder: &str, ids: IdRange) -> Option<(Directory, u64)> {
    let bytes = read_safe(&format!("{folder}/{COPY_FILE}"), COPY_MAX).ok()?;
    let read: Read = serde_json::from_slice(&bytes)
        .ok()
        .filter(|read: &Read| read.version == VERSION)?;
    let mut directory = Directory::default();
    directory.epoch = read.epoch;
    directory.cursor = read.cursor;
    let mut dirty = Dirty::default();
    for group in read.groups {
        if let Ok(group) = group.checked(ids) {
            directory.put_group(group, &mut dirty);
        }
    }
    for user in read.users {
        if let Ok(user) = user.checked(ids) {
            directory.put_user(user, &mut dirty);
        }
    }
    Some((directory, read.synced))
}
