//! Rows on their way into the staging tables, as `api.import_stage` takes them: JSON with the columns of the tables.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::fold::KEY_VERSION;
use crate::transfer::{self, Entry};

/// Some records of a file.
#[derive(Debug, Default, Serialize)]
pub struct Batch {
    users: Vec<UserRow>,
    groups: Vec<GroupRow>,
    members: Vec<MemberRow>,
    names: Vec<NameRow>,
}

#[derive(Debug, Serialize)]
struct UserRow {
    number: i64,
    line: u64,
    id: Uuid,
    id_given: bool,
    user_name_key: String,
    external_id: Option<String>,
    display_name_key: Option<String>,
    posix_name: Option<String>,
    uid: Option<i64>,
    gid: Option<i64>,
    private_group: Option<bool>,
    home: Option<String>,
    shell: Option<String>,
    gecos: String,
    admin: bool,
    locked: bool,
    doc: Value,
    doc_key: Value,
    key_version: i16,
    emails: Vec<String>,
}

#[derive(Debug, Serialize)]
struct GroupRow {
    number: i64,
    line: u64,
    id: Uuid,
    id_given: bool,
    display_name_key: String,
    external_id: Option<String>,
    posix_name: Option<String>,
    gid: Option<i64>,
    doc: Value,
    doc_key: Value,
    key_version: i16,
}

#[derive(Debug, Serialize)]
struct MemberRow {
    number: i64,
    kind: &'static str,
    value: String,
    dn: Option<String>,
}

#[derive(Debug, Serialize)]
struct NameRow {
    dn: String,
    kind: &'static str,
    name: String,
}

impl Batch {
    /// Adds the `number`-th record of the file.
    pub fn add(&mut self, number: i64, entry: Entry) {
        match entry {
            Entry::User(user) => self.users.push(UserRow::of(number, *user)),
            Entry::Group(group) => self.add_group(number, *group),
            Entry::Name(name) => self.names.push(NameRow::of(name)),
            Entry::PassedOver | Entry::Warning(_) => {}
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.users.len() + self.groups.len() + self.members.len() + self.names.len()
    }

    fn add_group(&mut self, number: i64, group: transfer::Group) {
        let draft = group.draft;
        if let (Some(dn), Some(name)) = (group.dn, &draft.posix_name) {
            self.names.push(NameRow {
                dn,
                kind: kind(true),
                name: name.clone(),
            });
        }
        self.groups.push(GroupRow {
            number,
            line: group.line,
            id: group.id.unwrap_or_else(Uuid::now_v7),
            id_given: group.id.is_some(),
            display_name_key: draft.display_name_key,
            external_id: draft.external_id,
            posix_name: draft.posix_name,
            gid: draft.gid,
            doc: draft.doc,
            doc_key: draft.doc_key,
            key_version: KEY_VERSION,
        });
        self.members
            .extend(group.members.into_iter().map(|member| MemberRow::of(number, member)));
    }
}

impl UserRow {
    fn of(number: i64, user: transfer::User) -> Self {
        let draft = user.draft;
        Self {
            number,
            line: user.line,
            id: user.id.unwrap_or_else(Uuid::now_v7),
            id_given: user.id.is_some(),
            user_name_key: draft.user_name_key,
            external_id: draft.external_id,
            display_name_key: draft.display_name_key,
            posix_name: draft.posix_name,
            uid: draft.uid,
            gid: user.gid,
            private_group: user.private_group,
            home: draft.home,
            shell: draft.shell,
            gecos: draft.gecos.unwrap_or_default(),
            admin: draft.admin.unwrap_or(false),
            locked: draft.active == Some(false),
            doc: draft.doc,
            doc_key: draft.doc_key,
            key_version: KEY_VERSION,
            emails: draft.email_keys,
        }
    }
}

impl MemberRow {
    fn of(number: i64, member: transfer::Member) -> Self {
        let (kind, value, dn) = match member {
            transfer::Member::User(name) => ("user", name, None),
            transfer::Member::Group(name) => ("group", name, None),
            transfer::Member::Id(id) => ("id", id.to_ascii_lowercase(), None),
            transfer::Member::Dn(name) => (kind(name.is_group), name.name, Some(name.dn)),
        };
        Self {
            number,
            kind,
            value,
            dn,
        }
    }
}

impl NameRow {
    fn of(name: transfer::Name) -> Self {
        Self {
            dn: name.dn,
            kind: kind(name.is_group),
            name: name.name,
        }
    }
}

fn kind(is_group: bool) -> &'static str {
    if is_group { "group" } else { "user" }
}
