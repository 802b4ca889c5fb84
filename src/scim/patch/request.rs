//! Reads the body of a PATCH request, with the spellings that clients use.

use serde_json::{Map, Value};

use super::super::error::{ScimError, quoted};
use super::super::limits::PATCH_OPERATIONS;
use super::super::path::Path;
use super::super::schema::ResourceType;
use super::super::{Dialect, document};
use super::{Op, Operation, Patch};

/// URN of the `PatchOp` message.
pub const PATCH_OP_URN: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Reads a PATCH request on a resource of that type.
///
/// Raises 400: `invalidSyntax` for a wrong structure or, unless the dialect accepts it, no operations; `noTarget` for
/// `remove` without a path; `invalidPath` or `invalidFilter` for a faulty path; `invalidValue` for `add` or `replace`
/// without a value.
pub fn parse(resource_type: ResourceType, body: Value, dialect: Dialect) -> Result<Patch, ScimError> {
    let mut operations = None;
    for (key, value) in document::object(body)? {
        if key.eq_ignore_ascii_case("schemas") {
            check_schemas(&value)?;
        } else if key.eq_ignore_ascii_case("Operations") {
            operations = Some(value);
        }
    }
    let Some(Value::Array(operations)) = operations else {
        return Err(ScimError::invalid_syntax(
            "A PATCH request must have an array \"Operations\".",
        ));
    };
    if operations.is_empty() && !dialect.accepts_empty_operations() {
        return Err(ScimError::invalid_syntax("\"Operations\" must not be empty."));
    }
    if operations.len() > PATCH_OPERATIONS {
        let detail = format!("The request has more than {PATCH_OPERATIONS} operations; send several requests.");
        return Err(ScimError::invalid_syntax(detail));
    }
    let operations = operations
        .into_iter()
        .enumerate()
        .map(|(index, value)| operation(resource_type, value).map_err(|error| error.within(&label(index))))
        .collect::<Result<_, _>>()?;
    Ok(Patch { operations })
}

/// How error details name an operation.
pub(super) fn label(index: usize) -> String {
    format!("Operation {}", index + 1)
}

fn check_schemas(value: &Value) -> Result<(), ScimError> {
    let listed = match value {
        Value::Null => true,
        Value::Array(urns) => urns
            .iter()
            .any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_OP_URN))),
        _ => false,
    };
    if listed {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!(
            "\"schemas\" of a PATCH request must list \"{PATCH_OP_URN}\"."
        )))
    }
}

fn operation(resource_type: ResourceType, value: Value) -> Result<Operation, ScimError> {
    let Value::Object(members) = value else {
        return Err(ScimError::invalid_syntax("An operation must be an object."));
    };
    let (op, path, value) = split(members)?;
    let path = path.as_deref().map(str::trim).filter(|path| !path.is_empty());
    let path = match path {
        Some(text) => Path::parse(resource_type, text)?,
        None => Path::Resource,
    };
    match (op, &path, &value) {
        (Op::Remove, Path::Resource, _) => Err(ScimError::no_target("\"remove\" needs a \"path\".")),
        (Op::Add | Op::Replace, _, None) => Err(ScimError::invalid_value("\"add\" and \"replace\" need a \"value\".")),
        (Op::Add | Op::Replace, Path::Resource, Some(value)) if !value.is_object() => Err(ScimError::invalid_value(
            "Without a \"path\", \"value\" must be an object.",
        )),
        _ => Ok(Operation { op, path, value }),
    }
}

fn split(members: Map<String, Value>) -> Result<(Op, Option<String>, Option<Value>), ScimError> {
    let (mut op, mut path, mut value) = (None, None, None);
    for (key, member) in members {
        match (key.to_ascii_lowercase().as_str(), member) {
            ("op", Value::String(name)) => op = Some(name),
            ("path", Value::String(text)) => path = Some(text),
            ("path", Value::Null) => {}
            ("op" | "path", _) => {
                return Err(ScimError::invalid_syntax(format!(
                    "\"{}\" must be a string.",
                    quoted(&key)
                )));
            }
            ("value", member) => value = Some(member),
            _ => {}
        }
    }
    let op = match op.as_deref() {
        Some(name) if name.eq_ignore_ascii_case("add") => Op::Add,
        Some(name) if name.eq_ignore_ascii_case("remove") => Op::Remove,
        Some(name) if name.eq_ignore_ascii_case("replace") => Op::Replace,
        _ => {
            return Err(ScimError::invalid_syntax(
                "\"op\" must be \"add\", \"remove\" or \"replace\".",
            ));
        }
    };
    Ok((op, path, value))
}
