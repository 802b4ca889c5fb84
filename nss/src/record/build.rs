//! Writing records: the only place that knows how to lay one out.

use super::{BY_UID_ONLY, HEAD, Key, Kind, NOT_LIVE, RECORD_MAX};
use crate::contract::{Group, Shadow, State, User};
use crate::rules::{GIDS_MAX, MEMBERS_MAX};

/// Password field of a user: `x` sends PAM to the shadow entry, `*` refuses passwords without asking for one.
fn password(user: &User, shadow_served: bool) -> &'static [u8] {
    // Without a shadow entry "x" makes pam_unix refuse the account, which is what a locked user deserves.
    if shadow_served || user.state != State::Live {
        b"x"
    } else {
        b"*"
    }
}

/// The record of `user`; None when it is too large to be one. `shadow_served`: whether root gets shadow entries here.
pub fn user(user: &User, shadow_served: bool) -> Option<Vec<u8>> {
    let gids = user.gids.as_deref().unwrap_or(&[]);
    if gids.len() > GIDS_MAX {
        return None;
    }
    let by_uid_only = if user.by_uid_only { BY_UID_ONLY } else { 0 };
    let not_live = if user.state == State::Live { 0 } else { NOT_LIVE };
    let flags = by_uid_only | not_live;
    let mut record = Builder::new(Kind::User, flags, user.name.as_bytes())?;
    record.put_u32(8, user.uid);
    record.put_u32(12, user.gid);
    record.put_u32(16, u32::try_from(gids.len()).ok()?);
    for (offset, text) in [(24, &user.gecos), (26, &user.home), (28, &user.shell)] {
        record.put_u16(offset, u16::try_from(text.len()).ok()?);
    }
    for gid in gids {
        record.bytes.extend_from_slice(&gid.to_le_bytes());
    }
    let password = password(user, shadow_served);
    let fields = [
        user.name.as_bytes(),
        password,
        user.gecos.as_bytes(),
        user.home.as_bytes(),
        user.shell.as_bytes(),
    ];
    let keys: &[String] = if user.state == State::Live { &user.ssh_keys } else { &[] };
    record.put_u16(30, u16::try_from(keys.len()).ok()?);
    record.finish_with(fields, keys.iter().map(String::as_bytes))
}

/// The record of `group`; None when it has no member list or is too large.
pub fn group(group: &Group) -> Option<Vec<u8>> {
    let members = group.members.as_deref()?;
    if members.len() > MEMBERS_MAX {
        return None;
    }
    let mut record = Builder::new(Kind::Group, 0, group.name.as_bytes())?;
    record.put_u32(8, group.gid);
    record.put_u32(12, u32::try_from(members.len()).ok()?);
    let head: [&[u8]; 2] = [group.name.as_bytes(), b"*"];
    record.finish(head.into_iter().chain(members.iter().map(String::as_bytes)))
}

/// "There is none" for `key`, counting until `fresh_until` (ms of the node's clock).
pub fn negative(key: &Key<'_>, fresh_until: u64) -> Option<Vec<u8>> {
    let name: &[u8] = match *key {
        Key::UserName(name) | Key::GroupName(name) => name,
        Key::Uid(_) | Key::Gid(_) => b"",
    };
    let mut record = Builder::new(Kind::Negative, key.tag(), name)?;
    let [low, high] = [fresh_until & u64::from(u32::MAX), fresh_until >> 32];
    record.put_u32(8, u32::try_from(low).ok()?);
    record.put_u32(12, u32::try_from(high).ok()?);
    record.put_u32(16, key.id().unwrap_or(u32::MAX));
    record.finish([name])
}

/// The record of a shadow entry.
pub fn shadow(shadow: &Shadow) -> Option<Vec<u8>> {
    let mut record = Builder::new(Kind::Shadow, 0, shadow.name.as_bytes())?;
    record.put_u32(8, shadow.expire.unwrap_or(-1).cast_unsigned());
    record.put_u32(12, shadow.last_change.unwrap_or(-1).cast_unsigned());
    record.finish([shadow.name.as_bytes(), shadow.password.as_bytes()])
}

struct Builder {
    bytes: Vec<u8>,
}

impl Builder {
    fn new(kind: Kind, flags: u8, name: &[u8]) -> Option<Self> {
        let mut builder = Self { bytes: vec![0; HEAD] };
        *builder.bytes.get_mut(4)? = kind as u8;
        *builder.bytes.get_mut(5)? = flags;
        builder.put_u16(6, u16::try_from(name.len()).ok()?);
        Some(builder)
    }

    fn put_u16(&mut self, offset: usize, value: u16) {
        if let Some(field) = self.bytes.get_mut(offset..offset + 2) {
            field.copy_from_slice(&value.to_le_bytes());
        }
    }

    fn put_u32(&mut self, offset: usize, value: u32) {
        if let Some(field) = self.bytes.get_mut(offset..offset + 4) {
            field.copy_from_slice(&value.to_le_bytes());
        }
    }

    fn put_strings<'s>(&mut self, strings: impl IntoIterator<Item = &'s [u8]>) -> Option<()> {
        for text in strings {
            if text.contains(&0) {
                return None;
            }
            self.bytes.extend_from_slice(text);
            self.bytes.push(0);
        }
        Some(())
    }

    fn finish<'s>(self, strings: impl IntoIterator<Item = &'s [u8]>) -> Option<Vec<u8>> {
        self.finish_with(strings, [])
    }

    /// `behind` follows the strings without being counted among them.
    fn finish_with<'s>(
        mut self,
        strings: impl IntoIterator<Item = &'s [u8]>,
        behind: impl IntoIterator<Item = &'s [u8]>,
    ) -> Option<Vec<u8>> {
        let start = self.bytes.len();
        self.put_strings(strings)?;
        let length = u32::try_from(self.bytes.len() - start).ok()?;
        self.put_u32(20, length);
        self.put_strings(behind)?;
        let padded = self.bytes.len().next_multiple_of(8);
        if padded > RECORD_MAX {
            return None;
        }
        self.bytes.resize(padded, 0);
        let whole = u32::try_from(padded).ok()?;
        self.put_u32(0, whole);
        Some(self.bytes)
    }
}
