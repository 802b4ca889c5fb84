//! Reads the body of a Bulk request.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::document;
use super::super::error::{ScimError, quoted};
use super::super::limits::Limits;
use super::super::schema::ResourceType;
use super::{BulkEntry, BulkMethod, BulkOperation, BulkRequest};

/// URN of the `BulkRequest` message.
pub const BULK_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// URN of the `BulkResponse` message.
pub const BULK_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// Longest `bulkId`, `method`, `path` or `version`, in bytes.
const FIELD_BYTES: usize = 1_024;

/// Reads a Bulk request.
///
/// Raises 400 `invalidSyntax` when the request as a whole has a wrong structure, and 413 when it has more operations
/// than `limits` allows. A faulty operation does not fail the request.
pub fn parse(body: Value, limits: &Limits) -> Result<BulkRequest, ScimError> {
    let mut operations = None;
    let mut fail_on_errors = None;
    for (key, value) in document::object(body)? {
        if key.eq_ignore_ascii_case("schemas") {
            check_schemas(&value)?;
        } else if key.eq_ignore_ascii_case("failOnErrors") {
            fail_on_errors = threshold(&value)?;
        } else if key.eq_ignore_ascii_case("Operations") {
            operations = Some(value);
        }
    }
    let Some(Value::Array(operations)) = operations else {
        return Err(ScimError::invalid_syntax("A Bulk request must have an array \"Operations\"."));
    };
    if operations.is_empty() {
        return Err(ScimError::invalid_syntax("\"Operations\" must not be empty."));
    }
    if operations.len() > limits.bulk_operations {
        let most = limits.bulk_operations;
        return Err(ScimError::too_large(format!("The request has more than {most} operations; send several requests.")));
    }
    let mut bulk_ids = HashSet::new();
    let operations = operations.into_iter().map(|value| entry(value, &mut bulk_ids)).collect();
    Ok(BulkRequest { fail_on_errors, operations })
}

fn check_schemas(value: &Value) -> Result<(), ScimError> {
    let listed = match value {
        Value::Null => true,
        Value::Array(urns) => {
            urns.iter().any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST_URN)))
        }
        _ => false,
    };
    if listed {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!("\"schemas\" of a Bulk request must list \"{BULK_REQUEST_URN}\".")))
    }
}

fn threshold(value: &Value) -> Result<Option<u64>, ScimError> {
    match value {
        Value::Null => Ok(None),
        // 0 would mean "stop before the first": taken as never, like an absent value.
        Value::Number(number) if number.is_u64() => Ok(number.as_u64().filter(|&number| number > 0)),
        _ => Err(ScimError::invalid_syntax("\"failOnErrors\" must be a whole number.")),
    }
}

fn entry(value: Value, bulk_ids: &mut HashSet<String>) -> BulkEntry {
    let Value::Object(members) = value else {
        let operation = Err(ScimError::invalid_syntax("An operation must be an object."));
        return BulkEntry { method: String::new(), bulk_id: None, operation };
    };
    let mut fields = Fields::default();
    let read = fields.read(members);
    let operation = read.and_then(|()| fields.operation(bulk_ids));
    BulkEntry { method: fields.method.unwrap_or_default(), bulk_id: fields.bulk_id, operation }
}

#[derive(Default)]
struct Fields {
    method: Option<String>,
    bulk_id: Option<String>,
    version: Option<String>,
    path: Option<String>,
    data: Option<Value>,
}

impl Fields {
    fn read(&mut self, members: Map<String, Value>) -> Result<(), ScimError> {
        for (key, value) in members {
            let slot = match key.to_ascii_lowercase().as_str() {
                "method" => &mut self.method,
                "bulkid" => &mut self.bulk_id,
                "version" => &mut self.version,
                "path" => &mut self.path,
                "data" => {
                    self.data = Some(value).filter(|value| !value.is_null());
                    continue;
                }
                _ => continue,
            };
            match value {
                Value::Null => {}
                Value::String(text) if text.len() <= FIELD_BYTES => *slot = Some(text),
                _ => {
                    let detail = format!("\"{}\" must be a string of at most {FIELD_BYTES} bytes.", quoted(&key));
                    return Err(ScimError::invalid_syntax(detail));
                }
            }
        }
        Ok(())
    }

    fn operation(&mut self, bulk_ids: &mut HashSet<String>) -> Result<BulkOperation, ScimError> {
        let method = match self.method.as_deref().unwrap_or_default() {
            name if name.eq_ignore_ascii_case("POST") => BulkMethod::Post,
            name if name.eq_ignore_ascii_case("PUT") => BulkMethod::Put,
            name if name.eq_ignore_ascii_case("PATCH") => BulkMethod::Patch,
            name if name.eq_ignore_ascii_case("DELETE") => BulkMethod::Delete,
            _ => return Err(ScimError::invalid_syntax("\"method\" must be POST, PUT, PATCH or DELETE.")),
        };
        let (resource_type, id) = target(self.path.as_deref().unwrap_or_default())?;
        match (method, &id) {
            (BulkMethod::Post, Some(_)) => return Err(ScimError::invalid_syntax("The \"path\" of a POST names no id.")),
            (BulkMethod::Put | BulkMethod::Patch | BulkMethod::Delete, None) => {
                return Err(ScimError::invalid_syntax("The \"path\" must end with the id of the resource."));
            }
            _ => {}
        }
        match (method, &self.bulk_id) {
            (BulkMethod::Post, None) => return Err(ScimError::invalid_syntax("A POST needs a \"bulkId\".")),
            (BulkMethod::Post, Some(bulk_id)) if !bulk_ids.insert(bulk_id.clone()) => {
                return Err(ScimError::invalid_value(format!("The bulkId \"{}\" is used twice.", quoted(bulk_id))));
            }
            _ => {}
        }
        let data = if method == BulkMethod::Delete { None } else { self.data.take() };
        if data.is_none() && method != BulkMethod::Delete {
            return Err(ScimError::invalid_syntax("The operation needs \"data\"."));
        }
        Ok(BulkOperation { method, resource_type, id, version: self.version.take(), data })
    }
}

/// `/Users` or `/Users/{id}`, with or without the slash at the start or end.
fn target(path: &str) -> Result<(ResourceType, Option<String>), ScimError> {
    let trimmed = path.trim_matches('/');
    let (endpoint, id) = trimmed.split_once('/').map_or((trimmed, None), |(endpoint, id)| (endpoint, Some(id)));
    let resource_type = ResourceType::ALL.into_iter().find(|resource_type| &resource_type.endpoint()[1..] == endpoint);
    match (resource_type, id.map(percent_decoded)) {
        (Some(resource_type), None) => Ok((resource_type, None)),
        (Some(resource_type), Some(Some(id))) if !id.contains('/') => Ok((resource_type, Some(id))),
        _ => Err(ScimError::invalid_syntax(format!("\"{}\" is not the path of a user or group.", quoted(path)))),
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
