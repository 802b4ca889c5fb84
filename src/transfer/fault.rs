//! What is wrong with a record, and where.

use serde::Serialize;

/// Most characters of a value that a report repeats.
const VALUE_CHARACTERS: usize = 80;

/// Something that stands against a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The line of the file, from 1; with a directory that is asked live, the place in its answer.
    pub line: u64,
    /// The attribute it is about, as SCIM calls it.
    pub attribute: Option<String>,
    /// The value, cut after 80 characters.
    pub value: Option<String>,
    /// Why, for a person.
    pub reason: String,
}

impl Fault {
    /// A fault of a whole line.
    pub fn of_line(line: u64, reason: impl Into<String>) -> Self {
        Self {
            line,
            attribute: None,
            value: None,
            reason: reason.into(),
        }
    }

    /// A fault of one value.
    pub fn of_value(line: u64, attribute: &str, value: &str, reason: impl Into<String>) -> Self {
        Self {
            line,
            attribute: Some(attribute.to_owned()),
            value: Some(cut(value)),
            reason: reason.into(),
        }
    }
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARACTERS) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}
