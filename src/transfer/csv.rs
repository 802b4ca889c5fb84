//! Comma-separated values (RFC 4180): the first record names the columns.

use std::io::BufRead;

use serde_json::{Map, Value, json};

use super::accounts::{names, verbatim_gecos};
use super::fault::Faults;
use super::lines::Lines;
use super::record::number;
use super::{Entry, Fault, GROUP_LINE_BYTES, Group, LINE_BYTES, Member, Rules, Sink, User};
use crate::scim::schema::{POSIX_GROUP, POSIX_USER, ResourceType, WORKBENCH_USER};

/// The columns of users, in the order in which they are written.
pub(super) const USER_COLUMNS: [&str; 12] = [
    "userName",
    "posixUserName",
    "posixUserId",
    "posixGroupId",
    "privateGroup",
    "homeDirectory",
    "loginShell",
    "gecos",
    "displayName",
    "emails",
    "externalId",
    "flags",
];

/// The columns of groups, in the order in which they are written. Members are POSIX names; `@` marks a group.
pub(super) const GROUP_COLUMNS: [&str; 5] = ["displayName", "posixGroupName", "posixGroupId", "externalId", "members"];

/// Reads the heads and then record after record. Columns that are not there are told, and the others are read.
pub(super) fn read(rules: &Rules, input: &mut dyn BufRead, sink: &mut Sink<'_>) -> std::io::Result<()> {
    let limit = match rules.resource {
        ResourceType::User => LINE_BYTES,
        ResourceType::Group => GROUP_LINE_BYTES,
    };
    let mut lines = Lines::new(input, limit);
    let heads = match next_record(&mut lines)? {
        Next::End => Err(Fault::of_line(1, super::NO_RECORD)),
        Next::Record(line, fields) => Ok((line, heads(rules.resource, &fields))),
        Next::Bad(fault) | Next::Lost(fault) => Err(fault),
    };
    let heads = match heads {
        Ok((line, heads)) => {
            let mut faults = Faults::default();
            for fault in heads.iter().filter_map(|head| head.as_ref().err()) {
                faults.keep::<()>(Err(Fault::of_value(line, "column", &fault.name, fault.reason.as_str())));
            }
            let heads: Vec<_> = heads.into_iter().map(Result::ok).collect();
            let names = match rules.resource {
                ResourceType::User => ["userName", "posixUserName"],
                ResourceType::Group => ["displayName", "posixGroupName"],
            };
            let is_named = names.iter().any(|name| heads.contains(&Some(name)));
            // Without anybody's name there is nothing in the records to be told.
            if faults.tell(None, sink).is_break() || !is_named && heads.contains(&None) {
                return Ok(());
            }
            heads
        }
        Err(fault) => {
            let _ = sink(Err(fault));
            return Ok(());
        }
    };
    loop {
        let mut faults = Faults::default();
        let next = next_record(&mut lines)?;
        let is_last = matches!(next, Next::Lost(_));
        let entry = match next {
            Next::End => return Ok(()),
            Next::Record(_, fields) if fields.iter().all(String::is_empty) => continue,
            Next::Record(line, fields) if fields.len() != heads.len() => {
                let reason = format!(
                    "the record has {} fields and not {} as the heads",
                    fields.len(),
                    heads.len()
                );
                faults.keep(Err(Fault::of_line(line, reason)))
            }
            Next::Record(line, fields) => {
                let there = |column: &str| {
                    let at = heads.iter().position(|head| *head == Some(column))?;
                    fields.get(at).map(String::as_str)
                };
                let of = |column: &str| there(column).filter(|field| !field.is_empty());
                match rules.resource {
                    // Empty it is no other than a gecos field that is empty.
                    ResourceType::User => user(rules, line, there("gecos"), &of, &mut faults),
                    ResourceType::Group => group(rules, line, &of, &mut faults),
                }
            }
            Next::Bad(fault) | Next::Lost(fault) => faults.keep(Err(fault)),
        };
        if faults.tell(entry, sink).is_break() || is_last {
            return Ok(());
        }
    }
}

/// A head that names no column.
struct WrongHead {
    name: String,
    reason: String,
}

/// Which column each head names.
fn heads(resource: ResourceType, fields: &[String]) -> Vec<Result<&'static str, WrongHead>> {
    let known: &[&str] = match resource {
        ResourceType::User => &USER_COLUMNS,
        ResourceType::Group => &GROUP_COLUMNS,
    };
    let find = |(at, field): (usize, &String)| {
        let name = field.trim();
        let is = |other: &str| other.trim().eq_ignore_ascii_case(name);
        let reason = match known.iter().copied().find(|column| is(column)) {
            Some(column) if !fields.iter().take(at).any(|other| is(other)) => return Ok(column),
            Some(_) => "it is there twice".to_owned(),
            None => format!("there is no such column; there are {}", known.join(", ")),
        };
        Err(WrongHead {
            name: name.to_owned(),
            reason,
        })
    };
    fields.iter().enumerate().map(find).collect()
}

/// A number of a column: `None` when it is empty or told as a fault.
fn number_of<'a>(line: u64, column: &str, of: &dyn Fn(&str) -> Option<&'a str>, faults: &mut Faults) -> Option<i64> {
    of(column).and_then(|text| faults.keep(number(line, column, text)))
}

fn user<'a>(
    rules: &Rules,
    line: u64,
    gecos: Option<&str>,
    of: &dyn Fn(&str) -> Option<&'a str>,
    faults: &mut Faults,
) -> Option<Entry> {
    let uid = number_of(line, "posixUserId", of, faults);
    if rules.passes_over(uid) {
        return Some(Entry::PassedOver);
    }
    let user_name = match (of("userName"), of("posixUserName")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(name)) => rules.user_name(name),
        (None, None) => {
            return faults.keep(Err(Fault::of_line(
                line,
                "the record has neither userName nor posixUserName",
            )));
        }
    };
    let flags: Vec<&str> = of("flags").unwrap_or_default().split_whitespace().collect();
    for flag in flags.iter().filter(|flag| !matches!(**flag, "admin" | "locked")) {
        let reason = "there are the flags admin and locked";
        faults.keep::<()>(Err(Fault::of_value(line, "flags", flag, reason)));
    }
    let mut workbench = Map::from_iter([("admin".to_owned(), Value::Bool(flags.contains(&"admin")))]);
    if let Some(uid) = uid {
        workbench.insert("posixUserId".to_owned(), uid.into());
    }
    for attribute in ["posixUserName", "homeDirectory"] {
        if let Some(text) = of(attribute) {
            workbench.insert(attribute.to_owned(), text.into());
        }
    }
    let mut body = Map::from_iter([
        ("userName".to_owned(), Value::String(user_name)),
        ("active".to_owned(), Value::Bool(!flags.contains(&"locked"))),
        (WORKBENCH_USER.id.to_owned(), Value::Object(workbench)),
    ]);
    for attribute in ["displayName", "externalId"] {
        if let Some(text) = of(attribute) {
            body.insert(attribute.to_owned(), text.into());
        }
    }
    if let Some(shell) = of("loginShell") {
        body.insert(POSIX_USER.id.to_owned(), json!({"loginShell": shell}));
    }
    if let Some(list) = of("emails") {
        let emails: Vec<Value> = list
            .split_whitespace()
            .enumerate()
            .map(|(at, address)| {
                if at == 0 {
                    json!({"value": address, "primary": true})
                } else {
                    json!({"value": address})
                }
            })
            .collect();
        body.insert("emails".to_owned(), emails.into());
    }
    let gecos = gecos.and_then(|gecos| faults.keep(verbatim_gecos(line, gecos)));
    let gid = number_of(line, "posixGroupId", of, faults);
    let is_private = match of("privateGroup") {
        None => None,
        Some("yes") => Some(true),
        Some("no") => Some(false),
        Some(other) => faults.keep(Err(Fault::of_value(
            line,
            "privateGroup",
            other,
            "it must be yes or no",
        ))),
    };
    let is_numbered = uid.is_some() == of("posixUserId").is_some() && gid.is_some() == of("posixGroupId").is_some();
    let mut user = User::from_body(rules, line, body, faults)?;
    user.draft.gecos = gecos.or(user.draft.gecos);
    user.gid = gid;
    // Without one of its numbers nothing can be said of his private group.
    user.private_group = if is_numbered { is_private } else { Some(false) };
    Some(Entry::User(Box::new(user)))
}

fn group<'a>(rules: &Rules, line: u64, of: &dyn Fn(&str) -> Option<&'a str>, faults: &mut Faults) -> Option<Entry> {
    let gid = number_of(line, "posixGroupId", of, faults);
    if rules.passes_over(gid) {
        return Some(Entry::PassedOver);
    }
    let Some(name) = of("displayName").or_else(|| of("posixGroupName")) else {
        return faults.keep(Err(Fault::of_line(
            line,
            "the record has neither displayName nor posixGroupName",
        )));
    };
    let mut extension = Map::new();
    if let Some(gid) = gid {
        extension.insert("posixGroupId".to_owned(), gid.into());
    }
    if let Some(name) = of("posixGroupName") {
        extension.insert("posixGroupName".to_owned(), name.into());
    }
    let mut body = Map::from_iter([
        ("displayName".to_owned(), name.into()),
        (POSIX_GROUP.id.to_owned(), Value::Object(extension)),
    ]);
    if let Some(id) = of("externalId") {
        body.insert("externalId".to_owned(), id.into());
    }
    let mut group = Group::from_body(line, body, faults)?;
    group.members = names(of("members").unwrap_or_default())
        .map(|name| match name.strip_prefix('@') {
            Some(group) => Member::Group(group.to_owned()),
            None => Member::User(name),
        })
        .collect();
    Some(Entry::Group(Box::new(group)))
}

/// What comes next.
enum Next {
    /// A record: the line it begins on, and its fields.
    Record(u64, Vec<String>),
    /// Something that is none.
    Bad(Fault),
    /// Something that is none, and nobody can say where the next record begins.
    Lost(Fault),
    End,
}

/// The next record: lines are joined while a quotation is open.
fn next_record(lines: &mut Lines<'_>) -> std::io::Result<Next> {
    let first = lines.number() + 1;
    let mut text = String::new();
    let mut is_open = false;
    loop {
        match lines.next()? {
            None if text.is_empty() => return Ok(Next::End),
            None => return Ok(Next::Bad(Fault::of_line(first, "the quotation is never closed"))),
            Some(Err(fault)) => return Ok(Next::Bad(fault)),
            Some(Ok(line)) => {
                is_open ^= line.bytes().filter(|&byte| byte == b'"').count() % 2 == 1;
                text.push_str(line);
            }
        }
        let limit = lines.limit();
        if text.len() > limit {
            let reason = format!(
                "the record is longer than {limit} bytes: is a quotation never closed? What follows is not read"
            );
            return Ok(Next::Lost(Fault::of_line(first, reason)));
        }
        if !is_open {
            return Ok(match split(first, text.trim_end_matches('\r')) {
                Ok(fields) => Next::Record(first, fields),
                Err(fault) => Next::Bad(fault),
            });
        }
        text.push('\n');
    }
}

fn split(line: u64, text: &str) -> Result<Vec<String>, Fault> {
    let mut fields = vec![String::new()];
    let mut rest = text.chars().peekable();
    let mut quoted = false;
    while let Some(character) = rest.next() {
        let Some(field) = fields.last_mut() else { break };
        match character {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                field.push('"');
            }
            '"' if quoted => {
                quoted = false;
                if !matches!(rest.peek(), None | Some(',')) {
                    return Err(Fault::of_line(line, "something follows a closed quotation"));
                }
            }
            '"' if field.is_empty() => quoted = true,
            '"' => {
                return Err(Fault::of_line(
                    line,
                    "a quotation mark stands inside a field that is not quoted",
                ));
            }
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    Ok(fields)
}

/// A field of CSV as it is written (RFC 4180).
pub fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) || field.starts_with(' ') || field.ends_with(' ') {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
