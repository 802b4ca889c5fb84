//! One table of a bootstrap file: each key taken for what it must be, each fault noted with its line.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Fault, MAX_FAULTS};

/// What the value of a key must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Texts,
    Switch,
    /// A whole number from 0 to 4294967295.
    Number,
}

/// The keys of a table; those it cannot do without come first.
pub(super) struct Keys {
    pub(super) required: &'static [(&'static str, Kind)],
    pub(super) optional: &'static [(&'static str, Kind)],
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        self.required.iter().chain(self.optional).copied()
    }
}

/// Everything that is wrong with a file.
pub(super) struct Faults {
    /// Where each line ends, in bytes.
    ends: Vec<usize>,
    found: Vec<Fault>,
}

impl Faults {
    /// None yet, of this text.
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            ends: ends.map(|(at, _)| at).collect(),
            found: Vec::new(),
        }
    }

    /// The line of a byte, from 1.
    fn line(&self, byte: usize) -> usize {
        self.ends.partition_point(|end| *end < byte) + 1
    }

    pub(super) fn at(&mut self, byte: usize, message: impl Into<String>) {
        self.note(self.line(byte), message);
    }

    pub(super) fn note(&mut self, line: usize, message: impl Into<String>) {
        // One more than is told, so that it shows that there are more.
        if self.found.len() <= MAX_FAULTS {
            let message = message.into();
            self.found.push(Fault { line, message });
        }
    }

    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// All of them in the order of their lines, or `value` when there is none.
    pub(super) fn or<T>(mut self, value: T) -> Result<T, Vec<Fault>> {
        if self.found.is_empty() {
            return Ok(value);
        }
        let is_cut = self.found.len() > MAX_FAULTS;
        self.found.truncate(MAX_FAULTS);
        self.found.sort_by_key(|fault| fault.line);
        if let (true, Some(last)) = (is_cut, self.found.last()) {
            let message = format!("more than {MAX_FAULTS} faults; these are the first");
            self.found.push(Fault {
                line: last.line,
                message,
            });
        }
        Err(self.found)
    }
}

/// A table that has been read; its faults have been noted.
pub(super) struct Entry {
    /// Where it begins.
    line: usize,
    /// With their lines; without a value where it is not what it must be.
    values: BTreeMap<&'static str, (usize, Option<Value>)>,
}

impl Entry {
    /// Reads a table that may have `keys` and no others.
    pub(super) fn read(table: &Spanned<DeValue<'_>>, keys: &Keys, faults: &mut Faults) -> Option<Self> {
        let DeValue::Table(pairs) = table.get_ref() else {
            faults.at(table.span().start, "must be a table");
            return None;
        };
        let line = faults.line(table.span().start);
        let mut values = BTreeMap::new();
        for (key, value) in pairs {
            let Some((name, kind)) = keys.all().find(|(name, _)| *name == key.get_ref()) else {
                faults.at(
                    key.span().start,
                    unknown(key.get_ref(), keys.all().map(|(name, _)| name)),
                );
                continue;
            };
            let at = faults.line(key.span().start);
            let value = taken(kind, value.get_ref());
            if let Err(expected) = &value {
                faults.note(at, format!("{name} must be {expected}"));
            }
            values.insert(name, (at, value.ok()));
        }
        for (name, _) in keys.required {
            if !pairs.contains_key(*name) {
                faults.note(line, format!("{name} is missing"));
            }
        }
        Some(Self { line, values })
    }

    /// Where a key stands; where the table begins without it.
    pub(super) fn line(&self, key: &str) -> usize {
        self.values.get(key).map_or(self.line, |(line, _)| *line)
    }

    /// Every key with a value, and its line.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, usize, &Value)> {
        let pairs = self.values.iter();
        pairs.filter_map(|(key, (line, value))| Some((*key, *line, value.as_ref()?)))
    }

    /// Whether a key stands there, be its value right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)?.1.as_ref()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.value(key)?.as_str()
    }

    pub(super) fn number(&self, key: &str) -> Option<u32> {
        self.value(key)?.as_u64()?.try_into().ok()
    }

    pub(super) fn switch(&self, key: &str) -> Option<bool> {
        self.value(key)?.as_bool()
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let texts = self.value(key)?.as_array()?.iter().filter_map(Value::as_str);
        Some(texts.map(str::to_owned).collect())
    }
}

/// The tables of an array, each read; what is no such array is noted.
pub(super) fn entries(name: &str, value: &Spanned<DeValue<'_>>, keys: &Keys, faults: &mut Faults) -> Vec<Entry> {
    let DeValue::Array(tables) = value.get_ref() else {
        faults.at(value.span().start, format!("{name} must be written as [[{name}]]"));
        return Vec::new();
    };
    tables
        .iter()
        .filter_map(|table| Entry::read(table, keys, faults))
        .collect()
}

/// Notes what stands twice among the entries of one kind.
pub(super) fn once(name: &str, entries: &[Entry], faults: &mut Faults, key: impl Fn(&Entry) -> Option<String>) {
    let mut seen = HashMap::new();
    for entry in entries {
        let Some(value) = key(entry) else { continue };
        let line = entry.line(name);
        let message = |first: usize| format!("{name} {value:?} stands on line {first} already");
        if let Some(message) = seen.get(&value).copied().map(message) {
            faults.note(line, message);
        } else {
            seen.insert(value, line);
        }
    }
}

/// How many tables an array holds.
pub(super) fn length(root: &DeTable<'_>, name: &str) -> usize {
    let array = root.get(name).and_then(|value| value.get_ref().as_array());
    array.map_or(0, |array| array.len())
}

/// What is said of a key that is none of these.
pub(super) fn unknown(key: &str, known: impl Iterator<Item = &'static str>) -> String {
    let known: Vec<&str> = known.collect();
    format!("unknown key {key:?}, expected one of {}", known.join(", "))
}

/// The value as JSON, or what it must be.
fn taken(kind: Kind, value: &DeValue<'_>) -> Result<Value, String> {
    match (kind, value) {
        (Kind::Text, DeValue::String(text)) => Ok(Value::from(text.as_ref())),
        (Kind::Switch, DeValue::Boolean(is_on)) => Ok(Value::from(*is_on)),
        (Kind::Number, DeValue::Integer(number)) => within(number).map(Value::from).ok_or_else(|| {
            let most = u32::MAX;
            format!("a whole number from 0 to {most}, not {number}")
        }),
        (Kind::Texts, DeValue::Array(texts)) => texts
            .iter()
            .map(|text| text.get_ref().as_str().map(Value::from))
            .collect::<Option<Vec<Value>>>()
            .map(Value::Array)
            .ok_or_else(|| "a list of texts in quotes".to_owned()),
        (Kind::Text, _) => Err("a text in quotes".to_owned()),
        (Kind::Switch, _) => Err("true or false".to_owned()),
        (Kind::Number, _) => Err("a whole number".to_owned()),
        (Kind::Texts, _) => Err("a list of texts in quotes".to_owned()),
    }
}

fn within(number: &DeInteger<'_>) -> Option<u32> {
    u32::from_str_radix(number.as_str(), number.radix()).ok()
}
