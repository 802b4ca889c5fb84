//! The configuration file: `key=value` lines in the format of `rserver.conf`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::ConfigError;
use super::sources::Origin;

/// Largest configuration file, in bytes.
pub(super) const LARGEST_FILE: u64 = 1 << 20;

/// One `key=value` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The value, blanks and comment removed.
    pub value: String,
    /// File and line.
    pub origin: Origin,
}

/// The text of the file at `path`; raises `Unreadable` when it is missing, too large or not UTF-8.
pub(super) fn read(path: &Path, named_at: &Origin) -> Result<String, ConfigError> {
    let unreadable = |reason| ConfigError::Unreadable {
        path: path.to_owned(),
        origin: named_at.clone(),
        reason,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST_FILE + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(unreadable(std::io::Error::other("the file is larger than 1 MiB")));
    }
    Ok(text)
}

/// The lines of `text` by key. A comment is a line that begins with `#`, or what follows a blank and `#`: a `#` inside
/// a value, as in a password, is kept. Raises `Syntax` and `Duplicate`.
pub(super) fn parse(text: &str, path: &Path) -> Result<BTreeMap<String, Line>, ConfigError> {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let origin = Origin::File {
            path: path.to_owned(),
            line: index + 1,
        };
        let line = without_comment(line);
        if line.is_empty() {
            continue;
        }
        let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            return Err(ConfigError::Syntax { origin });
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(ConfigError::Syntax { origin });
        }
        if let Some(first) = lines.get(key) {
            return Err(ConfigError::Duplicate {
                name: key.to_owned(),
                first: first.origin.clone(),
                second: origin,
            });
        }
        lines.insert(
            key.to_owned(),
            Line {
                value: value.to_owned(),
                origin,
            },
        );
    }
    Ok(lines)
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    let comment = line
        .char_indices()
        .zip(line.chars().skip(1))
        .find(|((_, c), next)| c.is_whitespace() && *next == '#');
    match comment {
        Some(((index, _), _)) => line.get(..index).unwrap_or(line).trim_end(),
        None => line,
    }
}
