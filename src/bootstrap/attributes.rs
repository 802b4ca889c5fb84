//! Where SCIM has what the keys of a bootstrap file say of users and groups.

use serde_json::{Map, Value, json};

use crate::scim::dialect::Dialect;
use crate::scim::document::normalise;
use crate::scim::error::ScimError;
use crate::scim::group::GroupDraft;
use crate::scim::schema::{POSIX_GROUP, POSIX_USER, ResourceType, SSH_PUBLIC_KEYS, WORKBENCH_USER};
use crate::scim::user::UserDraft;

/// Writes what `key` of a user says into a SCIM body.
pub(super) fn say_of_user(body: &mut Map<String, Value>, key: &str, value: &Value) {
    let (extension, name, value) = match key {
        "user-name" => (None, "userName", value.clone()),
        "display-name" => (None, "displayName", value.clone()),
        "external-id" => (None, "externalId", value.clone()),
        "locked" => (None, "active", json!(value != &Value::Bool(true))),
        "email" => {
            let address = json!([{"value": value, "primary": true, "type": "work"}]);
            (None, "emails", address)
        }
        "admin" => (Some(WORKBENCH_USER.id), "admin", value.clone()),
        "posix-name" => (Some(WORKBENCH_USER.id), "posixUserName", value.clone()),
        "uid" => (Some(WORKBENCH_USER.id), "posixUserId", value.clone()),
        "home" => (Some(WORKBENCH_USER.id), "homeDirectory", value.clone()),
        "shell" => (Some(POSIX_USER.id), "loginShell", value.clone()),
        "ssh-keys" => {
            let lines = value.as_array().into_iter().flatten();
            let keys: Vec<Value> = lines.map(|line| json!({"value": line})).collect();
            (Some(POSIX_USER.id), SSH_PUBLIC_KEYS, Value::Array(keys))
        }
        _ => return,
    };
    put(body, extension, name, value);
}

/// Writes what `key` of a group says into a SCIM body; members are no part of it.
pub(super) fn say_of_group(body: &mut Map<String, Value>, key: &str, value: &Value) {
    let (extension, name) = match key {
        "display-name" => (None, "displayName"),
        "external-id" => (None, "externalId"),
        "posix-name" => (Some(POSIX_GROUP.id), "posixGroupName"),
        "gid" => (Some(POSIX_GROUP.id), "posixGroupId"),
        _ => return,
    };
    put(body, extension, name, value.clone());
}

/// The draft of a body, or what a SCIM client would be told.
pub(super) fn user(body: Map<String, Value>) -> Result<UserDraft, ScimError> {
    UserDraft::from_document(&normalise(ResourceType::User, body, Dialect::Strict)?)
}

/// The same of a group.
pub(super) fn group(body: Map<String, Value>) -> Result<GroupDraft, ScimError> {
    GroupDraft::from_document(normalise(ResourceType::Group, body, Dialect::Strict)?)
}

fn put(body: &mut Map<String, Value>, extension: Option<&str>, name: &str, value: Value) {
    let place = match extension {
        None => body,
        Some(id) => match body.entry(id).or_insert_with(|| json!({})) {
            Value::Object(extension) => extension,
            _ => return,
        },
    };
    place.insert(name.to_owned(), value);
}
