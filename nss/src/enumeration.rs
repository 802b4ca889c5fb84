//! `getpwent`, `getgrent`, `getspent`: one walk a process, over the map or over pages of the service; never a partial list that looks complete.

use crate::lookup::{Give, Outcome, State, shadow};
use crate::map::{Database, Map};
use crate::plugin::{Answer, Question};
use crate::record::{Kind, Record};
use std::sync::Arc;

/// Most pages of one walk: with 5000 records a page, five million.
const PAGES_MAX: usize = 1000;

/// Where a walk stands.
#[derive(Debug, Default)]
pub enum Walk {
    /// Not begun, or rewound.
    #[default]
    Start,
    /// In a mapping that is held until the end, so that the list is one list.
    Map(Arc<Map>, usize),
    /// In pages of the service.
    Pages(Pages),
    /// Past the last entry.
    End,
    /// Broken off: says so until it is rewound.
    Failed,
}

/// A page of the service's list, and how to get the next.
#[derive(Debug, Default)]
pub struct Pages {
    records: Vec<u8>,
    position: usize,
    next: Option<Vec<u8>>,
    fetched: usize,
}

impl Walk {
    /// Hands out the next entry of `database`. An entry that does not fit is handed out again.
    pub fn next(&mut self, state: &State, database: Database, give: Give<'_>) -> Outcome {
        if matches!(self, Self::Start) {
            *self = match Self::begin(state) {
                Ok(walk) => walk,
                Err(outcome) => return outcome,
            };
        }
        let outcome = match self {
            Self::Map(map, index) => step_in_map(map, index, database, give),
            Self::Pages(pages) => pages.step(state, database, give),
            Self::End => return Outcome::NotFound,
            Self::Start | Self::Failed => return Outcome::CannotKnow,
        };
        match outcome {
            Outcome::NotFound => *self = Self::End,
            Outcome::CannotKnow => *self = Self::Failed,
            _ => {}
        }
        outcome
    }

    /// Hands out the next shadow entry; users whose entry is gone in between are left out.
    pub fn next_shadow(&mut self, state: &State, give: Give<'_>) -> Outcome {
        if !rustix::process::geteuid().is_root() {
            return Outcome::Denied;
        }
        // Looked up inside the step, which does not advance past an entry that does not fit.
        self.next(state, Database::Passwd, &mut |record| {
            shadow(state, record.name(), give)
        })
    }

    fn begin(state: &State) -> Result<Self, Outcome> {
        match state.map() {
            Some(map) if map.is_complete() => Ok(Self::Map(map, 0)),
            // The agent is loading: a part of the list must not look like all of it.
            Some(_) => Err(Outcome::CannotKnow),
            None if state.may_not_wait() => Err(Outcome::CannotKnow),
            None if state.enumerates()? => Ok(Self::Pages(Pages {
                next: Some(Vec::new()),
                ..Pages::default()
            })),
            None => Ok(Self::End),
        }
    }
}

fn step_in_map(map: &Map, index: &mut usize, database: Database, give: Give<'_>) -> Outcome {
    let wanted = if database == Database::Passwd {
        Kind::User
    } else {
        Kind::Group
    };
    while let Some((record, next)) = map.next(database, *index) {
        let outcome = if record.kind() == wanted {
            give(&record)
        } else {
            Outcome::Broken
        };
        match outcome {
            // A record that is no good is skipped: one bad row must not break the list.
            Outcome::Broken | Outcome::NotFound => *index = next,
            Outcome::Found => {
                *index = next;
                return Outcome::Found;
            }
            other => return other,
        }
    }
    Outcome::NotFound
}

impl Pages {
    fn step(&mut self, state: &State, database: Database, give: Give<'_>) -> Outcome {
        loop {
            while let Some(record) = self.records.get(self.position..).and_then(Record::parse) {
                let length = record.bytes().len();
                match give(&record) {
                    Outcome::Broken | Outcome::NotFound => self.position += length,
                    Outcome::Found => {
                        self.position += length;
                        return Outcome::Found;
                    }
                    other => return other,
                }
            }
            let Some(after) = self.next.take() else {
                return Outcome::NotFound;
            };
            self.fetched += 1;
            if self.fetched > PAGES_MAX {
                return Outcome::CannotKnow;
            }
            let question = if database == Database::Passwd {
                Question::Users
            } else {
                Question::Groups
            };
            self.records.clear();
            self.position = 0;
            let [records, next] = [&mut self.records, &mut Vec::new()];
            let answer = state.ask_with(question, &after, 0, &mut |is_cursor, bytes| {
                if is_cursor {
                    next.extend_from_slice(bytes);
                } else {
                    records.extend_from_slice(bytes);
                }
            });
            self.next = (!next.is_empty()).then(|| std::mem::take(next));
            match answer {
                Ok(Answer::Found) => {}
                Ok(Answer::None) => return Outcome::NotFound,
                Ok(Answer::Unknown | Answer::Local) => return Outcome::CannotKnow,
                Ok(Answer::Unconfigured) => return Outcome::Denied,
                Err(outcome) => return outcome,
            }
        }
    }
}
