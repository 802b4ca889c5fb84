//! References to resources that other operations of the same request create: `bulkId:…` (RFC 7644 §3.7.2).

use serde_json::Value;

use super::super::error::{ScimError, quoted};
use super::{BULK_ID_PREFIX, BulkIds, BulkOperation};

/// The bulkId that a text refers to.
pub(super) fn referred(text: &str) -> Option<&str> {
    text.strip_prefix(BULK_ID_PREFIX)
}

/// Calls `visit` with every bulkId in a value. The value's depth is bounded by [`super::super::limits::check_depth`].
pub(super) fn visit<'a>(value: &'a Value, found: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => {
            if let Some(bulk_id) = referred(text) {
                found(bulk_id);
            }
            for_each_quoted(text, |bulk_id| found(bulk_id));
        }
        Value::Array(elements) => elements.iter().for_each(|element| visit(element, found)),
        Value::Object(parts) => parts.values().for_each(|part| visit(part, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The bulkIds of an operation: in its path and in its data.
pub(super) fn of_operation(operation: &BulkOperation) -> Vec<&str> {
    let mut found = Vec::new();
    found.extend(operation.id.as_deref().and_then(referred));
    if let Some(data) = &operation.data {
        visit(data, &mut |bulk_id| found.push(bulk_id));
    }
    found
}

/// References inside the filter of a PATCH path: `members[value eq "bulkId:…"]`.
fn for_each_quoted<'a>(text: &'a str, mut found: impl FnMut(&'a str)) {
    let mut rest = text;
    while let Some(start) = rest.find("\"bulkId:") {
        let after = &rest[start + 1 + BULK_ID_PREFIX.len()..];
        let Some(end) = after.find('"') else { return };
        found(&after[..end]);
        rest = &after[end + 1..];
    }
}

/// The operation with every reference replaced by the id of the resource it stands for.
///
/// Raises 409 when one refers to an operation that has not created a resource.
pub fn substitute(operation: &BulkOperation, ids: &BulkIds) -> Result<BulkOperation, ScimError> {
    let mut resolved = operation.clone();
    if let Some(id) = &mut resolved.id {
        replace(id, ids)?;
    }
    if let Some(data) = &mut resolved.data {
        substitute_value(data, ids)?;
    }
    Ok(resolved)
}

/// Replaces every reference in a value. Raises 409 like [`substitute`].
pub(super) fn substitute_value(value: &mut Value, ids: &BulkIds) -> Result<(), ScimError> {
    match value {
        Value::String(text) => replace(text, ids),
        Value::Array(elements) => elements.iter_mut().try_for_each(|element| substitute_value(element, ids)),
        Value::Object(parts) => parts.values_mut().try_for_each(|part| substitute_value(part, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn replace(text: &mut String, ids: &BulkIds) -> Result<(), ScimError> {
    if let Some(bulk_id) = referred(text) {
        let id = id_of(bulk_id, ids)?.to_owned();
        *text = id;
        return Ok(());
    }
    if !text.contains("\"bulkId:") {
        return Ok(());
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find("\"bulkId:") {
        let after = &rest[start + 1 + BULK_ID_PREFIX.len()..];
        let Some(end) = after.find('"') else { break };
        replaced.push_str(&rest[..=start]);
        replaced.push_str(id_of(&after[..end], ids)?);
        rest = &after[end..];
    }
    replaced.push_str(rest);
    *text = replaced;
    Ok(())
}

fn id_of<'a>(bulk_id: &str, ids: &'a BulkIds) -> Result<&'a str, ScimError> {
    ids.get(bulk_id).map(String::as_str).ok_or_else(|| {
        let detail = format!("The bulkId \"{}\" refers to no resource that this request created.", quoted(bulk_id));
        ScimError::conflict(detail)
    })
}
