//! SCIM resources as JSON: a list response (RFC 7644 §3.4.2), an array, or one resource after the other.

mod once;
mod unknown;

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use once::{Once, note_if_twice};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use unknown::Unknown;

use super::accounts::verbatim_gecos;
use super::fault::Faults;
use super::lines::BYTE_ORDER_MARK;
use super::{Entry, Fault, Group, Member, Rules, Sink, User};
use crate::scim::schema::{POSIX_GROUP, POSIX_USER, ResourceType, Schema, Target, WORKBENCH_USER};

/// Most bytes of one resource: a group of a hundred thousand members has 7 MB.
pub const RESOURCE_BYTES: u64 = 32 * 1024 * 1024;

/// How many resources a list response has, on all its pages (RFC 7644 §3.4.2).
const TOTAL: &str = "totalResults";

/// Reads resource after resource.
pub(super) fn read(rules: &Rules, input: &mut dyn BufRead, sink: &mut Sink<'_>) -> std::io::Result<()> {
    let place = Place::default();
    let mut head = [0; BYTE_ORDER_MARK.len()];
    let read = fill(input, &mut head)?;
    let head = head.get(..read).unwrap_or_default();
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        let _ = sink(Err(Fault::of_line(1, "the file is UTF-16; it must be UTF-8")));
        return Ok(());
    }
    let mut input = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).chain(input);
    let reader = Counting {
        input: &mut input,
        place: &place,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let mut walk = Walk {
        rules,
        sink,
        place: &place,
        is_over: false,
        is_empty: true,
        records: 0,
        promised: None,
        unknown: Unknown::default(),
    };
    loop {
        place.bytes.set(0);
        match (&mut walk).deserialize(&mut deserializer) {
            _ if walk.is_over => return Ok(()),
            Ok(()) => walk.is_empty = false,
            Err(error) if error.is_eof() && place.is_blank.get() => {
                if walk.is_empty {
                    let _ = (walk.sink)(Err(Fault::of_line(place.line(), super::NO_RECORD)));
                }
                walk.count();
                return Ok(());
            }
            Err(error) if error.is_io() && place.bytes.get() <= RESOURCE_BYTES => return Err(error.into()),
            Err(error) => {
                let reason = if error.is_io() {
                    format!("the resource is larger than {RESOURCE_BYTES} bytes")
                } else {
                    format!("it is not JSON: {error}")
                };
                let _ = (walk.sink)(Err(Fault::of_line(place.line(), reason)));
                return Ok(());
            }
        }
        place.is_blank.set(true);
    }
}

/// Reads until `buffer` is full or the input ends; how much that was.
fn fill(input: &mut dyn BufRead, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Where the reader stands.
struct Place {
    feeds: Cell<u64>,
    bytes: Cell<u64>,
    is_blank: Cell<bool>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            feeds: Cell::new(0),
            bytes: Cell::new(0),
            is_blank: Cell::new(true),
        }
    }
}

impl Place {
    fn line(&self) -> u64 {
        self.feeds.get() + 1
    }
}

/// Counts lines, and refuses to feed a resource that is too large.
struct Counting<'a> {
    input: &'a mut dyn BufRead,
    place: &'a Place,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        let taken = buffer.get(..read).unwrap_or_default();
        let place = self.place;
        place.bytes.set(place.bytes.get() + read as u64);
        if place.bytes.get() > RESOURCE_BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        // The parser asks for one byte at a time.
        for byte in taken {
            place.feeds.set(place.feeds.get() + u64::from(*byte == b'\n'));
            place.is_blank.set(place.is_blank.get() && byte.is_ascii_whitespace());
        }
        Ok(read)
    }
}

/// Walks through lists without holding them.
struct Walk<'a, 's> {
    rules: &'a Rules,
    sink: &'a mut Sink<'s>,
    place: &'a Place,
    is_over: bool,
    /// Whether there was nothing yet, not even a list without resources.
    is_empty: bool,
    /// How many records there were.
    records: u64,
    /// The largest `totalResults` of a list response, and its line.
    promised: Option<(u64, u64)>,
    unknown: Unknown,
}

impl Walk<'_, '_> {
    /// Refuses some pages of an answer that has more of them (RFC 7644 §3.4.2.4): whoever is on the others would be lost without a word.
    fn count(&mut self) {
        let records = self.records;
        if let Some((total, line)) = self.promised.filter(|(total, _)| *total > records) {
            let reason = format!("the file holds {records} of {total} resources: fetch all pages");
            let fault = Fault::of_value(line, TOTAL, &total.to_string(), reason);
            let _ = (self.sink)(Err(fault));
        }
    }

    fn refuse(&mut self, reason: &str) -> ControlFlow<()> {
        let flow = (self.sink)(Err(Fault::of_line(self.place.line(), reason)));
        self.is_over = flow.is_break();
        flow
    }

    fn take(&mut self, resource: Map<String, Value>, twice: &[String]) -> ControlFlow<()> {
        let line = self.place.line();
        self.place.bytes.set(0);
        let mut faults = Faults::default();
        for name in twice {
            faults.keep::<()>(Err(Fault::of_value(line, name, "", "the attribute is there twice")));
        }
        self.unknown.look(self.rules.resource, line, &resource, &mut faults);
        let entry = entry(self.rules, line, resource, &mut faults);
        let flow = faults.tell(entry, self.sink);
        self.is_over = flow.is_break();
        flow
    }
}

impl<'de> DeserializeSeed<'de> for &mut Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a SCIM resource, a list response or an array of resources")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let mut twice = Vec::new();
        while let Some(value) = sequence.next_element_seed(Once { twice: &mut twice })? {
            self.records += 1;
            let flow = match value {
                Value::Object(resource) => self.take(resource, &std::mem::take(&mut twice)),
                _ => self.refuse("a resource must be an object"),
            };
            if flow.is_break() {
                return Err(A::Error::custom("enough"));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut resource = Map::new();
        let mut is_list = false;
        let mut twice = Vec::new();
        let mut seen = HashSet::new();
        let mut total = None;
        while let Some(key) = map.next_key::<String>()? {
            if key.eq_ignore_ascii_case("Resources") {
                is_list = true;
                map.next_value_seed(&mut *self)?;
            } else if key.eq_ignore_ascii_case(TOTAL) {
                let line = self.place.line();
                let value: Value = map.next_value()?;
                total = total.max(value.as_u64().map(|total| (total, line)));
                resource.insert(key, value);
            } else if is_list {
                map.next_value::<IgnoredAny>()?;
            } else {
                note_if_twice(&key, &mut seen, &mut twice);
                let value = map.next_value_seed(Once { twice: &mut twice })?;
                resource.insert(key, value);
            }
        }
        if is_list {
            // The first page that says so is named.
            if total.map(|(total, _)| total) > self.promised.map(|(total, _)| total) {
                self.promised = total;
            }
            return Ok(());
        }
        self.records += 1;
        if self.take(resource, &twice).is_break() {
            return Err(A::Error::custom("enough"));
        }
        Ok(())
    }
}

fn entry(rules: &Rules, line: u64, mut body: Map<String, Value>, faults: &mut Faults) -> Option<Entry> {
    let id = taken(&mut body, "id").and_then(|id| id.as_str()?.parse().ok());
    let extension = match rules.resource {
        ResourceType::User => POSIX_USER.id,
        ResourceType::Group => POSIX_GROUP.id,
    };
    let posix = body.iter().find(|(key, _)| key.eq_ignore_ascii_case(extension));
    let posix = posix.map(|(_, value)| value.clone()).unwrap_or_default();
    match rules.resource {
        ResourceType::User => {
            if rules.passes_over(number(rules.resource, &body, &WORKBENCH_USER, "posixUserId")) {
                return Some(Entry::PassedOver);
            }
            let gid = faults.keep(typed(line, &posix, "posixGroupId", "a whole number", Value::as_i64));
            let private = faults.keep(typed(line, &posix, "privateGroup", "true or false", Value::as_bool));
            let gecos = faults
                .keep(typed(line, &posix, "gecos", "a string", Value::as_str))
                .flatten();
            let gecos = gecos.and_then(|gecos| faults.keep(verbatim_gecos(line, gecos)));
            let mut user = User::from_body(rules, line, body, faults)?;
            user.id = id;
            user.draft.gecos = gecos.or(user.draft.gecos);
            // Without one of its numbers nothing can be said of his private group.
            let is_numbered = faults.is_empty() || gid.is_some() && user.draft.uid.is_some();
            user.gid = gid.flatten();
            user.private_group = if is_numbered { private.flatten() } else { Some(false) };
            Some(Entry::User(Box::new(user)))
        }
        ResourceType::Group => {
            if rules.passes_over(number(rules.resource, &body, &POSIX_GROUP, "posixGroupId")) {
                return Some(Entry::PassedOver);
            }
            let members = faults.keep(members(line, &taken(&mut body, "members").unwrap_or_default()));
            let mut group = Group::from_body(line, body, faults)?;
            group.id = id;
            group.members = members.unwrap_or_default();
            Some(Entry::Group(Box::new(group)))
        }
    }
}

/// Takes an attribute out of `body`, compared without case (RFC 7643 §2.1).
fn taken(body: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = body.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    body.shift_remove(&key)
}

/// The number that the reader will find under `attribute` of `extension`, by whichever of its names.
fn number(
    resource: ResourceType,
    body: &Map<String, Value>,
    extension: &'static Schema,
    attribute: &str,
) -> Option<i64> {
    body.iter().find_map(|(key, value)| match resource.resolve(key)? {
        Target::Extension(schema) if schema == extension => {
            let mut members = value.as_object()?.iter();
            let is_it = |name: &str| schema.attribute(name).is_some_and(|found| found.name == attribute);
            members.find(|(name, _)| is_it(name))?.1.as_i64()
        }
        Target::Attribute(path) if path.extension == Some(extension) && key.contains(':') => {
            (path.attribute.name == attribute).then(|| value.as_i64())?
        }
        _ => None,
    })
}

/// An attribute that only files have, or that SCIM takes from no client: its type is for nobody else to check.
fn typed<'a, T>(
    line: u64,
    extension: &'a Value,
    attribute: &str,
    wanted: &str,
    of: impl Fn(&'a Value) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let mut members = extension.as_object().into_iter().flatten();
    match members.find(|(key, _)| key.eq_ignore_ascii_case(attribute)) {
        None | Some((_, Value::Null)) => Ok(None),
        Some((_, value)) => match of(value) {
            Some(typed) => Ok(Some(typed)),
            None => Err(Fault::of_value(
                line,
                attribute,
                &value.to_string(),
                format!("it must be {wanted}"),
            )),
        },
    }
}

/// The ids of `members`. Their number is bounded by the size of the resource alone: groups outgrow what one request takes.
fn members(line: u64, members: &Value) -> Result<Vec<Member>, Fault> {
    let id = |member: &Value| {
        let id = member.get("value").and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty() && !id.contains('\0'));
        id.map(|id| Member::Id(id.to_owned()))
            .ok_or_else(|| Fault::of_value(line, "members", &member.to_string(), "a member has no \"value\""))
    };
    match members {
        Value::Null => Ok(Vec::new()),
        Value::Array(elements) => elements.iter().map(id).collect(),
        single => Ok(vec![id(single)?]),
    }
}
