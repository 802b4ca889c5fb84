//! Bodies of the read API → checked values; a bad record in a list is skipped and counted, never the whole list.

use super::{CURSOR_MAX, Change, Changes, Group, Initgroups, Refused, Shadow, SnapshotPage, User};
use crate::record::Key;
use crate::rules::{GIDS_MAX, IdRange, is_field};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    // serde would take an array for a struct, field by field.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refused::Form);
    }
    serde_json::from_slice(body).map_err(|_| Refused::Form)
}

/// The records of a list that can be read, and how many could not.
fn each<T: DeserializeOwned>(
    raw: &[&RawValue],
    check: impl Fn(T) -> Result<T, Refused>,
    skipped: &mut usize,
) -> Vec<T> {
    let mut good = Vec::with_capacity(raw.len());
    for text in raw {
        match serde_json::from_str::<T>(text.get())
            .map_err(|_| Refused::Form)
            .and_then(&check)
        {
            Ok(value) => good.push(value),
            Err(_) => *skipped += 1,
        }
    }
    good
}

fn is_cursor(text: &str) -> bool {
    !text.is_empty() && text.len() <= CURSOR_MAX && text.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

fn checked_next(next: Option<String>) -> Result<Option<String>, Refused> {
    match next {
        Some(next) if !is_cursor(&next) => Err(Refused::Value),
        next => Ok(next),
    }
}

/// `/passwd` or `/user` for `key`: the user, gids and groups where told.
pub fn user(body: &[u8], key: &Key<'_>, range: IdRange) -> Result<User, Refused> {
    #[derive(Deserialize)]
    struct Body {
        passwd: Option<User>,
        user: Option<User>,
    }
    let body: Body = parse(body)?;
    let user = body.user.or(body.passwd).ok_or(Refused::Form)?.checked(range)?;
    if user.answers(key) {
        Ok(user)
    } else {
        Err(Refused::Other)
    }
}

/// `/group` for `key`; the members must be told.
pub fn group(body: &[u8], key: &Key<'_>, range: IdRange) -> Result<Group, Refused> {
    #[derive(Deserialize)]
    struct Body {
        group: Group,
    }
    let group = parse::<Body>(body)?.group.checked(range)?;
    if group.members.is_none() {
        return Err(Refused::Form);
    }
    if group.answers(key) {
        Ok(group)
    } else {
        Err(Refused::Other)
    }
}

/// `/shadow` for `name`.
pub fn shadow(body: &[u8], name: &[u8]) -> Result<Shadow, Refused> {
    #[derive(Deserialize)]
    struct Body {
        shadow: Shadow,
    }
    let shadow = parse::<Body>(body)?.shadow;
    if shadow.name.as_bytes() != name {
        return Err(Refused::Other);
    }
    if is_field(&shadow.password) && !shadow.password.is_empty() {
        Ok(shadow)
    } else {
        Err(Refused::Value)
    }
}

/// `/initgroups` for `name`.
pub fn initgroups(body: &[u8], name: &[u8], range: IdRange) -> Result<Initgroups, Refused> {
    #[derive(Deserialize)]
    struct Body {
        initgroups: Initgroups,
    }
    let initgroups = parse::<Body>(body)?.initgroups;
    if initgroups.name.as_bytes() != name {
        return Err(Refused::Other);
    }
    let good = initgroups.gids.len() <= GIDS_MAX && initgroups.gids.iter().all(|&gid| range.contains(gid));
    if good { Ok(initgroups) } else { Err(Refused::Value) }
}

#[derive(Deserialize)]
struct Entries<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
    next: Option<String>,
}

/// A page of `/passwd`: the users, and the cursor of the next page.
pub fn entries_of_users(body: &[u8], range: IdRange) -> Result<(Vec<User>, Option<String>), Refused> {
    let page: Entries<'_> = parse(body)?;
    let users = each(&page.entries, |user: User| user.checked(range), &mut 0);
    Ok((users, checked_next(page.next)?))
}

/// A page of `/group`: the groups, and the cursor of the next page.
pub fn entries_of_groups(body: &[u8], range: IdRange) -> Result<(Vec<Group>, Option<String>), Refused> {
    let page: Entries<'_> = parse(body)?;
    let groups = each(&page.entries, |group: Group| group.checked(range), &mut 0);
    Ok((groups, checked_next(page.next)?))
}

/// A page of `/snapshot`.
pub fn snapshot(body: &[u8], range: IdRange) -> Result<SnapshotPage, Refused> {
    #[derive(Deserialize)]
    struct Body<'a> {
        epoch: String,
        cursor: String,
        next: Option<String>,
        #[serde(borrow)]
        users: Vec<&'a RawValue>,
        #[serde(borrow)]
        groups: Vec<&'a RawValue>,
        #[serde(default)]
        age_ms: u64,
    }
    let body: Body<'_> = parse(body)?;
    if !is_cursor(&body.cursor) || !is_cursor(&body.epoch) {
        return Err(Refused::Value);
    }
    let mut skipped = 0;
    let users = each(
        &body.users,
        |user: User| user.checked(range).and_then(with_gids),
        &mut skipped,
    );
    let groups = each(
        &body.groups,
        |group: Group| group.checked(range).and_then(with_id),
        &mut skipped,
    );
    let next = checked_next(body.next)?;
    Ok(SnapshotPage {
        epoch: body.epoch,
        cursor: body.cursor,
        next,
        users,
        groups,
        skipped,
        age_ms: body.age_ms,
    })
}

fn with_gids(user: User) -> Result<User, Refused> {
    if user.gids.is_some() && is_cursor(&user.id) {
        Ok(user)
    } else {
        Err(Refused::Form)
    }
}

fn with_id(group: Group) -> Result<Group, Refused> {
    if is_cursor(&group.id) {
        Ok(group)
    } else {
        Err(Refused::Form)
    }
}

/// An answer of `/changes`.
pub fn changes(body: &[u8], range: IdRange) -> Result<Changes, Refused> {
    #[derive(Deserialize)]
    struct Body<'a> {
        epoch: String,
        cursor: String,
        more: bool,
        #[serde(borrow)]
        changes: Vec<&'a RawValue>,
        #[serde(default)]
        age_ms: u64,
    }
    let body: Body<'_> = parse(body)?;
    if !is_cursor(&body.cursor) || !is_cursor(&body.epoch) {
        return Err(Refused::Value);
    }
    let mut skipped = 0;
    let mut changes = Vec::with_capacity(body.changes.len());
    for text in &body.changes {
        match change(text.get(), range) {
            Ok(change) => changes.push(change),
            Err(_) => skipped += 1,
        }
    }
    Ok(Changes {
        epoch: body.epoch,
        cursor: body.cursor,
        more: body.more,
        changes,
        skipped,
        age_ms: body.age_ms,
    })
}

fn change(text: &str, range: IdRange) -> Result<Change, Refused> {
    #[derive(Deserialize)]
    struct Body {
        kind: String,
        id: String,
        user: Option<User>,
        group: Option<Group>,
    }
    let body: Body = serde_json::from_str(text).map_err(|_| Refused::Form)?;
    if !is_cursor(&body.id) {
        return Err(Refused::Value);
    }
    match body.kind.as_str() {
        "user" => {
            let user = body.user.map(|user| user.checked(range)).transpose()?;
            Ok(Change::User(body.id, user))
        }
        "group" => {
            let group = body.group.map(|group| group.checked(range)).transpose()?;
            Ok(Change::Group(body.id, group))
        }
        _ => Err(Refused::Form),
    }
}

fn error_word(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    parse::<Body>(body).ok().map(|body| body.error)
}

/// Whether the body of a 404 is the service's own "there is none", not some proxy's page.
pub fn is_not_found(body: &[u8]) -> bool {
    error_word(body).as_deref() == Some("not_found")
}

/// Whether the body of a 410 says that the cursor is gone.
pub fn is_cursor_gone(body: &[u8]) -> bool {
    error_word(body).as_deref() == Some("cursor_gone")
}
