//! Which names and ids can belong to a Rollcall user or group at all: asked before any state, cache or network.

/// Longest POSIX name in bytes that is looked up or accepted (`LOGIN_NAME_MAX` − 1).
pub const NAME_MAX: usize = 255;
/// Longest gecos, home or shell in bytes.
pub const FIELD_MAX: usize = 4096;
/// Most gids a user may be in: `NGROUPS_MAX` of Linux.
pub const GIDS_MAX: usize = 65_536;
/// Most members of one group; with them a group record stays below 64 MiB.
pub const MEMBERS_MAX: usize = 250_000;

/// Most SSH keys of one user.
pub const KEYS_MAX: usize = 32;
/// Longest SSH key, as a line of `authorized_keys`, in bytes.
pub const KEY_LINE_MAX: usize = 8192;

/// Lowest id that Rollcall hands out.
pub const ID_MIN: u32 = 1000;
/// One past the highest id: everything from here on is reserved (DESIGN §2), −1 included.
pub const ID_END: u32 = 2_147_352_576;
/// First id of the block that systemd and Debian use for dynamic and special users.
const SPECIAL_FIRST: u32 = 60_001;
/// Last id of that block; 65535 is the 16-bit −1.
const SPECIAL_LAST: u32 = 65_535;

/// The ids a node accepts: the fixed blocks, narrowed by `minimum-id` and `maximum-id` (both inclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// Lowest accepted id.
    pub min: u32,
    /// Highest accepted id.
    pub max: u32,
}

impl Default for IdRange {
    fn default() -> Self {
        Self {
            min: ID_MIN,
            max: ID_END - 1,
        }
    }
}

impl IdRange {
    /// Whether `id` can be a Rollcall uid or gid on this node.
    pub fn contains(self, id: u32) -> bool {
        is_assignable(id) && id >= self.min && id <= self.max
    }
}

/// Whether `id` is outside all blocks that are never handed out: system, dynamic, −1.
pub fn is_assignable(id: u32) -> bool {
    (ID_MIN..ID_END).contains(&id) && !(SPECIAL_FIRST..=SPECIAL_LAST).contains(&id)
}

/// Whether `name` can be a POSIX user or group name: 1–255 bytes of UTF-8 without control bytes, `:`, `/` and `,`.
pub fn is_name(name: &[u8]) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && !name
            .iter()
            .any(|byte| matches!(byte, 0..=31 | 127 | b':' | b'/' | b','))
        && (name.is_ascii() || std::str::from_utf8(name).is_ok())
}

/// Whether `text` can stand in a passwd field: no control byte, no `:`, at most [`FIELD_MAX`] bytes.
pub fn is_field(text: &str) -> bool {
    text.len() <= FIELD_MAX && !text.bytes().any(|byte| matches!(byte, 0..=31 | 127 | b':'))
}

/// Whether `line` can be one line of `authorized_keys`: printable UTF-8 or tabs, at most [`KEY_LINE_MAX`] bytes.
pub fn is_key_line(line: &[u8]) -> bool {
    (1..=KEY_LINE_MAX).contains(&line.len())
        && !line.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127))
        && std::str::from_utf8(line).is_ok()
}

/// Whether `text` is a field and an absolute path.
pub fn is_path(text: &str) -> bool {
    text.starts_with('/') && is_field(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_nobody_can_have_are_refused() {
        let range = IdRange::default();
        for id in [0, 1, 999, 60_001, 65_534, 65_535, ID_END, u32::MAX - 1, u32::MAX] {
            assert!(!range.contains(id), "{id}");
        }
        for id in [1000, 60_000, 65_536, 100_000, 2_147_352_575] {
            assert!(range.contains(id), "{id}");
        }
        assert!(!IdRange { min: 5000, max: 6000 }.contains(4999));
    }

    #[test]
    fn names_that_nobody_can_have_are_refused() {
        let long = [b'a'; 300];
        for name in [
            &b""[..],
            b"pam_unix_non_existent:",
            b"a\nb",
            b"a\0b",
            b"a/b",
            b"a,b",
            b"\xff\xfe",
            &long,
        ] {
            assert!(!is_name(name), "{name:?}");
        }
        for name in [
            &b"ada"[..],
            b"data science",
            "männer".as_bytes(),
            b"ada.10001",
            &[b'a'; 255],
        ] {
            assert!(is_name(name), "{name:?}");
        }
    }
}
