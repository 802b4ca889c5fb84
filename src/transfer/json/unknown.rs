//! Attributes that no schema has: SCIM passes them over without a word, but somebody's home under the wrong name must not go unseen.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::Fault;
use super::super::fault::Faults;
use crate::scim::schema::{ResourceType, Schema, Target};

/// Attributes that only files have: see `super::entry`.
const OF_FILES: [&str; 2] = ["privateGroup", "gecos"];

/// Most names that are told; a file of another service has as many as its schema.
const MOST_TOLD: usize = 1_000;

/// The names that were told, each at the first record that has it.
#[derive(Debug, Default)]
pub(super) struct Unknown(HashSet<String>);

impl Unknown {
    /// Warns of attributes of `body` that are passed over.
    pub(super) fn look(&mut self, resource: ResourceType, line: u64, body: &Map<String, Value>, faults: &mut Faults) {
        for (name, value) in body {
            match (resource.extension(name), value) {
                (Some(schema), Value::Object(members)) => {
                    for name in members.keys().filter(|name| !is_known(schema, name)) {
                        self.tell(line, name, faults);
                    }
                }
                (Some(_), _) => {}
                (None, _) if resource.attribute(name).is_some() => {}
                // With the URN of its schema before it.
                (None, _) if name.contains(':') && matches!(resource.resolve(name), Some(Target::Attribute(_))) => {}
                (None, _) => self.tell(line, name, faults),
            }
        }
    }

    fn tell(&mut self, line: u64, name: &str, faults: &mut Faults) {
        if self.0.len() < MOST_TOLD && !self.0.contains(name) {
            let reason = "there is no such attribute at this place; it is passed over, here and further on";
            if faults.warn(Fault::of_value(line, name, "", reason)) {
                self.0.insert(name.to_owned());
            }
        }
    }
}

fn is_known(schema: &Schema, name: &str) -> bool {
    schema.attribute(name).is_some() || OF_FILES.iter().any(|known| known.eq_ignore_ascii_case(name))
}
