//! A user or a group on its way in: the draft that SCIM would make of it, and what only files know.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::fault::Faults;
use super::{Fault, Rules};
use crate::posix;
use crate::scim::dialect::Dialect;
use crate::scim::document::normalise;
use crate::scim::error::ScimError;
use crate::scim::group::GroupDraft;
use crate::scim::schema::ResourceType;
use crate::scim::user::UserDraft;

/// What a reader found.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A user.
    User(Box<User>),
    /// A group.
    Group(Box<Group>),
    /// An account that is not wanted now, but that members may be named after.
    Name(Name),
    /// A record outside of the wanted numbers.
    PassedOver,
    /// Something that stands against no record, but should be known.
    Warning(Fault),
}

/// Which account a distinguished name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The distinguished name, see `directory::key`.
    pub dn: String,
    /// Whether it is a group.
    pub is_group: bool,
    /// The POSIX name.
    pub name: String,
}

/// A user on his way in.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Where he stands.
    pub line: u64,
    /// His SCIM id, where the file has one that is ours.
    pub id: Option<Uuid>,
    /// What SCIM says of him; `posix_name` is set.
    pub draft: UserDraft,
    /// His primary group; `None` for one of his own.
    pub gid: Option<i64>,
    /// Whether that is a group of his own; `None` when the file does not say.
    pub private_group: Option<bool>,
    /// His distinguished name, when he comes from a directory.
    pub dn: Option<String>,
}

/// A group on its way in.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Where it stands.
    pub line: u64,
    /// Its SCIM id, where the file has one that is ours.
    pub id: Option<Uuid>,
    /// What SCIM says of it; `posix_name` is set, `members` is empty.
    pub draft: GroupDraft,
    /// Its members.
    pub members: Vec<Member>,
    /// Its distinguished name, when it comes from a directory.
    pub dn: Option<String>,
}

/// A member, as the file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// A user by POSIX name.
    User(String),
    /// A group by POSIX name.
    Group(String),
    /// A user or group by SCIM id.
    Id(String),
    /// An entry of a directory; when the file does not hold it, the name in its first part counts.
    Dn(Name),
}

impl User {
    /// A user from a SCIM document, with names and numbers checked. Of a document with faults, what is good in it; `None` when
    /// it has no `userName`.
    pub(super) fn from_body(rules: &Rules, line: u64, body: Map<String, Value>, faults: &mut Faults) -> Option<Self> {
        let judge = |body| user_draft(rules, line, body);
        let mut draft = match judge(body.clone()) {
            Ok(draft) => draft,
            Err(fault) => sound(body, "userName", fault, judge, faults)?,
        };
        for address in draft.email_keys.iter().filter(|address| !is_address(address)) {
            let reason = "it is no e-mail address, which has an @ between two parts; it is taken as it is";
            faults.warn(Fault::of_value(line, "emails", address, reason));
        }
        let name = draft
            .posix_name
            .take()
            .unwrap_or_else(|| posix::derive_user_name(&draft.user_name));
        if rules.user_name_rule.is_match(&name) {
            draft.posix_name = Some(name);
        } else {
            let rule = rules.user_name_rule.as_str();
            let rule = rule
                .strip_prefix("^(?:")
                .and_then(|rule| rule.strip_suffix(")$"))
                .unwrap_or(rule);
            let reason = format!("it does not fit the rule {rule} (posix-user-name-rule)");
            faults.keep::<()>(Err(Fault::of_value(line, "posixUserName", &name, reason)));
            // Nobody's name, so that his numbers can be compared alone.
            draft.posix_name = Some(format!("(line {line})"));
        }
        Some(Self {
            line,
            id: None,
            draft,
            gid: None,
            private_group: None,
            dn: None,
        })
    }
}

impl Group {
    /// A group from a SCIM document, its members left out. Of a document with faults, what is good in it; `None` when it has no
    /// `displayName`.
    pub(super) fn from_body(line: u64, mut body: Map<String, Value>, faults: &mut Faults) -> Option<Self> {
        body.remove("members");
        let judge = |body| group_draft(line, body);
        let mut draft = match judge(body.clone()) {
            Ok(draft) => draft,
            Err(fault) => sound(body, "displayName", fault, judge, faults)?,
        };
        let name = draft
            .posix_name
            .get_or_insert_with(|| posix::derive_group_name(&draft.display_name));
        if name.trim().is_empty() {
            let fault = Fault::of_value(line, "posixGroupName", name, "it is blank");
            faults.keep::<()>(Err(fault));
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            let reason = "it is a number, which chgrp and others take for a gid where no group has the name";
            faults.warn(Fault::of_value(line, "posixGroupName", name, reason));
        }
        Some(Self {
            line,
            id: None,
            draft,
            members: Vec::new(),
            dn: None,
        })
    }
}

fn user_draft(rules: &Rules, line: u64, body: Map<String, Value>) -> Result<UserDraft, Fault> {
    let refused = |error: ScimError| refused(line, &error);
    let document = normalise(ResourceType::User, body, Dialect::Strict).map_err(refused)?;
    let draft = UserDraft::from_document(&document).map_err(refused)?;
    draft.check_key_options(rules.ssh_key_options).map_err(refused)?;
    Ok(draft)
}

fn group_draft(line: u64, body: Map<String, Value>) -> Result<GroupDraft, Fault> {
    let refused = |error: ScimError| refused(line, &error);
    let document = normalise(ResourceType::Group, body, Dialect::Strict).map_err(refused)?;
    GroupDraft::from_document(document).map_err(refused)
}

/// What `judge` makes of a body that it refuses as a whole (`fault`) when the attributes that it refuses on their own are left
/// out; each of those is told. `name`: the attribute without which nothing can be made.
fn sound<T>(
    body: Map<String, Value>,
    name: &str,
    fault: Fault,
    judge: impl Fn(Map<String, Value>) -> Result<T, Fault>,
    faults: &mut Faults,
) -> Option<T> {
    let (own, others): (Map<_, _>, Map<_, _>) = body.into_iter().partition(|(key, _)| key.eq_ignore_ascii_case(name));
    let mut found = Faults::default();
    let named = own.values().next().cloned().unwrap_or_default();
    let judged = judge(own.clone()).map_err(|fault| about(fault, name, &named));
    let is_named = found.keep(judged).is_some();
    let base = if is_named {
        own
    } else {
        Map::from_iter([(name.to_owned(), Value::from("name"))])
    };
    let mut good = base.clone();
    for (key, value) in others {
        // The attributes of an extension one by one.
        let pieces: Vec<Value> = match value {
            Value::Object(members) if key.contains(':') => {
                let piece = |member| Value::Object(Map::from_iter([member]));
                members.into_iter().map(piece).collect()
            }
            other => vec![other],
        };
        for piece in pieces {
            let mut alone = base.clone();
            alone.insert(key.clone(), piece.clone());
            let judged =
                judge(alone).map_err(
                    |fault| match piece.as_object().and_then(|members| members.iter().next()) {
                        Some((member, value)) if key.contains(':') => about(fault, member, value),
                        _ => about(fault, &key, &piece),
                    },
                );
            if found.is_full() || found.keep(judged).is_none() {
                continue;
            }
            match (good.get_mut(&key), piece) {
                (Some(Value::Object(there)), Value::Object(piece)) => there.extend(piece),
                (_, piece) => {
                    good.insert(key.clone(), piece);
                }
            }
        }
    }
    if found.is_empty() {
        found.keep::<()>(Err(fault));
    }
    faults.extend(found);
    is_named.then(|| judge(good).ok()).flatten()
}

/// Whether something has the shape of an e-mail address: RFC 5321 says more, which no store of addresses checks.
fn is_address(text: &str) -> bool {
    let has_parts = text
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    has_parts && !text.contains(char::is_whitespace)
}

/// A fault that names no attribute, as one of the attribute that was judged alone.
fn about(fault: Fault, attribute: &str, value: &Value) -> Fault {
    if fault.attribute.is_some() {
        return fault;
    }
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Fault::of_value(fault.line, attribute, &text, fault.reason)
}

/// A number as files write it: decimal digits, nothing else.
pub(super) fn number(line: u64, attribute: &str, text: &str) -> Result<i64, Fault> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number) if digits && number < u32::MAX => Ok(i64::from(number)),
        _ => Err(Fault::of_value(line, attribute, text, "it is not a POSIX id")),
    }
}

pub(super) fn refused(line: u64, error: &ScimError) -> Fault {
    Fault::of_line(line, error.detail.as_str())
}
