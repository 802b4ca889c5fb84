//! The formats of `passwd(5)` and `group(5)`, as files and as `getent` prints them.

use serde_json::{Map, Value, json};

use super::fault::Faults;
use super::lines::Lines;
use super::record::number;
use super::{Entry, Fault, Group, Member, Rules, Sink, User};
use crate::posix;
use crate::scim::schema::{POSIX_GROUP, POSIX_USER, WORKBENCH_USER};

/// Reads line after line; empty ones and comments are passed over. CR LF is taken for LF, with one warning.
pub(super) fn read(
    mut lines: Lines<'_>,
    sink: &mut Sink<'_>,
    parse: impl Fn(u64, &str, &mut Faults) -> Option<Entry>,
) -> std::io::Result<()> {
    let (mut is_empty, mut has_returns) = (true, false);
    loop {
        let number = lines.number() + 1;
        let Some(line) = lines.next()? else { break };
        let mut faults = Faults::default();
        let line = line.map(|text| match text.strip_suffix('\r') {
            Some(text) => {
                if !std::mem::replace(&mut has_returns, true) {
                    let reason = "the line ends with CR LF, and others may; it is taken for LF";
                    faults.warn(Fault::of_line(number, reason));
                }
                text
            }
            None => text,
        });
        let entry = match line {
            Ok(text) if text.is_empty() || text.starts_with('#') => None,
            Ok(text) if is_of_nis(text) => faults.keep(Err(Fault::of_line(
                number,
                "entries of NIS are not supported; use the output of getent",
            ))),
            Ok(text) => parse(number, text, &mut faults),
            Err(fault) => faults.keep(Err(fault)),
        };
        is_empty = is_empty && entry.is_none() && faults.is_empty();
        if faults.tell(entry, sink).is_break() {
            return Ok(());
        }
    }
    if is_empty {
        let _ = sink(Err(Fault::of_line(lines.number().max(1), super::NO_RECORD)));
    }
    Ok(())
}

/// Whether a line includes or excludes what NIS has (compat of nsswitch.conf(5)). A name may begin with the same signs, but has a number.
fn is_of_nis(text: &str) -> bool {
    let number = text.split(':').nth(2).unwrap_or_default();
    text.starts_with(['+', '-']) && (number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `name:password:uid:gid:gecos:home:shell`; the password is not looked at.
pub(super) fn user(rules: &Rules, line: u64, text: &str, faults: &mut Faults) -> Option<Entry> {
    let [name, _, uid, gid, gecos, home, shell] = faults.keep(fields(line, text))?;
    let uid = faults.keep(number(line, "posixUserId", uid));
    if uid.is_some() && rules.passes_over(uid) {
        return Some(Entry::PassedOver);
    }
    let gid = faults.keep(number(line, "posixGroupId", gid));
    let verbatim = faults.keep(verbatim_gecos(line, gecos));
    let mut workbench = json!({"posixUserName": name});
    if let Some(uid) = uid {
        workbench["posixUserId"] = uid.into();
    }
    if home.is_empty() {
        let reason = "the field is empty; he gets the home that the settings say";
        faults.warn(Fault::of_value(line, "homeDirectory", home, reason));
    } else {
        workbench["homeDirectory"] = home.into();
    }
    let mut body = Map::from_iter([
        ("userName".to_owned(), Value::String(rules.user_name(name))),
        (WORKBENCH_USER.id.to_owned(), workbench),
    ]);
    // An empty field means /bin/sh (passwd(5)), not the site's default.
    let shell = if shell.is_empty() {
        let reason = "the field is empty; /bin/sh is written, which passwd(5) says that it means";
        faults.warn(Fault::of_value(line, "loginShell", shell, reason));
        "/bin/sh"
    } else {
        shell
    };
    body.insert(POSIX_USER.id.to_owned(), json!({"loginShell": shell}));
    let full_name = gecos.split(',').next().unwrap_or_default().trim();
    if !full_name.is_empty() && verbatim.is_some() {
        body.insert("displayName".to_owned(), full_name.into());
    }
    let mut user = User::from_body(rules, line, body, faults)?;
    user.draft.gecos = verbatim;
    user.gid = gid;
    // Without one of its numbers nothing can be said of his private group.
    user.private_group = (uid.is_none() || gid.is_none()).then_some(false);
    Some(Entry::User(Box::new(user)))
}

/// `name:password:gid:member,…`; the password is not looked at.
pub(super) fn group(rules: &Rules, line: u64, text: &str, faults: &mut Faults) -> Option<Entry> {
    let [name, _, gid, members] = faults.keep(fields(line, text))?;
    let gid = faults.keep(number(line, "posixGroupId", gid));
    if gid.is_some() && rules.passes_over(gid) {
        return Some(Entry::PassedOver);
    }
    let mut extension = json!({"posixGroupName": name});
    if let Some(gid) = gid {
        extension["posixGroupId"] = gid.into();
    }
    let body = Map::from_iter([
        // Blanks around a POSIX name are its own; a `displayName` has none.
        ("displayName".to_owned(), name.trim().into()),
        (POSIX_GROUP.id.to_owned(), extension),
    ]);
    let mut group = Group::from_body(line, body, faults)?;
    group.members = names(members).map(Member::User).collect();
    Some(Entry::Group(Box::new(group)))
}

/// The names in a list, separated by commas.
pub(super) fn names(list: &str) -> impl Iterator<Item = String> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

/// The gecos field as it is, if it can be one.
pub(super) fn verbatim_gecos(line: u64, gecos: &str) -> Result<String, Fault> {
    let refuse = |reason| Err(Fault::of_value(line, "gecos", gecos, reason));
    if gecos.len() > posix::FIELD_BYTES {
        return refuse("it is longer than 255 bytes");
    }
    if gecos
        .chars()
        .any(|character| character == ':' || character.is_control())
    {
        return refuse("it holds a colon or a control character");
    }
    Ok(gecos.to_owned())
}

fn fields<const N: usize>(line: u64, text: &str) -> Result<[&str; N], Fault> {
    let mut parts = text.split(':');
    let mut fields = [""; N];
    for field in &mut fields {
        match parts.next() {
            Some(part) => *field = part,
            None => return Err(wrong_count(line, text, N)),
        }
    }
    if parts.next().is_some() {
        return Err(wrong_count(line, text, N));
    }
    Ok(fields)
}

fn wrong_count(line: u64, text: &str, wanted: usize) -> Fault {
    let found = text.split(':').count();
    Fault::of_line(
        line,
        format!("the line has {found} fields separated by colons instead of {wanted}"),
    )
}
