//! The formats of `passwd(5)` and `group(5)`, as files and as `getent` prints them.

use serde_json::{Map, Value, json};

use super::lines::Lines;
use super::record::number;
use super::{Entry, Fault, Group, Member, Rules, Sink, User};
use crate::posix;
use crate::scim::schema::{POSIX_GROUP, POSIX_USER, WORKBENCH_USER};

/// Reads line after line; empty ones and comments are passed over.
pub(super) fn read(
    mut lines: Lines<'_>,
    sink: &mut Sink<'_>,
    parse: impl Fn(u64, &str) -> Result<Entry, Fault>,
) -> std::io::Result<()> {
    loop {
        let number = lines.number() + 1;
        let Some(line) = lines.next()? else { return Ok(()) };
        let entry = match line {
            Ok(text) if text.is_empty() || text.starts_with('#') => continue,
            Ok(text) if text.ends_with('\r') => Err(Fault::of_line(
                number,
                "the line ends with CR LF; it must end with LF alone",
            )),
            Ok(text) if text.starts_with(['+', '-']) => Err(Fault::of_line(
                number,
                "entries of NIS are not supported; use the output of getent",
            )),
            Ok(text) => parse(number, text),
            Err(fault) => Err(fault),
        };
        if sink(entry).is_break() {
            return Ok(());
        }
    }
}

/// `name:password:uid:gid:gecos:home:shell`; the password is not looked at.
pub(super) fn user(rules: &Rules, line: u64, text: &str) -> Result<Entry, Fault> {
    let [name, _, uid, gid, gecos, home, shell] = fields(line, text)?;
    let uid = number(line, "posixUserId", uid)?;
    if rules.passes_over(Some(uid)) {
        return Ok(Entry::PassedOver);
    }
    let gid = number(line, "posixGroupId", gid)?;
    let verbatim = verbatim_gecos(line, gecos)?;
    let mut workbench = json!({"posixUserName": name, "posixUserId": uid});
    if !home.is_empty() {
        workbench["homeDirectory"] = home.into();
    }
    let mut body = Map::from_iter([
        ("userName".to_owned(), Value::String(rules.user_name(name))),
        (WORKBENCH_USER.id.to_owned(), workbench),
    ]);
    // An empty field means /bin/sh (passwd(5)), not the site's default.
    let shell = if shell.is_empty() { "/bin/sh" } else { shell };
    body.insert(POSIX_USER.id.to_owned(), json!({"loginShell": shell}));
    let full_name = gecos.split(',').next().unwrap_or_default().trim();
    if !full_name.is_empty() {
        body.insert("displayName".to_owned(), full_name.into());
    }
    let mut user = User::from_body(rules, line, body)?;
    user.draft.gecos = Some(verbatim);
    user.gid = Some(gid);
    Ok(Entry::User(Box::new(user)))
}

/// `name:password:gid:member,…`; the password is not looked at.
pub(super) fn group(rules: &Rules, line: u64, text: &str) -> Result<Entry, Fault> {
    let [name, _, gid, members] = fields(line, text)?;
    let gid = number(line, "posixGroupId", gid)?;
    if rules.passes_over(Some(gid)) {
        return Ok(Entry::PassedOver);
    }
    let body = Map::from_iter([
        ("displayName".to_owned(), name.into()),
        (
            POSIX_GROUP.id.to_owned(),
            json!({"posixGroupName": name, "posixGroupId": gid}),
        ),
    ]);
    let mut group = Group::from_body(line, body)?;
    group.members = names(members).map(Member::User).collect();
    Ok(Entry::Group(Box::new(group)))
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
