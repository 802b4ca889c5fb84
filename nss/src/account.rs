//! One user as this node's programs need him beside NSS: from the map, and from the agent when the map does not know him.

use crate::ask::{self, Reply};
use crate::clock::now_ms;
use crate::local::{Local, PASSWD_PATH};
use crate::map::{Found, MAP_FILE, Map};
use crate::record::{Key, Kind, NOT_LIVE, Record};
use crate::rules::is_name;

/// A user of Rollcall who may sign in on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// POSIX name.
    pub name: String,
    /// uid.
    pub uid: u32,
    /// Primary gid.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Lines of `authorized_keys`.
    pub ssh_keys: Vec<String>,
}

/// Nobody can tell now: there is no map, or neither it nor the agent knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CannotKnow;

/// The account `name`, from the map in `run_dir`. None for who is unknown, locked, deleted, root, or an account of this machine: a local
/// name is never Rollcall's, whoever has it there.
///
/// Raises [`CannotKnow`].
pub fn account(run_dir: &str, name: &str) -> Result<Option<Account>, CannotKnow> {
    let is_local = || Local::default().contains(PASSWD_PATH, name.as_bytes(), now_ms());
    if !is_name(name.as_bytes()) || name == "root" || is_local() {
        return Ok(None);
    }
    let key = Key::UserName(name.as_bytes());
    let look = || {
        let map = Map::open(format!("{run_dir}/{MAP_FILE}")).map_err(|_| CannotKnow)?;
        Ok(match map.find(&key) {
            Found::Record(record) if record.kind() == Kind::User => Some(of_record(&record)?),
            Found::Record(record) if record.kind() == Kind::Negative && now_ms() < record.fresh_until() => Some(None),
            Found::Record(_) | Found::Absent => None,
            Found::Broken => return Err(CannotKnow),
        })
    };
    if let Some(known) = look()? {
        return Ok(known);
    }
    match ask::ask(&format!("{run_dir}/node.sock"), &ask::request(&key), ask::LIMIT_MS) {
        Reply::Look => look()?.ok_or(CannotKnow),
        Reply::None => Ok(None),
        Reply::Unknown | Reply::Body(_) | Reply::Absent | Reply::Silent => Err(CannotKnow),
    }
}

fn of_record(record: &Record<'_>) -> Result<Option<Account>, CannotKnow> {
    if record.flags() & NOT_LIVE != 0 {
        return Ok(None);
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| CannotKnow);
    let [_, _, _, home, shell] = record.passwd_offsets().ok_or(CannotKnow)?;
    let home = shell.checked_sub(1).and_then(|end| record.strings().get(home..end));
    Ok(Some(Account {
        name: text(record.name())?,
        uid: record.id(),
        gid: record.primary_gid(),
        home: text(home.ok_or(CannotKnow)?)?,
        ssh_keys: record.ssh_keys().map(text).collect::<Result<_, _>>()?,
    }))
}
