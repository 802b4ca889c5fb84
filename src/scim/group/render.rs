//! Group rows as SCIM documents.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::document::schemas;
use super::super::schema::{POSIX_GROUP, ResourceType};
use super::super::user::{location, meta};
use super::super::{Document, version};

/// A group as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    /// SCIM id.
    pub id: Uuid,
    /// The client-owned document, see [`super::GroupDraft::doc`].
    pub doc: Value,
    /// POSIX name.
    pub posix_name: String,
    /// POSIX id.
    pub gid: i64,
    /// When the group was created.
    pub created: Timestamp,
    /// When the group was last changed.
    pub last_modified: Timestamp,
    /// Version, counted up by every change.
    pub version: i64,
}

/// The group as an answer shows it, without its members: those are read and appended by the caller.
/// `base_url` is the URL of the SCIM service without a slash at its end.
pub fn render(row: &GroupRow, base_url: &str) -> Document {
    let mut document = body(row);
    let tag = version::print(row.version, None);
    document.insert(
        "meta".to_owned(),
        meta(
            ResourceType::Group,
            row.id,
            base_url,
            row.created,
            row.last_modified,
            &tag,
        ),
    );
    let mut rendered = Document::with_capacity(document.len() + 2);
    rendered.insert("schemas".to_owned(), schemas(ResourceType::Group, &document));
    rendered.insert("id".to_owned(), row.id.to_string().into());
    rendered.extend(document);
    rendered
}

/// The group, projected or not, as JSON text without its closing brace, so that the caller can append
/// `,"members":[` … `]}` piece by piece. `document` is what [`render`] made and has at least `schemas` and `id`.
pub fn render_head(document: &Document) -> String {
    let mut text = Value::Object(document.clone()).to_string();
    text.pop();
    text
}

/// One element of `members` as JSON text (RFC 7643 §4.2). `id` is the member's.
pub fn member_json(id: Uuid, is_group: bool, base_url: &str) -> String {
    let resource_type = if is_group {
        ResourceType::Group
    } else {
        ResourceType::User
    };
    json!({
        "value": id.to_string(),
        "$ref": location(base_url, resource_type, &id.to_string()),
        "type": resource_type.name(),
    })
    .to_string()
}

/// The normalised document that a PATCH of the group's attributes is applied to; it has no members.
pub fn to_document(row: &GroupRow) -> Document {
    let document = body(row);
    let mut normalised = Document::with_capacity(document.len() + 1);
    normalised.insert("schemas".to_owned(), schemas(ResourceType::Group, &document));
    normalised.extend(document);
    normalised
}

fn body(row: &GroupRow) -> Document {
    let mut document: Map<String, Value> = row.doc.as_object().cloned().unwrap_or_default();
    let extension = json!({"posixGroupName": row.posix_name, "posixGroupId": row.gid});
    document.insert(POSIX_GROUP.id.to_owned(), extension);
    document
}
