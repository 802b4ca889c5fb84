//! Normalising what clients send into the one form in which documents are stored and compared (RFC 7643 §2).

mod coerce;

pub(super) use coerce::{Wrap, coerce, coerce_element, drop_repeated, is_primary};

use serde_json::{Map, Value};

use super::error::{ScimError, quoted};
use super::limits::DOCUMENT_BYTES;
use super::schema::{AttributePath, Kind, Mutability, ResourceType, Schema, Target};
use super::{Dialect, Document};

/// Normalises the body of a POST or PUT.
///
/// The result has canonical spelling and only attributes that a client may write, each of the right type and with a
/// value: `null`, `[]`, `""` and absent are one state. Values stay as sent. `schemas` is computed from the content.
/// Dropped without a word: readOnly attributes, unknown attributes and schema URNs, `password`.
/// Normalising twice is normalising once.
///
/// Raises 400 `invalidValue` for a value that does not fit its attribute, a missing required attribute or a limit, and
/// `invalidSyntax` when `schemas` lacks the URN of the core schema.
pub fn normalise(
    resource_type: ResourceType,
    body: Map<String, Value>,
    dialect: Dialect,
) -> Result<Document, ScimError> {
    let mut document = Document::new();
    for (key, value) in body {
        if key.eq_ignore_ascii_case("schemas") {
            check_schemas(resource_type, &value)?;
            continue;
        }
        match resource_type.resolve(&key) {
            Some(Target::Extension(schema)) => {
                for (path, value) in extension_entries(schema, value)? {
                    put(&mut document, path, value, dialect)?;
                }
            }
            // An extension's attribute counts only under its URN: Entra sends a null `department` beside it.
            Some(Target::Attribute(path)) if path.extension.is_none() || key.contains(':') => {
                put(&mut document, path, value, dialect)?;
            }
            Some(Target::Attribute(_) | Target::Resource) | None => {}
        }
    }
    finish(resource_type, document)
}

/// The attributes inside the object under an extension's URN; unknown ones are left out.
pub(super) fn extension_entries(
    schema: &'static Schema,
    value: Value,
) -> Result<Vec<(AttributePath, Value)>, ScimError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(entries) => Ok(entries
            .into_iter()
            .filter_map(|(key, value)| Some((extension_path(schema, &key)?, value)))
            .collect()),
        _ => Err(ScimError::invalid_value(format!(
            "\"{}\" must be an object.",
            schema.id
        ))),
    }
}

fn extension_path(schema: &'static Schema, key: &str) -> Option<AttributePath> {
    let (name, sub) = key.split_once('.').map_or((key, None), |(name, sub)| (name, Some(sub)));
    let attribute = schema.attribute(name)?;
    let sub = match sub {
        Some(sub) => Some(attribute.sub_attribute(sub)?),
        None => None,
    };
    Some(AttributePath {
        extension: Some(schema),
        attribute,
        sub,
    })
}

fn put(document: &mut Document, path: AttributePath, value: Value, dialect: Dialect) -> Result<(), ScimError> {
    if path.attribute.is_read_only() || path.leaf().is_read_only() {
        return Ok(());
    }
    // Passwords are not kept, not even for a moment in a document.
    if path.attribute.mutability == Mutability::WriteOnly {
        return Ok(());
    }
    // A flat key such as `emails.value` says of no element which one it means.
    if path.sub.is_some() && path.attribute.multi_valued {
        return Ok(());
    }
    let wrap = if dialect.wraps_emails_object() && path.is_core("emails") {
        Wrap::Object
    } else {
        Wrap::Nothing
    };
    let Some(value) = coerce(path, value, wrap)? else {
        return Ok(());
    };
    let owner = owner(document, path.extension);
    match (path.sub, value) {
        (Some(sub), value) => {
            let entry = owner
                .entry(path.attribute.name)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(parts) = entry {
                parts.insert(sub.name.to_owned(), value);
            }
        }
        (None, Value::Object(parts)) if path.attribute.kind == Kind::Complex => {
            let entry = owner
                .entry(path.attribute.name)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(present) = entry {
                present.extend(parts);
            }
        }
        (None, value) => {
            owner.insert(path.attribute.name.to_owned(), value);
        }
    }
    Ok(())
}

/// The object that holds an attribute: the document, or the object under an extension's URN, made when missing.
pub(super) fn owner<'a>(document: &'a mut Document, extension: Option<&'static Schema>) -> &'a mut Document {
    let Some(schema) = extension else { return document };
    let slot = document.entry(schema.id).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("the slot was just made an object"),
    }
}

fn check_schemas(resource_type: ResourceType, value: &Value) -> Result<(), ScimError> {
    let core = resource_type.core().id;
    let has_core = match value {
        Value::Null => true,
        Value::Array(urns) if urns.is_empty() => true,
        Value::Array(urns) => urns
            .iter()
            .any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(core))),
        _ => return Err(ScimError::invalid_syntax("\"schemas\" must be an array of URNs.")),
    };
    if has_core {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!(
            "\"schemas\" of a {resource_type} must list \"{core}\"."
        )))
    }
}

/// Drops empty objects, computes `schemas`, and checks required attributes and the size.
pub(super) fn finish(resource_type: ResourceType, mut document: Document) -> Result<Document, ScimError> {
    document.shift_remove("schemas");
    document.retain(|_, value| !matches!(value, Value::Object(parts) if parts.is_empty()));
    for attribute in resource_type
        .core()
        .attributes
        .iter()
        .filter(|attribute| attribute.required)
    {
        if !document.contains_key(attribute.name) {
            let name = attribute.name;
            return Err(ScimError::invalid_value(format!(
                "A {resource_type} must have a \"{name}\" that is not empty."
            )));
        }
    }
    let bytes: usize = document
        .iter()
        .filter(|(key, _)| *key != "members")
        .map(|(key, value)| key.len() + weight(value))
        .sum();
    if bytes > DOCUMENT_BYTES {
        return Err(ScimError::invalid_value(format!(
            "The {resource_type} is larger than {DOCUMENT_BYTES} bytes."
        )));
    }
    let mut finished = Document::with_capacity(document.len() + 1);
    finished.insert("schemas".to_owned(), schemas(resource_type, &document));
    finished.extend(document);
    Ok(finished)
}

/// The value of `schemas` for a document: the core schema and every extension that has content.
pub(super) fn schemas(resource_type: ResourceType, document: &Document) -> Value {
    let extensions = resource_type
        .extensions()
        .iter()
        .map(|schema| schema.id)
        .filter(|id| document.contains_key(*id));
    std::iter::once(resource_type.core().id)
        .chain(extensions)
        .map(Value::from)
        .collect()
}

/// About the number of bytes of a value as compact JSON.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => text.len() + 2,
        Value::Array(elements) => elements.iter().map(|element| weight(element) + 1).sum::<usize>() + 2,
        Value::Object(parts) => {
            parts
                .iter()
                .map(|(key, part)| key.len() + 4 + weight(part))
                .sum::<usize>()
                + 2
        }
    }
}

/// A request body that must be an object. Raises 400 `invalidSyntax`.
pub fn object(body: Value) -> Result<Map<String, Value>, ScimError> {
    match body {
        Value::Object(object) => Ok(object),
        other => Err(ScimError::invalid_syntax(format!(
            "The request body must be a JSON object, not {}.",
            quoted(kind_of(&other))
        ))),
    }
}

/// What kind of JSON value it is, for an error detail.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
