//! Resource versions as weak entity tags, and the preconditions built on them (RFC 7644 §3.14, RFC 9110 §13.1).

use super::error::{ScimError, quoted};
use super::limits::VERSION_TAGS;

/// The entity tag of a version: `W/"7"`, or `W/"7-1a2b"` with a suffix.
///
/// The suffix stands for parts of the answer that the version does not count, such as a user's groups: a changed
/// suffix makes `If-None-Match` miss, and `If-Match` ignores it.
pub fn print(version: i64, suffix: Option<&str>) -> String {
    match suffix {
        Some(suffix) => format!("W/\"{version}-{suffix}\""),
        None => format!("W/\"{version}\""),
    }
}

/// What a client said in `If-Match` or `If-None-Match`, or as `version` of a Bulk operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// `*`: any version.
    Any,
    /// One of these opaque tags, without `W/` and quotes.
    Tags(Vec<String>),
}

impl Precondition {
    /// Reads the value of the header. Tags may come with or without `W/` and quotes.
    ///
    /// Raises 400 `invalidValue` when there is no tag or more than [`VERSION_TAGS`] of them.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let tags: Vec<String> = text
            .split(',')
            .map(opaque)
            .filter(|tag| !tag.is_empty())
            .take(VERSION_TAGS + 1)
            .map(str::to_owned)
            .collect();
        if tags.is_empty() || tags.len() > VERSION_TAGS {
            return Err(ScimError::invalid_value(format!(
                "\"{}\" is not a list of versions.",
                quoted(text)
            )));
        }
        Ok(Self::Tags(tags))
    }

    /// Whether `If-Match` holds for the current `version`; suffixes don't count.
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => {
                let current = version.to_string();
                tags.iter()
                    .any(|tag| tag.split_once('-').map_or(tag.as_str(), |(number, _)| number) == current)
            }
        }
    }

    /// Whether one of the tags is `current`, a tag printed by [`print()`], suffix included: `If-None-Match` then
    /// answers 304 (weak comparison, RFC 9110 §8.8.3.2).
    pub fn names(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag == opaque(current)),
        }
    }
}

fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    tag.strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Precondition {
        Precondition::parse(text).unwrap()
    }

    #[test]
    fn every_spelling_of_the_current_version_is_allowed() {
        for text in [
            "W/\"7\"",
            "\"7\"",
            "7",
            "w/\"7\"",
            "W/\"3\", W/\"7\"",
            "*",
            "W/\"7-1a2b\"",
        ] {
            assert!(parsed(text).allows(7), "{text}");
        }
    }

    #[test]
    fn another_version_is_not_allowed() {
        for text in ["W/\"bogus\"", "W/\"77\"", "\"\u{37}0\"", "W/\"-7\"", "07"] {
            assert!(!parsed(text).allows(7), "{text}");
        }
    }

    #[test]
    fn if_none_match_compares_the_suffix_too() {
        let current = print(7, Some("1a2b"));
        assert_eq!(current, "W/\"7-1a2b\"");
        assert!(parsed(&current).names(&current));
        assert!(!parsed("W/\"7\"").names(&current));
        assert!(!parsed("W/\"7-ffff\"").names(&current));
        assert!(parsed("*").names(&current));
    }

    #[test]
    fn no_tag_or_too_many_are_refused() {
        assert!(Precondition::parse("").is_err());
        assert!(Precondition::parse(", ,").is_err());
        assert!(Precondition::parse(&"\"1\",".repeat(VERSION_TAGS + 1)).is_err());
    }
}
