//! Evaluates a filter in memory, on a resource or on one element of a multi-valued attribute.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::super::schema::{Attribute, AttributePath, Kind};
use super::super::time;
use super::{Filter, Literal, Operator};
use crate::fold::fold;

/// Whether `object` satisfies the filter. `object` is a normalised resource, or, for the filter of a valuePath, an
/// element of the attribute.
pub fn matches(filter: &Filter, object: &Map<String, Value>) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| matches(part, object)),
        Filter::Or(parts) => parts.iter().any(|part| matches(part, object)),
        Filter::Not(inner) => !matches(inner, object),
        Filter::Present(path) => values(path, object).into_iter().any(is_present),
        Filter::Compare { path, operator, value } => compare(path, *operator, value, object),
        Filter::Element { path, filter } => values(path, object)
            .into_iter()
            .filter_map(Value::as_object)
            .any(|element| matches(filter, element)),
        Filter::Constant(truth) => *truth,
    }
}

fn compare(path: &AttributePath, operator: Operator, literal: &Literal, object: &Map<String, Value>) -> bool {
    let found = values(path, object);
    match (operator, literal) {
        (Operator::Eq, Literal::Null) => !found.into_iter().any(is_present),
        (_, Literal::Null) => found.into_iter().any(is_present),
        (Operator::Ne, _) => !found
            .into_iter()
            .any(|value| holds(path.leaf(), value, Operator::Eq, literal)),
        _ => found
            .into_iter()
            .any(|value| holds(path.leaf(), value, operator, literal)),
    }
}

/// The values at the end of a path, multi-valued attributes taken apart.
fn values<'a>(path: &AttributePath, object: &'a Map<String, Value>) -> Vec<&'a Value> {
    let owner = match path.extension {
        Some(schema) => object.get(schema.id).and_then(Value::as_object),
        None => Some(object),
    };
    let Some(value) = owner.and_then(|owner| owner.get(path.attribute.name)) else {
        return Vec::new();
    };
    let elements = match value {
        Value::Array(elements) => elements.iter().collect(),
        single => vec![single],
    };
    match path.sub {
        None => elements,
        Some(sub) => elements
            .into_iter()
            .filter_map(|element| element.get(sub.name))
            .collect(),
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(elements) => elements.iter().any(|element| !element.is_null()),
        Value::Object(map) => map.values().any(|part| !part.is_null()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn holds(attribute: &Attribute, value: &Value, operator: Operator, literal: &Literal) -> bool {
    match literal {
        Literal::Null => false,
        Literal::Boolean(wanted) => value.as_bool() == Some(*wanted),
        Literal::Integer(wanted) => {
            let order = value.as_i64().map(|number| number.cmp(wanted));
            order.is_some_and(|order| holds_in_order(order, operator))
        }
        Literal::Decimal(wanted) => {
            let order = value.as_f64().and_then(|number| number.partial_cmp(wanted));
            order.is_some_and(|order| holds_in_order(order, operator))
        }
        Literal::Time(wanted) => {
            let order = value.as_str().and_then(time::parse).map(|time| time.cmp(wanted));
            order.is_some_and(|order| holds_in_order(order, operator))
        }
        Literal::String(wanted) => {
            debug_assert!(
                attribute.kind != Kind::Complex,
                "the parser resolves complex attributes to their value"
            );
            let Some(text) = value.as_str() else { return false };
            if attribute.folds() {
                holds_for_text(&fold(text), operator, &fold(wanted))
            } else {
                holds_for_text(text, operator, wanted)
            }
        }
    }
}

fn holds_for_text(text: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Co => text.contains(wanted),
        Operator::Sw => text.starts_with(wanted),
        Operator::Ew => text.ends_with(wanted),
        _ => holds_in_order(text.cmp(wanted), operator),
    }
}

fn holds_in_order(order: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}
