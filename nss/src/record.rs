//! One user, group, negative or shadow entry as bytes: what the map holds, the direct mode caches and the module hands out.
//!
//! Layout, little-endian, every record padded to 8 bytes:
//!
//! | Offset | Size | User | Group | Negative | Shadow |
//! |---|---|---|---|---|---|
//! | 0 | 4 | length of the whole record | = | = | = |
//! | 4 | 1 | kind | = | = | = |
//! | 5 | 1 | flags ([`BY_UID_ONLY`]) | 0 | key type | 0 |
//! | 6 | 2 | length of the name | = | = | = |
//! | 8 | 4 | uid | gid | fresh until, ms, low | expire (day or −1) |
//! | 12 | 4 | primary gid | number of members | … high | last change (day or −1) |
//! | 16 | 4 | number of gids | 0 | id | 0 |
//! | 20 | 4 | length of the strings | = | = | = |
//! | 24 | 8 | lengths of gecos, home, shell, number of SSH keys (u16) | 0 | 0 | 0 |
//! | 32 | 4 × n | gids | – | – | – |
//! | then | | name, password, gecos, home, shell | name, password, members | name | name, password |
//! | then | | SSH keys (not among the strings, so that older readers pass over them) | – | – | – |
//!
//! Every string ends with a NUL. Readers believe no number: each access is checked against the record's own bytes.

mod build;

pub use build::{group, negative, shadow, user};

use crate::rules::{GIDS_MAX, KEYS_MAX, MEMBERS_MAX, is_key_line};

/// Bytes before the gids.
pub const HEAD: usize = 32;
/// Longest record that is written or believed.
pub const RECORD_MAX: usize = 64 << 20;

/// Flag of a user record: a live user has taken the name, so only the uid answers.
pub const BY_UID_ONLY: u8 = 1;

/// Flag of a user record: he is locked or deleted.
pub const NOT_LIVE: u8 = 2;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A passwd entry with the user's gids.
    User = 1,
    /// A group entry with its members.
    Group = 2,
    /// "There is none", for a while.
    Negative = 3,
    /// A shadow entry; only ever in an answer to uid 0, never in the map.
    Shadow = 4,
}

/// A key a record can be found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    /// `getpwnam`, `initgroups`, `getspnam`.
    UserName(&'a [u8]),
    /// `getpwuid`.
    Uid(u32),
    /// `getgrnam`.
    GroupName(&'a [u8]),
    /// `getgrgid`.
    Gid(u32),
}

impl Key<'_> {
    /// The key's type as stored in negative records and hashed before the key's bytes.
    pub fn tag(&self) -> u8 {
        match self {
            Self::UserName(_) => 1,
            Self::Uid(_) => 2,
            Self::GroupName(_) => 3,
            Self::Gid(_) => 4,
        }
    }

    /// The id of a key by id.
    pub fn id(&self) -> Option<u32> {
        match *self {
            Self::Uid(id) | Self::Gid(id) => Some(id),
            Self::UserName(_) | Self::GroupName(_) => None,
        }
    }
}

/// A record that has passed the checks of [`Record::parse`]; borrows the bytes it was parsed from.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
    /// Those of them that are strings, each with its NUL, in the order of the table above.
    strings: &'a [u8],
    kind: Kind,
}

impl<'a> Record<'a> {
    /// Takes the record at the start of `bytes`. None when it is truncated, of no known kind, or its lengths disagree.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        if !(HEAD..=RECORD_MAX).contains(&length) || !length.is_multiple_of(8) {
            return None;
        }
        let bytes = bytes.get(..length)?;
        let kind = match *bytes.get(4)? {
            1 => Kind::User,
            2 => Kind::Group,
            3 => Kind::Negative,
            4 => Kind::Shadow,
            _ => return None,
        };
        let start = HEAD + gid_bytes(kind, bytes)?;
        let end = start.checked_add(usize::try_from(u32_at(bytes, 20)?).ok()?)?;
        let strings = bytes.get(start..end)?;
        let name = usize::from(u16_at(bytes, 6)?);
        // The name and the last string end with a NUL; those between are checked where they are handed out.
        let are_ended = strings.get(name) == Some(&0) && strings.last() == Some(&0);
        are_ended.then_some(Self { bytes, strings, kind })
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// All its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Flags of a user, key type of a negative record.
    pub fn flags(&self) -> u8 {
        self.bytes.get(5).copied().unwrap_or(0)
    }

    /// The name, without its NUL.
    pub fn name(&self) -> &'a [u8] {
        let length = u16_at(self.bytes, 6).map_or(0, usize::from);
        self.strings.get(..length).unwrap_or(&[])
    }

    /// uid of a user, gid of a group, id of a negative record by id.
    pub fn id(&self) -> u32 {
        let offset = if self.kind == Kind::Negative { 16 } else { 8 };
        u32_at(self.bytes, offset).unwrap_or(u32::MAX)
    }

    /// Primary gid of a user.
    pub fn primary_gid(&self) -> u32 {
        u32_at(self.bytes, 12).unwrap_or(u32::MAX)
    }

    /// Number of members of a group.
    pub fn member_count(&self) -> usize {
        u32_at(self.bytes, 12)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0)
    }

    /// Until when a negative record counts, in ms of [`crate::clock::now_ms`].
    pub fn fresh_until(&self) -> u64 {
        let low = u32_at(self.bytes, 8).map_or(0, u64::from);
        let high = u32_at(self.bytes, 12).map_or(0, u64::from);
        high << 32 | low
    }

    /// Day on which the account of a shadow entry expires, −1 for never.
    pub fn expire(&self) -> i32 {
        u32_at(self.bytes, 8).unwrap_or(u32::MAX).cast_signed()
    }

    /// Day of the last password change of a shadow entry, −1 for unknown.
    pub fn last_change(&self) -> i32 {
        u32_at(self.bytes, 12).unwrap_or(u32::MAX).cast_signed()
    }

    /// All gids of a user, ascending.
    pub fn gids(&self) -> impl Iterator<Item = u32> + use<'a> {
        let end = HEAD + gid_bytes(self.kind, self.bytes).unwrap_or(0);
        let bytes = self.bytes.get(HEAD..end).unwrap_or(&[]);
        bytes.chunks_exact(4).filter_map(|chunk| u32_at(chunk, 0))
    }

    /// All strings, each with its NUL, in the order of the table above.
    pub fn strings(&self) -> &'a [u8] {
        self.strings
    }

    /// The SSH keys of a user, each a line of `authorized_keys`; those of them that can be read.
    pub fn ssh_keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        let place = HEAD + gid_bytes(self.kind, bytes).unwrap_or(0) + self.strings.len();
        let is_user = self.kind == Kind::User;
        let rest = bytes.get(place..).filter(|_| is_user).unwrap_or(&[]);
        let count = usize::from(u16_at(bytes, 30).unwrap_or(0)).min(KEYS_MAX);
        rest.split(|&byte| byte == 0)
            .take(count)
            .filter(|line| is_key_line(line))
    }

    /// Where name, password, gecos, home and shell of a user start in [`Self::strings`]. None when a length lies.
    pub fn passwd_offsets(&self) -> Option<[usize; 5]> {
        let strings = self.strings;
        let password = usize::from(u16_at(self.bytes, 6)?) + 1;
        let gecos = password + 2;
        let home = gecos + usize::from(u16_at(self.bytes, 24)?) + 1;
        let shell = home + usize::from(u16_at(self.bytes, 26)?) + 1;
        let end = shell + usize::from(u16_at(self.bytes, 28)?) + 1;
        let ends_before = |offset: usize| strings.get(offset.wrapping_sub(1)) == Some(&0);
        let whole = end == strings.len() && [password, gecos, home, shell, end].into_iter().all(ends_before);
        whole.then_some([0, password, gecos, home, shell])
    }

    /// Whether this record may answer `key`: same kind of thing, same name or id, and by name only if it has one.
    pub fn answers(&self, key: &Key<'_>) -> bool {
        match (self.kind, *key) {
            (Kind::User, Key::UserName(name)) => self.flags() & BY_UID_ONLY == 0 && self.name() == name,
            (Kind::Group, Key::GroupName(name)) => self.name() == name,
            (Kind::User, Key::Uid(id)) | (Kind::Group, Key::Gid(id)) => self.id() == id,
            (Kind::Negative, key) if self.flags() == key.tag() => match key {
                Key::UserName(name) | Key::GroupName(name) => self.name() == name,
                Key::Uid(id) | Key::Gid(id) => self.id() == id,
            },
            _ => false,
        }
    }
}

/// How many bytes of gids a record of this kind has. None when a number lies.
fn gid_bytes(kind: Kind, bytes: &[u8]) -> Option<usize> {
    let count = |offset| usize::try_from(u32_at(bytes, offset)?).ok();
    match kind {
        Kind::User => count(16).filter(|&count| count <= GIDS_MAX).map(|count| count * 4),
        Kind::Group => count(12).filter(|&count| count <= MEMBERS_MAX).map(|_| 0),
        Kind::Negative | Kind::Shadow => Some(0),
    }
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..offset.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests;
