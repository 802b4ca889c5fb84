//! User rows as SCIM documents.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::document::schemas;
use super::super::schema::{POSIX_USER, ResourceType, SSH_PUBLIC_KEYS, WORKBENCH_USER};
use super::super::{Document, time, version};
use super::ssh_keys;

/// A group that a user belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRef {
    /// SCIM id of the group.
    pub id: Uuid,
    /// Its display name.
    pub display: String,
}

/// A user as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserRow {
    /// SCIM id.
    pub id: Uuid,
    /// The client-owned document, see [`super::UserDraft::doc`].
    pub doc: Value,
    /// POSIX name.
    pub posix_name: String,
    /// POSIX user id.
    pub uid: i64,
    /// POSIX id of the primary group.
    pub primary_gid: i64,
    /// Home directory.
    pub home: String,
    /// Login shell; `None` for the site's default.
    pub shell: Option<String>,
    /// Whether the user is a Workbench administrator.
    pub admin: bool,
    /// Whether the user is locked.
    pub locked: bool,
    /// When the user was created.
    pub created: Timestamp,
    /// When the user was last changed.
    pub last_modified: Timestamp,
    /// Version, counted up by every change of the user.
    pub version: i64,
    /// When the user last signed in.
    pub last_sign_in: Option<Timestamp>,
    /// The groups, in the order in which they are shown; `None` when they were not read.
    pub groups: Option<Vec<GroupRef>>,
}

impl UserRow {
    /// The entity tag (see [`version::print`]). Groups and the last sign-in change without the version; when the groups
    /// were read, a hash over them and the last sign-in follows it.
    pub fn tag(&self) -> String {
        let Some(groups) = &self.groups else {
            return version::print(self.version, None);
        };
        if groups.is_empty() && self.last_sign_in.is_none() {
            return version::print(self.version, None);
        }
        let mut hash = Sha256::new();
        for group in groups {
            hash.update(group.id.as_bytes());
            hash.update((group.display.len() as u64).to_be_bytes());
            hash.update(group.display.as_bytes());
        }
        hash.update(self.last_sign_in.map_or(0, Timestamp::as_millisecond).to_be_bytes());
        let digest = hash.finalize();
        let suffix = digest
            .iter()
            .take(4)
            .fold(0_u32, |suffix, &byte| suffix << 8 | u32::from(byte));
        version::print(self.version, Some(&format!("{suffix:08x}")))
    }
}

/// The user as an answer shows it. `base_url` is the URL of the SCIM service without a slash at its end.
pub fn render(row: &UserRow, base_url: &str) -> Document {
    let mut document: Map<String, Value> = row.doc.as_object().cloned().unwrap_or_default();
    show_active(&mut document, row);
    if let Some(groups) = row.groups.as_ref().filter(|groups| !groups.is_empty()) {
        let groups = groups.iter().map(|group| group_json(group, base_url)).collect();
        document.insert("groups".to_owned(), Value::Array(groups));
    }
    let mut workbench = writable_workbench(row);
    workbench.insert("locked".to_owned(), row.locked.into());
    if let Some(time) = row.last_sign_in {
        workbench.insert("lastSignIn".to_owned(), time::print(time).into());
    }
    document.insert(WORKBENCH_USER.id.to_owned(), Value::Object(workbench));
    let mut posix = writable_posix(row, &document);
    posix.insert("posixGroupId".to_owned(), row.primary_gid.into());
    document.insert(POSIX_USER.id.to_owned(), Value::Object(posix));
    let meta = meta(
        ResourceType::User,
        row.id,
        base_url,
        row.created,
        row.last_modified,
        &row.tag(),
    );
    document.insert("meta".to_owned(), meta);
    let mut rendered = Document::with_capacity(document.len() + 2);
    rendered.insert("schemas".to_owned(), schemas(ResourceType::User, &document));
    rendered.insert("id".to_owned(), row.id.to_string().into());
    rendered.extend(document);
    rendered
}

/// The normalised document that a PATCH is applied to: all that a client may write.
pub fn to_document(row: &UserRow) -> Document {
    let mut document: Map<String, Value> = row.doc.as_object().cloned().unwrap_or_default();
    show_active(&mut document, row);
    document.insert(WORKBENCH_USER.id.to_owned(), Value::Object(writable_workbench(row)));
    let posix = writable_posix(row, &document);
    if !posix.is_empty() {
        document.insert(POSIX_USER.id.to_owned(), Value::Object(posix));
    }
    let mut normalised = Document::with_capacity(document.len() + 1);
    normalised.insert("schemas".to_owned(), schemas(ResourceType::User, &document));
    normalised.extend(document);
    normalised
}

/// Sets `active`, unless a client has removed it, see [`super::UserDraft::from_patched`].
fn show_active(document: &mut Document, row: &UserRow) {
    match document.get("active") {
        Some(Value::Null) => document.shift_remove("active"),
        _ => document.insert("active".to_owned(), (!row.locked).into()),
    };
}

fn writable_workbench(row: &UserRow) -> Map<String, Value> {
    Map::from_iter([
        ("admin".to_owned(), row.admin.into()),
        ("posixUserName".to_owned(), row.posix_name.as_str().into()),
        ("posixUserId".to_owned(), row.uid.into()),
        ("homeDirectory".to_owned(), row.home.as_str().into()),
    ])
}

/// What is in the document of the extension, and beside it.
fn writable_posix(row: &UserRow, document: &Document) -> Map<String, Value> {
    let shell = row
        .shell
        .as_deref()
        .map(|shell| ("loginShell".to_owned(), shell.into()));
    let keys = ssh_keys::of(document).map(|keys| (SSH_PUBLIC_KEYS.to_owned(), keys.clone()));
    shell.into_iter().chain(keys).collect()
}

fn group_json(group: &GroupRef, base_url: &str) -> Value {
    let id = group.id.to_string();
    let reference = location(base_url, ResourceType::Group, &id);
    json!({"value": id, "$ref": reference, "display": group.display, "type": "direct"})
}

/// The `meta` of a resource (RFC 7643 §3.1); `tag` is its entity tag.
pub fn meta(
    resource_type: ResourceType,
    id: Uuid,
    base_url: &str,
    created: Timestamp,
    last_modified: Timestamp,
    tag: &str,
) -> Value {
    json!({
        "resourceType": resource_type.name(),
        "created": time::print(created),
        "lastModified": time::print(last_modified),
        "location": location(base_url, resource_type, &id.to_string()),
        "version": tag,
    })
}

/// The absolute URL of a resource, its id percent-encoded (RFC 3986 §2.3).
pub fn location(base_url: &str, resource_type: ResourceType, id: &str) -> String {
    let mut url = String::with_capacity(base_url.len() + 48);
    url.push_str(base_url);
    url.push_str(resource_type.endpoint());
    url.push('/');
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            url.push('%');
            for nibble in [byte >> 4, byte & 15] {
                url.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
            }
        }
    }
    url
}
