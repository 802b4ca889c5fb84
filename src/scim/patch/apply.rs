//! Applies PATCH operations to a document, in order and all or none.

use serde_json::{Map, Value};

use super::super::document::{self, Wrap, coerce};
use super::super::error::{ScimError, quoted};
use super::super::limits::PATCH_WORK;
use super::super::path::Path;
use super::super::schema::{AttributePath, Kind, Mutability, ResourceType, Target};
use super::super::{Dialect, Document};
use super::elements;
use super::request::label;
use super::{Op, Operation, Patch};

/// What every operation of a request shares.
pub(super) struct Applier<'a> {
    resource_type: ResourceType,
    id: &'a str,
    pub(super) dialect: Dialect,
    work: usize,
}

/// Applies a PATCH to a normalised document and returns the result, equal to `before` when nothing changed.
///
/// `id` is the resource's own: clients repeat it inside values, and only another one is an error.
/// Operations on `members` are not for this function: see [`super::compile_group`].
///
/// Raises 400: `mutability` when a readOnly or immutable attribute would change or a required one would go; `noTarget`
/// for `replace` at a valuePath without a match, unless the dialect creates the element; `invalidValue`;
/// `tooMany` when the operations look at or write more than [`PATCH_WORK`].
pub fn apply(
    patch: &Patch,
    resource_type: ResourceType,
    id: &str,
    before: &Document,
    dialect: Dialect,
) -> Result<Document, ScimError> {
    let mut document = before.clone();
    let mut applier = Applier {
        resource_type,
        id,
        dialect,
        work: 0,
    };
    for (index, operation) in patch.operations.iter().enumerate() {
        applier
            .operation(&mut document, operation)
            .map_err(|error| error.within(&label(index)))?;
    }
    document::finish(resource_type, document)
}

impl Applier<'_> {
    fn operation(&mut self, document: &mut Document, operation: &Operation) -> Result<(), ScimError> {
        let value = operation.value.clone();
        match (operation.op, &operation.path) {
            (Op::Remove, Path::Resource) => Err(ScimError::no_target("\"remove\" needs a \"path\".")),
            (Op::Remove, Path::Extension(schema)) => {
                document.shift_remove(schema.id);
                Ok(())
            }
            (Op::Remove, Path::Attribute(path)) => self.remove(document, *path, value),
            (op, Path::Element { path, filter, sub }) => {
                check_writable(AttributePath { sub: *sub, ..*path })?;
                elements::operate(self, document, op, *path, filter, *sub, value)
            }
            (op, Path::Resource) => self.set_many(document, op, value.unwrap_or_default()),
            (op, Path::Extension(schema)) => {
                let value = value.unwrap_or_default();
                if op == Op::Replace && value.is_null() {
                    document.shift_remove(schema.id);
                }
                for (path, value) in document::extension_entries(schema, value)? {
                    self.set(document, op, path, value)?;
                }
                Ok(())
            }
            (op, Path::Attribute(path)) => self.set(document, op, *path, value.unwrap_or_default()),
        }
    }

    /// Counts what an operation looks at and writes, so that many filters over long lists, or long parts written into
    /// many values, end early.
    pub(super) fn charge(&mut self, bytes: usize, times: usize) -> Result<(), ScimError> {
        self.work = self.work.saturating_add(bytes.saturating_mul(times));
        if self.work > PATCH_WORK {
            return Err(ScimError::too_many(
                "The operations of the request look at or write too much; send several requests.",
            ));
        }
        Ok(())
    }

    /// The members of a value without a path. Unknown ones are ignored, as in a POST.
    fn set_many(&mut self, document: &mut Document, op: Op, value: Value) -> Result<(), ScimError> {
        let Value::Object(members) = value else {
            return Err(ScimError::invalid_value(
                "Without a \"path\", \"value\" must be an object.",
            ));
        };
        for (key, value) in members {
            match self.resource_type.resolve(&key) {
                Some(Target::Attribute(path)) => self.set(document, op, path, value)?,
                Some(Target::Extension(schema)) => {
                    for (path, value) in document::extension_entries(schema, value)? {
                        self.set(document, op, path, value)?;
                    }
                }
                // Some clients flatten valuePaths too.
                None if key.contains('[') => {
                    let path = Path::parse(self.resource_type, &key)?;
                    if path.attribute().is_some() {
                        self.operation(
                            document,
                            &Operation {
                                op,
                                path,
                                value: Some(value),
                            },
                        )?;
                    }
                }
                Some(Target::Resource) | None => {}
            }
        }
        Ok(())
    }

    /// `add` and `replace` of an attribute or sub-attribute.
    fn set(&mut self, document: &mut Document, op: Op, path: AttributePath, value: Value) -> Result<(), ScimError> {
        if self.is_settled(path, &value)? {
            return Ok(());
        }
        check_writable(path)?;
        if path.attribute.multi_valued {
            return elements::set(self, document, op, path, value);
        }
        if path.sub.is_none() && path.attribute.kind == Kind::Complex {
            return set_complex(document, path, value);
        }
        match coerce(path, value, Wrap::Object)? {
            Some(value) => {
                insert(document, path, value);
                Ok(())
            }
            None if path.leaf().required => Err(ScimError::invalid_value(format!("\"{path}\" must not be empty."))),
            None => {
                take(document, path);
                Ok(())
            }
        }
    }

    /// Whether there is nothing to do: the resource's own `id`, computed `schemas`, and `password`, which is not kept.
    fn is_settled(&self, path: AttributePath, value: &Value) -> Result<bool, ScimError> {
        if path.is_core("id") {
            return if value.as_str() == Some(self.id) {
                Ok(true)
            } else {
                Err(ScimError::mutability(
                    "\"id\" is read-only and differs from the id of the resource.",
                ))
            };
        }
        Ok(path.is_core("schemas") || path.attribute.mutability == Mutability::WriteOnly)
    }

    fn remove(&mut self, document: &mut Document, path: AttributePath, value: Option<Value>) -> Result<(), ScimError> {
        if path.attribute.mutability == Mutability::WriteOnly {
            return Ok(());
        }
        check_writable(path)?;
        if path.leaf().required || path.is_core("schemas") {
            return Err(ScimError::mutability(format!(
                "\"{path}\" is required and cannot be removed."
            )));
        }
        match value {
            // Entra, JumpCloud and authentik name the values to remove; the RFC knows no value here and would empty
            // the attribute.
            Some(value) if path.attribute.multi_valued && path.sub.is_none() && !value.is_null() => {
                elements::remove_values(self, document, path, value)
            }
            _ if path.attribute.multi_valued => elements::remove(self, document, path),
            _ => {
                take(document, path);
                Ok(())
            }
        }
    }
}

/// Merges the sub-attributes of a single complex attribute (RFC 7644 §3.5.2.3). One that has a `value` and gets another
/// one is replaced as a whole, so that no manager keeps the `$ref` of his predecessor.
fn set_complex(document: &mut Document, path: AttributePath, value: Value) -> Result<(), ScimError> {
    let parts = match value {
        Value::Object(parts) if path.attribute.value_sub_attribute().is_none() => parts,
        other => {
            let given = coerce(path, other, Wrap::Nothing)?;
            take(document, path);
            if let Some(value) = given {
                insert(document, path, value);
            }
            return Ok(());
        }
    };
    for (key, part) in parts {
        let Some(sub) = path.attribute.sub_attribute(&key) else {
            continue;
        };
        let part_path = AttributePath { sub: Some(sub), ..path };
        match coerce(part_path, part, Wrap::Nothing)? {
            Some(part) => insert(document, part_path, part),
            None => take(document, part_path),
        }
    }
    Ok(())
}

/// Refuses readOnly attributes and, since what they hold is never empty here, immutable ones.
fn check_writable(path: AttributePath) -> Result<(), ScimError> {
    let fixed = [path.attribute, path.leaf()]
        .into_iter()
        .any(|attribute| matches!(attribute.mutability, Mutability::ReadOnly | Mutability::Immutable));
    if fixed {
        let name = path.to_string();
        return Err(ScimError::mutability(format!("\"{}\" is read-only.", quoted(&name))));
    }
    Ok(())
}

/// Puts a normalised value where a single-valued path points.
fn insert(document: &mut Document, path: AttributePath, value: Value) {
    let owner = document::owner(document, path.extension);
    let Some(sub) = path.sub else {
        owner.insert(path.attribute.name.to_owned(), value);
        return;
    };
    let slot = owner
        .entry(path.attribute.name)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(parts) = slot {
        parts.insert(sub.name.to_owned(), value);
    }
}

/// Takes away what a single-valued path points at, and the objects around it that are empty then.
fn take(document: &mut Document, path: AttributePath) {
    let owner = match path.extension {
        Some(schema) => document.get_mut(schema.id).and_then(Value::as_object_mut),
        None => Some(&mut *document),
    };
    let Some(owner) = owner else { return };
    match (path.sub, owner.get_mut(path.attribute.name)) {
        (Some(sub), Some(Value::Object(parts))) => {
            parts.shift_remove(sub.name);
            if parts.is_empty() {
                owner.shift_remove(path.attribute.name);
            }
        }
        (None, Some(_)) => {
            owner.shift_remove(path.attribute.name);
        }
        _ => {}
    }
}
