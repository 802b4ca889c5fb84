//! The naming rules of POSIX accounts: deriving, checking and cleaning what goes into `passwd` and `group`.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Longest user name, in bytes (utmp and useradd agree on it).
pub const USER_NAME_BYTES: usize = 32;
/// Longest group name, home directory, shell and gecos field, in bytes.
pub const FIELD_BYTES: usize = 255;
/// The rule for user names unless a site sets another.
pub const DEFAULT_USER_NAME_RULE: &str = "[a-z_][a-z0-9._-]{0,31}";

/// Characters of the hash suffix that keeps two cut names apart.
const SUFFIX_CHARACTERS: usize = 6;

/// The POSIX user name for a SCIM `userName`: the part before `@`, lower-cased, other characters as `_`.
///
/// The result always satisfies [`DEFAULT_USER_NAME_RULE`]. When characters had to be replaced or cut, `-` and a short
/// hash of the whole `userName` follow, so that two different names rarely meet; `jane.doe@x.org` is `jane.doe`.
pub fn derive_user_name(user_name: &str) -> String {
    let local = match user_name.split_once('@') {
        Some((local, _)) if !local.is_empty() => local,
        _ => user_name,
    };
    let mut lossy = false;
    let mut name = String::with_capacity(USER_NAME_BYTES);
    for character in local.chars() {
        let character = character.to_ascii_lowercase();
        let first = name.is_empty();
        let legal = match character {
            'a'..='z' | '_' => true,
            '0'..='9' | '.' | '-' => !first,
            _ => false,
        };
        // A leading digit is kept behind an underscore: `1234` is `_1234-…`, not `_234-…`.
        if first && character.is_ascii_digit() {
            name.push('_');
            name.push(character);
            lossy = true;
        } else {
            lossy |= !legal;
            name.push(if legal { character } else { '_' });
        }
        if name.len() > USER_NAME_BYTES {
            lossy = true;
            break;
        }
    }
    if name.is_empty() {
        name.push('_');
        lossy = true;
    }
    if lossy {
        name.truncate(USER_NAME_BYTES - SUFFIX_CHARACTERS - 1);
        name.push('-');
        name.push_str(&suffix(&crate::fold::fold(user_name)));
    }
    name
}

/// The POSIX group name for a SCIM `displayName`: kept as it is but for control characters, `:`, `,` and `/`.
///
/// At most [`FIELD_BYTES`] bytes; a longer name is cut and gets `-` and a short hash of the whole.
pub fn derive_group_name(display_name: &str) -> String {
    let mut name: String = display_name
        .chars()
        .map(|c| if is_field_breaker(c) { '_' } else { c })
        .collect();
    if name.is_empty() {
        name.push('_');
    }
    if name.len() > FIELD_BYTES {
        cut(&mut name, FIELD_BYTES - SUFFIX_CHARACTERS - 1);
        name.push('-');
        name.push_str(&suffix(&crate::fold::fold(display_name)));
    }
    name
}

/// Why a POSIX value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PosixFault {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// Longer than [`FIELD_BYTES`].
    #[error("it is longer than 255 bytes")]
    TooLong,
    /// A character that would break the line of `passwd` or `group`.
    #[error("it holds a colon, a comma, a slash, a line break or another control character")]
    FieldBreaker,
    /// Not an absolute path.
    #[error("it is not an absolute path")]
    NotAbsolute,
    /// A `..` component.
    #[error("it has a '..' component")]
    ParentComponent,
}

/// Checks a group name that a client asked for.
pub fn check_group_name(name: &str) -> Result<(), PosixFault> {
    check_length(name)?;
    if name.chars().any(is_field_breaker) {
        return Err(PosixFault::FieldBreaker);
    }
    Ok(())
}

/// Checks a home directory: absolute, without `..` and without what would break the line.
pub fn check_home(home: &str) -> Result<(), PosixFault> {
    check_path(home)
}

/// Checks a login shell: an absolute path, like [`check_home`].
pub fn check_shell(shell: &str) -> Result<(), PosixFault> {
    check_path(shell)
}

/// A person's name as the gecos field may hold it: no colon or control character, commas (they separate the field's
/// parts) as spaces, at most [`FIELD_BYTES`] bytes.
pub fn gecos(name: &str) -> String {
    let mut field: String = name
        .chars()
        .filter_map(|character| match character {
            ',' => Some(' '),
            ':' => None,
            _ if character.is_control() => None,
            _ => Some(character),
        })
        .collect();
    cut(&mut field, FIELD_BYTES);
    field.trim().to_owned()
}

fn check_path(path: &str) -> Result<(), PosixFault> {
    check_length(path)?;
    if path.chars().any(|c| c == ':' || c.is_control()) {
        return Err(PosixFault::FieldBreaker);
    }
    if !path.starts_with('/') {
        return Err(PosixFault::NotAbsolute);
    }
    if path.split('/').any(|component| component == "..") {
        return Err(PosixFault::ParentComponent);
    }
    Ok(())
}

fn check_length(text: &str) -> Result<(), PosixFault> {
    match text.len() {
        0 => Err(PosixFault::Empty),
        1..=FIELD_BYTES => Ok(()),
        _ => Err(PosixFault::TooLong),
    }
}

fn is_field_breaker(character: char) -> bool {
    matches!(character, ':' | ',' | '/') || character.is_control()
}

fn cut(text: &mut String, bytes: usize) {
    text.truncate(text.floor_char_boundary(bytes));
}

fn suffix(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_bytes()).iter().take(SUFFIX_CHARACTERS / 2) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests;
