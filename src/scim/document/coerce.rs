//! Brings one value into the form its attribute wants, or says why it cannot be.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::error::ScimError;
use super::super::limits::{EXTERNAL_ID_CHARACTERS, MEMBERS, NAME_CHARACTERS, STRING_BYTES, VALUES};
use super::super::schema::{AttributePath, Kind};
use super::super::time;
use super::kind_of;

/// Whether a multi-valued attribute may be given as something that is not an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Wrap {
    /// It must be an array.
    Nothing,
    /// One object stands for an array of one.
    Object,
}

/// Normalises the value of an attribute or sub-attribute; `None` when it is empty, which means: not present.
///
/// Raises 400 `invalidValue`.
pub(in super::super) fn coerce(path: AttributePath, value: Value, wrap: Wrap) -> Result<Option<Value>, ScimError> {
    if path.sub.is_some() || !path.attribute.multi_valued {
        return single(path, value);
    }
    match value {
        Value::Null => Ok(None),
        Value::Array(elements) => list(path, elements),
        Value::Object(_) if wrap == Wrap::Object => list(path, vec![value]),
        Value::String(text) if wrap == Wrap::Object && text.is_empty() => Ok(None),
        other => Err(refused(path, "an array", &other)),
    }
}

/// Normalises one element of a multi-valued complex attribute. Raises 400 `invalidValue`.
pub(in super::super) fn coerce_element(path: AttributePath, value: Value) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Null => Ok(None),
        Value::Object(parts) => complex(path, parts),
        other => Err(refused(path, "an array of objects", &other)),
    }
}

fn list(path: AttributePath, elements: Vec<Value>) -> Result<Option<Value>, ScimError> {
    let most = if path.is_core("members") { MEMBERS } else { VALUES };
    if elements.len() > most {
        return Err(ScimError::invalid_value(format!(
            "\"{path}\" has more than {most} values."
        )));
    }
    let mut values = Vec::with_capacity(elements.len());
    for element in elements {
        values.extend(coerce_element(path, element)?);
    }
    drop_repeated(&mut values);
    if values.iter().filter(|value| is_primary(value)).count() > 1 {
        return Err(ScimError::invalid_value(format!(
            "\"{path}\" has more than one value with \"primary\": true."
        )));
    }
    Ok((!values.is_empty()).then_some(Value::Array(values)))
}

/// Leaves the first of values that are equal in all their parts.
pub(in super::super) fn drop_repeated(values: &mut Vec<Value>) {
    let mut seen = HashSet::with_capacity(values.len());
    let first: Vec<bool> = values.iter().map(|value| seen.insert(value)).collect();
    let mut first = first.into_iter();
    values.retain(|_| first.next().unwrap_or(true));
}

/// Whether an element is the primary one.
pub(in super::super) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

fn single(path: AttributePath, value: Value) -> Result<Option<Value>, ScimError> {
    match (path.leaf().kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Boolean, value) => boolean(path, &value),
        (Kind::Integer, value) => integer(path, &value),
        (Kind::Complex, Value::Object(parts)) => complex(path, parts),
        (Kind::Complex, Value::String(text)) if path.attribute.value_sub_attribute().is_some() => {
            // Entra writes the manager as a bare id.
            complex(path, Map::from_iter([("value".to_owned(), Value::String(text))]))
        }
        (Kind::Complex, Value::Array(mut elements)) if elements.len() < 2 => match elements.pop() {
            // … and sometimes as an array of one.
            None => Ok(None),
            Some(Value::Array(inner)) => Err(refused(path, "an object", &Value::Array(inner))),
            Some(element) => single(path, element),
        },
        (Kind::Complex, other) => Err(refused(path, "an object", &other)),
        (_, Value::String(text)) => string(path, text),
        (kind, other) => Err(refused(path, &format!("a {}", kind.as_str()), &other)),
    }
}

fn complex(path: AttributePath, parts: Map<String, Value>) -> Result<Option<Value>, ScimError> {
    let mut normalised = Map::with_capacity(parts.len());
    for (key, value) in parts {
        let Some(sub) = path.attribute.sub_attribute(&key) else {
            continue;
        };
        if sub.is_read_only() {
            continue;
        }
        if let Some(value) = single(AttributePath { sub: Some(sub), ..path }, value)? {
            normalised.insert(sub.name.to_owned(), value);
        }
    }
    Ok((!normalised.is_empty()).then_some(Value::Object(normalised)))
}

fn string(path: AttributePath, text: String) -> Result<Option<Value>, ScimError> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains('\0') {
        return Err(ScimError::invalid_value(format!("\"{path}\" holds a NUL character.")));
    }
    let most = characters(path);
    if text.len() > STRING_BYTES || most.is_some_and(|most| text.chars().nth(most).is_some()) {
        let bound = most.map_or_else(|| format!("{STRING_BYTES} bytes"), |most| format!("{most} characters"));
        return Err(ScimError::invalid_value(format!("\"{path}\" is longer than {bound}.")));
    }
    let fits = match path.leaf().kind {
        Kind::DateTime => time::parse(&text).is_some(),
        Kind::Binary => is_base64(&text),
        _ => true,
    };
    if !fits {
        let kind = path.leaf().kind.as_str();
        return Err(ScimError::invalid_value(format!("\"{path}\" is not a valid {kind}.")));
    }
    Ok(Some(Value::String(text)))
}

/// The bound in characters, for the attributes that have one.
fn characters(path: AttributePath) -> Option<usize> {
    if path.is_core("userName") || path.is_core("displayName") {
        Some(NAME_CHARACTERS)
    } else if path.is_core("externalId") {
        Some(EXTERNAL_ID_CHARACTERS)
    } else {
        None
    }
}

/// Either alphabet of RFC 4648, padded or not, with line breaks as in PEM.
fn is_base64(text: &str) -> bool {
    let body = text.trim_end().trim_end_matches('=');
    body.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'\r' | b'\n'))
}

fn boolean(path: AttributePath, value: &Value) -> Result<Option<Value>, ScimError> {
    let truth = match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.is_empty() => return Ok(None),
        // Entra writes booleans as strings.
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    truth
        .map(|truth| Some(truth.into()))
        .ok_or_else(|| refused(path, "true or false", value))
}

fn integer(path: AttributePath, value: &Value) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Number(number) if number.is_i64() => Ok(Some(value.clone())),
        Value::String(text) if text.is_empty() => Ok(None),
        other => Err(refused(path, "a whole number", other)),
    }
}

fn refused(path: AttributePath, wanted: &str, value: &Value) -> ScimError {
    ScimError::invalid_value(format!("\"{path}\" must be {wanted}, not {}.", kind_of(value)))
}
