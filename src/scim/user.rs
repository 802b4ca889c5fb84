//! A user between its SCIM document and its database row.

mod render;
mod ssh_keys;

pub use render::{GroupRef, UserRow, location, meta, render, to_document};

use serde_json::{Map, Value};

use super::Document;
use super::error::{ScimError, quoted};
use super::schema::{Attribute, POSIX_USER, ResourceType, WORKBENCH_USER};
use crate::fold::{check_name, fold};
use crate::posix;

/// What a client's document says about a user, ready for the database.
///
/// Values that live in columns are options, and `None` means unchanged, never reset: a PUT that does not mention the
/// POSIX name, the ids, the home directory, the shell, `admin` or `active` leaves them alone, because the ownership of
/// files and the access of a person hang on them and most identity providers don't carry them.
#[derive(Debug, Clone, PartialEq)]
pub struct UserDraft {
    /// `userName`, as sent.
    pub user_name: String,
    /// `userName`, folded.
    pub user_name_key: String,
    /// `externalId`.
    pub external_id: Option<String>,
    /// `displayName`, as sent.
    pub display_name: Option<String>,
    /// `displayName`, folded.
    pub display_name_key: Option<String>,
    /// Values of `emails`, folded, without duplicates.
    pub email_keys: Vec<String>,
    /// The name for the gecos field, cleaned: `displayName`, else `name.formatted`, else given and family name.
    pub gecos: Option<String>,
    /// `posixUserName`, when the client asks for one. The site's rule for names is not checked here.
    pub posix_name: Option<String>,
    /// `posixUserId`, when the client asks for one.
    pub uid: Option<i64>,
    /// `homeDirectory`.
    pub home: Option<String>,
    /// `loginShell`.
    pub shell: Option<String>,
    /// `admin`.
    pub admin: Option<bool>,
    /// `active`.
    pub active: Option<bool>,
    /// The client-owned document: everything but what columns hold.
    pub doc: Value,
    /// `doc` with every case-insensitive string folded; times and case-exact strings stay as they are.
    pub doc_key: Value,
}

impl UserDraft {
    /// Splits a normalised document.
    ///
    /// Raises 400 `invalidValue` for a `userName` that [`check_name`] refuses, for paths that [`posix::check_home`] and
    /// [`posix::check_shell`] refuse, and for SSH keys that [`crate::ssh_key`] refuses.
    pub fn from_document(document: &Document) -> Result<Self, ScimError> {
        let user_name = checked_name(document, "userName")?;
        let workbench = document.get(WORKBENCH_USER.id);
        let home = text(workbench, "homeDirectory");
        let shell = text(document.get(POSIX_USER.id), "loginShell");
        check_path("homeDirectory", home.as_deref(), posix::check_home)?;
        check_path("loginShell", shell.as_deref(), posix::check_shell)?;
        let display_name = document.get("displayName").and_then(Value::as_str).map(str::to_owned);
        let mut doc: Map<String, Value> = document
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "schemas" | "active"))
            .filter(|(key, _)| *key != WORKBENCH_USER.id && *key != POSIX_USER.id)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if let Some(keys) = ssh_keys::of(document) {
            ssh_keys::check(keys)?;
            ssh_keys::put(&mut doc, keys.clone());
        }
        Ok(Self {
            user_name_key: fold(&user_name),
            user_name,
            external_id: document.get("externalId").and_then(Value::as_str).map(str::to_owned),
            display_name_key: display_name.as_deref().map(fold),
            gecos: gecos(document),
            display_name,
            email_keys: email_keys(document),
            posix_name: text(workbench, "posixUserName"),
            uid: workbench
                .and_then(|extension| extension.get("posixUserId"))
                .and_then(Value::as_i64),
            home,
            shell,
            admin: workbench
                .and_then(|extension| extension.get("admin"))
                .and_then(Value::as_bool),
            active: document.get("active").and_then(Value::as_bool),
            doc_key: Value::Object(folded(ResourceType::User, &doc)),
            doc: Value::Object(doc),
        })
    }

    /// Splits the result of a PATCH. `before` is the document it was applied to.
    ///
    /// An `admin` that the PATCH removed is `Some(false)`: whoever removes that attribute means to take the right away.
    /// An `active` that it removed is unassigned (RFC 7644 §3.5.2.2): the user stays locked or not, and `doc` remembers
    /// with a null that the attribute is not shown until a client sets it again.
    ///
    /// Raises what [`Self::from_document`] raises.
    pub fn from_patched(before: &Document, after: &Document) -> Result<Self, ScimError> {
        let mut draft = Self::from_document(after)?;
        let had_admin = before
            .get(WORKBENCH_USER.id)
            .is_some_and(|extension| extension.get("admin").is_some());
        if draft.admin.is_none() && had_admin {
            draft.admin = Some(false);
        }
        if let (None, Value::Object(doc)) = (draft.active, &mut draft.doc) {
            doc.insert("active".to_owned(), Value::Null);
        }
        Ok(draft)
    }
}

fn check_path(
    name: &str,
    path: Option<&str>,
    check: fn(&str) -> Result<(), posix::PosixFault>,
) -> Result<(), ScimError> {
    let Some(path) = path else { return Ok(()) };
    check(path)
        .map_err(|fault| ScimError::invalid_value(format!("\"{name}\" \"{}\" is refused: {fault}.", quoted(path))))
}

/// The name of a resource, which must be there and deceive nobody.
pub(super) fn checked_name(document: &Document, attribute: &str) -> Result<String, ScimError> {
    let name = document.get(attribute).and_then(Value::as_str).unwrap_or_default();
    check_name(name).map_err(|fault| ScimError::invalid_value(format!("\"{attribute}\" is refused: {fault}.")))?;
    Ok(name.to_owned())
}

/// A string inside an extension's object.
pub(super) fn text(extension: Option<&Value>, name: &str) -> Option<String> {
    extension?.get(name)?.as_str().map(str::to_owned)
}

fn email_keys(document: &Document) -> Vec<String> {
    let emails = document.get("emails").and_then(Value::as_array);
    let mut keys: Vec<String> = emails
        .into_iter()
        .flatten()
        .filter_map(|email| email.get("value")?.as_str())
        .map(fold)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn gecos(document: &Document) -> Option<String> {
    let name = document.get("name");
    let part = |key: &str| name.and_then(|name| name.get(key)).and_then(Value::as_str);
    let display_name = document.get("displayName").and_then(Value::as_str);
    let full = display_name
        .or_else(|| part("formatted"))
        .map(str::to_owned)
        .or_else(|| {
            let parts: Vec<&str> = [part("givenName"), part("familyName")].into_iter().flatten().collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        })?;
    Some(posix::gecos(&full)).filter(|gecos| !gecos.is_empty())
}

/// The document with every string folded whose attribute compares without case (RFC 7643 §2.2 `caseExact`).
pub(super) fn folded(resource_type: ResourceType, document: &Document) -> Document {
    let entries = document.iter().map(|(key, value)| {
        let value = match resource_type.extension(key) {
            Some(schema) => fold_parts(value, |name| schema.attribute(name)),
            None => match resource_type.attribute(key) {
                Some(attribute) => fold_value(attribute, value),
                None => value.clone(),
            },
        };
        (key.clone(), value)
    });
    entries.collect()
}

fn fold_value(attribute: &'static Attribute, value: &Value) -> Value {
    match value {
        Value::String(text) if attribute.folds() => fold(text).into(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| fold_element(attribute, element))
            .collect(),
        other => fold_element(attribute, other),
    }
}

fn fold_element(attribute: &'static Attribute, element: &Value) -> Value {
    match element {
        Value::Object(_) => fold_parts(element, |name| attribute.sub_attribute(name)),
        other => other.clone(),
    }
}

fn fold_parts(value: &Value, lookup: impl Fn(&str) -> Option<&'static Attribute>) -> Value {
    let Value::Object(parts) = value else {
        return value.clone();
    };
    let parts = parts.iter().map(|(key, part)| {
        let part = lookup(key).map_or_else(|| part.clone(), |attribute| fold_value(attribute, part));
        (key.clone(), part)
    });
    Value::Object(parts.collect())
}

#[cfg(test)]
mod tests;
