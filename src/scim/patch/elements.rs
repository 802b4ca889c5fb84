//! Changes to the values of multi-valued attributes: adding, filtering, replacing, and the one primary value.

use serde_json::{Map, Value};

use super::super::Document;
use super::super::document::{self, Wrap, coerce, coerce_element, drop_repeated, is_primary, weight};
use super::super::error::ScimError;
use super::super::filter::{Filter, matches};
use super::super::limits::VALUES;
use super::super::schema::{Attribute, AttributePath};
use super::Op;
use super::apply::Applier;
use crate::fold::fold;

/// `add` or `replace` of a whole multi-valued attribute, or of one sub-attribute in all its values.
pub(super) fn set(
    applier: &mut Applier<'_>,
    document: &mut Document,
    op: Op,
    path: AttributePath,
    value: Value,
) -> Result<(), ScimError> {
    let mut values = take_values(document, path);
    if path.sub.is_some() {
        let everything: Vec<usize> = (0..values.len()).collect();
        let part = coerce(path, value, Wrap::Nothing)?;
        applier.charge(values.iter().map(weight).sum(), 1)?;
        applier.charge(part.as_ref().map_or(0, weight), values.len())?;
        match (values.is_empty(), &part) {
            (true, Some(_)) => values.push(with_part(path, Map::new(), part)),
            _ => set_part(&mut values, &everything, path, part.as_ref()),
        }
    } else {
        let given = match coerce(path, value, Wrap::Object)? {
            Some(Value::Array(given)) => given,
            _ => Vec::new(),
        };
        if op == Op::Add {
            applier.charge(values.iter().map(weight).sum(), given.len())?;
            append(&mut values, given);
        } else {
            values = given;
        }
    }
    put_values(document, path, values)
}

/// An operation on the elements that a valuePath selects.
pub(super) fn operate(
    applier: &mut Applier<'_>,
    document: &mut Document,
    op: Op,
    path: AttributePath,
    filter: &Filter,
    sub: Option<&'static Attribute>,
    value: Option<Value>,
) -> Result<(), ScimError> {
    let values = take_values(document, path);
    applier.charge(values.iter().map(weight).sum(), expressions(filter))?;
    let selected: Vec<usize> = values
        .iter()
        .enumerate()
        .filter(|(_, element)| element.as_object().is_some_and(|element| matches(filter, element)))
        .map(|(index, _)| index)
        .collect();
    let part_path = AttributePath { sub, ..path };
    let given = match (op, value) {
        (Op::Remove, _) | (_, None) => None,
        (_, Some(value)) if sub.is_some() => coerce(part_path, value, Wrap::Nothing)?,
        (_, Some(Value::String(text))) if text.is_empty() => None,
        (_, Some(Value::Array(elements))) => match coerce(path, Value::Array(elements), Wrap::Nothing)? {
            Some(Value::Array(mut elements)) if elements.len() == 1 => elements.pop(),
            Some(_) => return Err(ScimError::invalid_value(format!("\"{path}[…]\" takes one object."))),
            None => None,
        },
        (_, Some(value)) => coerce_element(path, value)?,
    };
    applier.charge(given.as_ref().map_or(0, weight), selected.len())?;
    let values = if selected.is_empty() {
        create(applier, op, part_path, filter, values, given)?
    } else {
        change(op, part_path, values, &selected, given)
    };
    put_values(document, path, values)
}

/// What happens when no element matches: `add` makes one that does, `replace` has no target, `remove` is done.
fn create(
    applier: &Applier<'_>,
    op: Op,
    path: AttributePath,
    filter: &Filter,
    mut values: Vec<Value>,
    given: Option<Value>,
) -> Result<Vec<Value>, ScimError> {
    if op == Op::Remove {
        return Ok(values);
    }
    if op == Op::Replace && !applier.dialect.upserts_unmatched_replace() {
        return Err(ScimError::no_target(format!(
            "No value of \"{}\" matches the filter.",
            path.attribute.name
        )));
    }
    let Some(given) = given else { return Ok(values) };
    let Some(clauses) = filter.eq_clauses() else {
        let name = path.attribute.name;
        return Err(ScimError::no_target(format!(
            "No value of \"{name}\" matches the filter, and none can be made of it."
        )));
    };
    let seed: Map<String, Value> = clauses
        .into_iter()
        .map(|(sub, value)| (sub.name.to_owned(), value))
        .collect();
    let element = with_part(path, seed, Some(given));
    if let Some(element) = coerce_element(AttributePath { sub: None, ..path }, element)? {
        append(&mut values, vec![element]);
    }
    Ok(values)
}

fn change(op: Op, path: AttributePath, mut values: Vec<Value>, selected: &[usize], given: Option<Value>) -> Vec<Value> {
    match (path.sub, given) {
        (Some(_), given) => set_part(&mut values, selected, path, given.as_ref()),
        // An empty value clears, for `add` too.
        (None, None) => {
            let mut index = 0;
            values.retain(|_| {
                index += 1;
                selected.binary_search(&(index - 1)).is_err()
            });
        }
        (None, Some(element)) => {
            for &index in selected {
                match (op, &mut values[index], &element) {
                    (Op::Add, Value::Object(present), Value::Object(given)) => {
                        present.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
                    }
                    (_, slot, element) => slot.clone_from(element),
                }
            }
            settle_primary(&mut values, selected);
        }
    }
    values
}

/// Sets or clears a sub-attribute of the selected elements.
fn set_part(values: &mut Vec<Value>, selected: &[usize], path: AttributePath, part: Option<&Value>) {
    let Some(sub) = path.sub else { return };
    for &index in selected {
        if let Value::Object(element) = &mut values[index] {
            match part {
                Some(part) => {
                    element.insert(sub.name.to_owned(), part.clone());
                }
                None => {
                    element.shift_remove(sub.name);
                }
            }
        }
    }
    settle_primary(values, selected);
    values.retain(|element| element.as_object().is_some_and(|parts| !parts.is_empty()));
}

/// A new element from the parts known so far and what the operation gives.
fn with_part(path: AttributePath, mut seed: Map<String, Value>, given: Option<Value>) -> Value {
    match (path.sub, given) {
        (Some(sub), Some(part)) => {
            seed.insert(sub.name.to_owned(), part);
        }
        (None, Some(Value::Object(parts))) => seed.extend(parts),
        _ => {}
    }
    Value::Object(seed)
}

/// Adds elements. One that is already there changes nothing; one with the `value` and `type` of another is merged into
/// it, because RFC 7643 §2.4 wants that pair at most once.
fn append(values: &mut Vec<Value>, given: Vec<Value>) {
    let mut fresh = Vec::new();
    for element in given {
        if values.contains(&element) {
            continue;
        }
        let twin = values.iter().position(|present| is_twin(present, &element));
        match (twin, element) {
            (Some(index), Value::Object(parts)) => {
                if let Value::Object(present) = &mut values[index] {
                    present.extend(parts);
                }
                fresh.push(index);
            }
            (_, element) => {
                fresh.push(values.len());
                values.push(element);
            }
        }
    }
    settle_primary(values, &fresh);
}

fn is_twin(left: &Value, right: &Value) -> bool {
    let same = |name: &str| match (
        left.get(name).and_then(Value::as_str),
        right.get(name).and_then(Value::as_str),
    ) {
        (Some(left), Some(right)) => left == right || fold(left) == fold(right),
        (None, None) => true,
        _ => false,
    };
    left.get("value").is_some() && left.get("value") == right.get("value") && same("type")
}

/// Writing one `primary: true` clears the others (RFC 7644 §3.5.2); `written` are the indexes just written.
fn settle_primary(values: &mut [Value], written: &[usize]) {
    let Some(&keeper) = written
        .iter()
        .rev()
        .find(|&&index| values.get(index).is_some_and(is_primary))
    else {
        return;
    };
    for (index, element) in values.iter_mut().enumerate() {
        if index != keeper && is_primary(element) {
            element["primary"] = false.into();
        }
    }
}

/// `remove` of a whole multi-valued attribute, or of one sub-attribute in all its values.
pub(super) fn remove(applier: &mut Applier<'_>, document: &mut Document, path: AttributePath) -> Result<(), ScimError> {
    let mut values = take_values(document, path);
    if path.sub.is_some() {
        applier.charge(values.iter().map(weight).sum(), 1)?;
        let everything: Vec<usize> = (0..values.len()).collect();
        set_part(&mut values, &everything, path, None);
    } else {
        values.clear();
    }
    put_values(document, path, values)
}

/// `remove` with a path and a list of values: only the elements that have all parts of one of them go.
pub(super) fn remove_values(
    applier: &mut Applier<'_>,
    document: &mut Document,
    path: AttributePath,
    value: Value,
) -> Result<(), ScimError> {
    let listed = match value {
        Value::Array(listed) => listed,
        single => vec![single],
    };
    if listed.len() > VALUES {
        return Err(ScimError::invalid_value(format!(
            "\"{path}\" has more than {VALUES} values to remove."
        )));
    }
    let mut patterns = Vec::with_capacity(listed.len());
    for entry in listed {
        let entry = match entry {
            Value::String(text) => Value::Object(Map::from_iter([("value".to_owned(), Value::String(text))])),
            other => other,
        };
        if let Some(Value::Object(pattern)) = coerce_element(path, entry)? {
            patterns.push(pattern);
        }
    }
    let mut values = take_values(document, path);
    applier.charge(values.iter().map(weight).sum(), patterns.len())?;
    values.retain(|element| !patterns.iter().any(|pattern| has_parts(path, element, pattern)));
    put_values(document, path, values)
}

fn has_parts(path: AttributePath, element: &Value, pattern: &Map<String, Value>) -> bool {
    pattern.iter().all(|(key, wanted)| match (element.get(key), wanted) {
        (Some(Value::String(present)), Value::String(wanted)) => {
            let folds = path.attribute.sub_attribute(key).is_some_and(Attribute::folds);
            present == wanted || (folds && fold(present) == fold(wanted))
        }
        (present, wanted) => present == Some(wanted),
    })
}

fn take_values(document: &mut Document, path: AttributePath) -> Vec<Value> {
    let owner = match path.extension {
        Some(schema) => document.get_mut(schema.id).and_then(Value::as_object_mut),
        None => Some(document),
    };
    match owner
        .and_then(|owner| owner.get_mut(path.attribute.name))
        .map(Value::take)
    {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}

/// Puts values back; an operation may have made some of them equal.
fn put_values(document: &mut Document, path: AttributePath, mut values: Vec<Value>) -> Result<(), ScimError> {
    drop_repeated(&mut values);
    if values.len() > VALUES {
        return Err(ScimError::invalid_value(format!(
            "\"{path}\" would have more than {VALUES} values."
        )));
    }
    let owner = document::owner(document, path.extension);
    if values.is_empty() {
        owner.shift_remove(path.attribute.name);
    } else {
        owner.insert(path.attribute.name.to_owned(), Value::Array(values));
    }
    Ok(())
}

fn expressions(filter: &Filter) -> usize {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().map(expressions).sum(),
        Filter::Not(inner) => expressions(inner),
        Filter::Element { filter, .. } => expressions(filter),
        Filter::Present(_) | Filter::Compare { .. } | Filter::Constant(_) => 1,
    }
}
