//! What a format could not hold: who moves out learns it from the export and not from the import.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::{GroupLine, UserLine, addresses, fits_in_csv};
use crate::scim::schema::{POSIX_USER, SSH_PUBLIC_KEYS};
use crate::transfer::Format;

/// Most attributes that are told apart; a document has fewer.
const MOST_TOLD: usize = 100;

/// Attributes that were left out, and of how many users or groups.
#[derive(Debug, Default)]
pub struct LeftOut(BTreeMap<String, u64>);

impl LeftOut {
    /// Whether the file holds everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts what `format` does not hold of a user.
    pub(super) fn user(&mut self, format: Format, user: &UserLine) {
        match format {
            Format::Json | Format::Ldif => {}
            Format::Csv => {
                self.document(&user.doc, &["userName", "displayName", "emails", "externalId"]);
                self.note("emails", addresses(&user.doc).any(|address| !fits_in_csv(address)));
                let has_types = user.doc.get("emails").is_some_and(|emails| {
                    let mut emails = emails.as_array().into_iter().flatten().enumerate();
                    emails.any(|(at, email)| !is_plain(at, email))
                });
                self.note("types of emails", has_types);
            }
            Format::Passwd | Format::Group => {
                self.document(&user.doc, &["userName", "displayName"]);
                let text = |name: &str| user.doc.get(name).and_then(Value::as_str);
                let full_name = user.gecos.split(',').next().unwrap_or_default().trim();
                self.note("userName", text("userName").is_some_and(|name| name != user.posix_name));
                self.note("displayName", text("displayName").is_some_and(|name| name != full_name));
                self.note("active", user.locked);
                self.note("admin", user.admin);
                self.note("privateGroup", user.private_group && user.gid != user.uid);
            }
        }
    }

    /// Counts what `format` does not hold of a group; the private group of a user has no document.
    pub(super) fn group(&mut self, format: Format, group: &GroupLine) {
        match format {
            Format::Json | Format::Ldif => {}
            Format::Csv => self.document(&group.doc, &["displayName", "externalId"]),
            Format::Passwd | Format::Group => {
                self.document(&group.doc, &["displayName"]);
                let name = group.doc.get("displayName").and_then(Value::as_str);
                self.note("displayName", name.is_some_and(|name| name != group.posix_name));
                // Whoever reads the file takes the line for a comment, as they do one that somebody has commented out.
                self.note("groups with # before their name", group.posix_name.starts_with('#'));
            }
        }
    }

    /// Counts every attribute of a document but those that the format holds.
    fn document(&mut self, doc: &Map<String, Value>, held: &[&str]) {
        for (name, value) in doc {
            match value {
                Value::Object(members) if name == POSIX_USER.id => {
                    self.note(SSH_PUBLIC_KEYS, members.contains_key(SSH_PUBLIC_KEYS));
                }
                _ => self.note(name, !held.contains(&name.as_str()) && name != "schemas"),
            }
        }
    }

    fn note(&mut self, name: &str, is_left_out: bool) {
        if is_left_out && (self.0.len() < MOST_TOLD || self.0.contains_key(name)) {
            *self.0.entry(name.to_owned()).or_default() += 1;
        }
    }
}

/// Whether an e-mail address is what the import makes of its value: the first one is primary.
fn is_plain(at: usize, email: &Value) -> bool {
    let mut members = email.as_object().into_iter().flatten();
    members.all(|(name, value)| match name.as_str() {
        "value" => true,
        "primary" => value.as_bool() == Some(at == 0),
        _ => false,
    })
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, count)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(formatter, "{comma}{name} of {count}")?;
        }
        Ok(())
    }
}
