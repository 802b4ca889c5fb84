//! What a bootstrap file says of the settings that the database keeps.

use toml::Spanned;
use toml::de::DeValue;

use super::entry::{Entry, Faults, Keys, Kind, entries, once, unknown};
use super::{Bootstrap, DeletionLimit, ReservedIds};
use crate::config;

/// Numbers that people may have.
const PEOPLE: std::ops::RangeInclusive<u32> = 1000..=2_147_352_575;

/// Most deletions and deactivations an hour that a limit may allow.
const MOST_PER_HOUR: u32 = 1_000_000;

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 200;

/// The arrays of the table.
const NAMES: [&str; 2] = ["reserved-ids", "deletion-limits"];

const RESERVED_IDS: Keys = Keys {
    required: &[("first", Kind::Number), ("last", Kind::Number), ("reason", Kind::Text)],
    optional: &[("hard", Kind::Switch)],
};

const DELETION_LIMIT: Keys = Keys {
    required: &[("token", Kind::Text), ("per-hour", Kind::Number)],
    optional: &[],
};

/// Reads the table `settings` into `bootstrap`; what is wrong is noted.
pub(super) fn read(value: &Spanned<DeValue<'_>>, bootstrap: &mut Bootstrap, faults: &mut Faults) {
    let DeValue::Table(table) = value.get_ref() else {
        faults.at(value.span().start, "settings must be a table");
        return;
    };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        match name {
            "reserved-ids" => {
                let read = entries("settings.reserved-ids", value, &RESERVED_IDS, faults);
                for entry in &read {
                    let found = reserved_ids(entry, &bootstrap.reserved_ids, faults);
                    bootstrap.reserved_ids.extend(found);
                }
            }
            "deletion-limits" => {
                let read = entries("settings.deletion-limits", value, &DELETION_LIMIT, faults);
                once("token", &read, faults, |entry| entry.text("token").map(str::to_owned));
                let read = read.iter().filter_map(|entry| deletion_limit(entry, faults));
                bootstrap.deletion_limits = read.collect();
            }
            _ if config::settings().any(|setting| setting.name == name) => faults.at(
                key.span().start,
                format!(
                    "{name} is a setting of the service: it belongs into its configuration file, environment or flags"
                ),
            ),
            _ => faults.at(key.span().start, unknown(name, NAMES.into_iter())),
        }
    }
}

fn reserved_ids(entry: &Entry, others: &[ReservedIds], faults: &mut Faults) -> Option<ReservedIds> {
    let (first, last) = (entry.number("first"), entry.number("last"));
    for (key, number) in [("first", first), ("last", last)] {
        if number.is_some_and(|number| !PEOPLE.contains(&number)) {
            let message = format!(
                "{key} must be a number that people may have, {} to {}",
                PEOPLE.start(),
                PEOPLE.end()
            );
            faults.note(entry.line(key), message);
        }
    }
    let reason = entry.text("reason")?.trim().to_owned();
    if !(1..=REASON_CHARACTERS).contains(&reason.chars().count()) {
        let message = format!("reason must have 1 to {REASON_CHARACTERS} characters");
        faults.note(entry.line("reason"), message);
    }
    let (first, last) = (first?, last?);
    if first > last {
        faults.note(entry.line("last"), format!("last must be {first} at least"));
    }
    if let Some(other) = others.iter().find(|other| first <= other.last && other.first <= last) {
        let message = format!("the numbers overlap those of line {}", other.line);
        faults.note(entry.line("first"), message);
    }
    Some(ReservedIds {
        line: entry.line("first"),
        first,
        last,
        hard: entry.switch("hard").unwrap_or(false),
        reason,
    })
}

fn deletion_limit(entry: &Entry, faults: &mut Faults) -> Option<DeletionLimit> {
    let (token, per_hour) = (entry.text("token"), entry.number("per-hour"));
    if token.is_some_and(|token| token.trim().is_empty()) {
        faults.note(entry.line("token"), "token must be the name or public id of one");
    }
    if per_hour.is_some_and(|most| most > MOST_PER_HOUR) {
        faults.note(
            entry.line("per-hour"),
            format!("per-hour must be {MOST_PER_HOUR} at most"),
        );
    }
    Some(DeletionLimit {
        line: entry.line("token"),
        token: token?.to_owned(),
        per_hour: per_hour?,
    })
}
