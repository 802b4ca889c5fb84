//! A group between its SCIM document and its database row.

mod render;

pub use render::{GroupRow, member_json, render, render_head, to_document};

use serde_json::{Map, Value};

use super::Document;
use super::error::{ScimError, quoted};
use super::limits::MEMBERS;
use super::schema::{POSIX_GROUP, ResourceType};
use super::user::{checked_name, folded, text};
use crate::fold::fold;
use crate::posix;

/// A member as a client names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRef {
    /// The id, as sent: whether it is one of ours is for the database to say.
    pub id: String,
    /// What the client says the member is; `None` when it does not say.
    pub kind: Option<ResourceType>,
}

/// What a client's document says about a group, ready for the database.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupDraft {
    /// `displayName`, as sent.
    pub display_name: String,
    /// `displayName`, folded.
    pub display_name_key: String,
    /// `externalId`.
    pub external_id: Option<String>,
    /// `posixGroupName`, when the client asks for one; `None` leaves the present name alone.
    pub posix_name: Option<String>,
    /// `posixGroupId`, when the client asks for one; `None` leaves the present id alone.
    pub gid: Option<i64>,
    /// `members`, without duplicates. Empty after a PATCH, whose members travel in [`super::patch::MembersChange`].
    pub members: Vec<MemberRef>,
    /// The client-owned document: everything but `schemas`, `members` and the POSIX extension.
    pub doc: Value,
    /// `doc` with every case-insensitive string folded.
    pub doc_key: Value,
}

impl GroupDraft {
    /// Splits a normalised document.
    ///
    /// Raises 400 `invalidValue` for a `displayName` that [`crate::fold::check_name`] refuses, a `posixGroupName` that
    /// [`posix::check_group_name`] refuses, and a member without an id.
    pub fn from_document(mut document: Document) -> Result<Self, ScimError> {
        // Taken out, not copied: there may be as many as a large body holds.
        let members = document.shift_remove("members").unwrap_or_default();
        let document = &document;
        let display_name = checked_name(document, "displayName")?;
        let extension = document.get(POSIX_GROUP.id);
        let posix_name = text(extension, "posixGroupName");
        if let Some(name) = &posix_name {
            posix::check_group_name(name).map_err(|fault| {
                ScimError::invalid_value(format!("\"posixGroupName\" \"{}\" is refused: {fault}.", quoted(name)))
            })?;
        }
        let doc: Map<String, Value> = document
            .iter()
            .filter(|(key, _)| *key != "schemas" && *key != POSIX_GROUP.id)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Ok(Self {
            display_name_key: fold(&display_name),
            display_name,
            external_id: document.get("externalId").and_then(Value::as_str).map(str::to_owned),
            posix_name,
            gid: extension
                .and_then(|extension| extension.get("posixGroupId"))
                .and_then(Value::as_i64),
            members: members_from(members, false)?,
            doc_key: Value::Object(folded(ResourceType::Group, &doc)),
            doc: Value::Object(doc),
        })
    }
}

/// Reads a list of members: an array of objects, or one object. `display` and `$ref` are ignored, duplicates dropped.
/// With `bare_ids`, strings count as ids, which is harmless where members are removed.
///
/// Raises 400 `invalidValue` for a member without an id and for more than [`MEMBERS`] members.
pub(super) fn members_from(value: Value, bare_ids: bool) -> Result<Vec<MemberRef>, ScimError> {
    let elements = match value {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::Array(elements) => elements,
        single => vec![single],
    };
    if elements.len() > MEMBERS {
        return Err(ScimError::invalid_value(format!(
            "\"members\" has more than {MEMBERS} values."
        )));
    }
    let mut seen = std::collections::HashSet::with_capacity(elements.len());
    let mut members = Vec::with_capacity(elements.len());
    for element in elements {
        let member = match element {
            Value::Null => continue,
            Value::String(id) if bare_ids => MemberRef { id, kind: None },
            Value::Object(parts) => member(&parts)?,
            _ => {
                return Err(ScimError::invalid_value(
                    "\"members\" must be an array of objects with a \"value\".",
                ));
            }
        };
        if seen.insert(member.id.clone()) {
            members.push(member);
        }
    }
    Ok(members)
}

fn member(parts: &Map<String, Value>) -> Result<MemberRef, ScimError> {
    let part = |name: &str| {
        let value = parts.get(name).or_else(|| {
            parts
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        });
        value.and_then(Value::as_str).filter(|text| !text.is_empty())
    };
    let Some(id) = part("value") else {
        return Err(ScimError::invalid_value(
            "A member must have a \"value\", the id of a user or group.",
        ));
    };
    if id.contains('\0') || id.len() > super::limits::EXTERNAL_ID_CHARACTERS {
        return Err(ScimError::invalid_value(format!(
            "\"{}\" is not the id of a member.",
            quoted(id)
        )));
    }
    let kind = part("type").and_then(|kind| {
        ResourceType::ALL
            .into_iter()
            .find(|t| t.name().eq_ignore_ascii_case(kind))
    });
    Ok(MemberRef {
        id: id.to_owned(),
        kind,
    })
}

#[cfg(test)]
mod tests;
