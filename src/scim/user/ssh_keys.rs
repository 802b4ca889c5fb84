//! `sshPublicKeys` of a user: part of the client's document, under the POSIX extension.

use serde_json::{Map, Value};

use super::super::Document;
use super::super::error::{ScimError, quoted};
use super::super::schema::{POSIX_USER, SSH_PUBLIC_KEYS};
use super::{ResourceType, UserDraft, UserRow, folded};
use crate::ssh_key::{ALL_BYTES, KEYS, PublicKey};

/// The keys of a document, if it has any.
pub(super) fn of(document: &Document) -> Option<&Value> {
    document.get(POSIX_USER.id)?.get(SSH_PUBLIC_KEYS)
}

/// Puts keys into a document.
pub(super) fn put(document: &mut Document, keys: Value) {
    let extension = Map::from_iter([(SSH_PUBLIC_KEYS.to_owned(), keys)]);
    document.insert(POSIX_USER.id.to_owned(), Value::Object(extension));
}

/// The lines of the keys.
fn lines(keys: &Value) -> impl Iterator<Item = &str> {
    let keys = keys.as_array().into_iter().flatten();
    keys.map(|key| key.get("value").and_then(Value::as_str).unwrap_or_default())
}

/// Raises 400 `invalidValue` for what is no key, for more than [`KEYS`] and for more than [`ALL_BYTES`].
pub(super) fn check(keys: &Value) -> Result<(), ScimError> {
    if lines(keys).count() > KEYS {
        return Err(ScimError::invalid_value(format!(
            "\"{SSH_PUBLIC_KEYS}\" has more than {KEYS} values."
        )));
    }
    if lines(keys).map(str::len).sum::<usize>() > ALL_BYTES {
        return Err(ScimError::invalid_value(format!(
            "\"{SSH_PUBLIC_KEYS}\" holds more than {ALL_BYTES} bytes of keys."
        )));
    }
    for line in lines(keys) {
        PublicKey::parse(line).map_err(|fault| {
            let shown: String = line.chars().take(40).collect();
            let shown = quoted(&shown);
            ScimError::invalid_value(format!("\"{SSH_PUBLIC_KEYS}\" \"{shown}…\" is refused: {fault}."))
        })?;
    }
    Ok(())
}

impl UserDraft {
    /// The keys, each as a line of `authorized_keys`.
    pub fn ssh_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.doc.get(POSIX_USER.id).and_then(|posix| posix.get(SSH_PUBLIC_KEYS));
        keys.into_iter().flat_map(lines)
    }

    /// Raises 400 `invalidValue` for a key with options when the site allows none: they run commands and open ports.
    pub fn check_key_options(&self, allowed: bool) -> Result<(), ScimError> {
        let has_options = |line| PublicKey::parse(line).is_ok_and(|key| key.options.is_some());
        if allowed || !self.ssh_keys().any(has_options) {
            return Ok(());
        }
        let detail =
            format!("\"{SSH_PUBLIC_KEYS}\" has a key with options, which this site does not allow (ssh-key-options).");
        Err(ScimError::invalid_value(detail))
    }

    /// Takes over the keys of `present` when the draft says nothing of keys, as a PUT of most providers: a full sync must not
    /// lock people out of nodes.
    pub fn keep_ssh_keys(&mut self, present: &UserRow) {
        let Some(kept) = present
            .doc
            .get(POSIX_USER.id)
            .filter(|_| self.ssh_keys().next().is_none())
        else {
            return;
        };
        let kept = Document::from_iter([(POSIX_USER.id.to_owned(), kept.clone())]);
        if let (Value::Object(doc), Value::Object(doc_key)) = (&mut self.doc, &mut self.doc_key) {
            doc_key.extend(folded(ResourceType::User, &kept));
            doc.extend(kept);
        }
    }
}
