//! What is wrong with a record, and where.

use std::ops::ControlFlow;

use serde::Serialize;

use super::{Entry, Sink};

/// Most characters of a value that a report repeats.
const VALUE_CHARACTERS: usize = 80;

/// Most faults of one record that are told.
const FAULTS_OF_A_RECORD: usize = 20;

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

/// What is wrong with one record, and what is worth a warning, each up to a bound.
#[derive(Debug, Default)]
pub(super) struct Faults {
    wrong: Vec<Fault>,
    odd: Vec<Fault>,
}

impl Faults {
    /// The value of `outcome`, or `None`, and its fault is kept.
    pub(super) fn keep<T>(&mut self, outcome: Result<T, Fault>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(fault) => {
                if !self.is_full() && !self.wrong.contains(&fault) {
                    self.wrong.push(fault);
                }
                None
            }
        }
    }

    /// Keeps what stands against nothing, but should be known; whether there was room for it.
    pub(super) fn warn(&mut self, fault: Fault) -> bool {
        let has_room = self.odd.len() < FAULTS_OF_A_RECORD;
        if has_room && !self.odd.contains(&fault) {
            self.odd.push(fault);
        }
        has_room
    }

    /// Takes those of `others`.
    pub(super) fn extend(&mut self, others: Self) {
        for fault in others.wrong {
            self.keep::<()>(Err(fault));
        }
        for fault in others.odd {
            self.warn(fault);
        }
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Whether no further fault is told.
    pub(super) fn is_full(&self) -> bool {
        self.wrong.len() >= FAULTS_OF_A_RECORD
    }

    /// Gives `sink` every fault and warning, and the record as far as it could be read: its name and numbers may stand against others.
    pub(super) fn tell(self, entry: Option<Entry>, sink: &mut Sink<'_>) -> ControlFlow<()> {
        for fault in self.wrong {
            sink(Err(fault))?;
        }
        for fault in self.odd {
            sink(Ok(Entry::Warning(fault)))?;
        }
        entry.map_or(ControlFlow::Continue(()), |entry| sink(Ok(entry)))
    }
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARACTERS) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}
