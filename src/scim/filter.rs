//! Filters: the typed tree that [`parse`] makes of a filter's text (RFC 7644 §3.4.2.2).

mod lexer;
mod matches;
mod parser;
mod print;

pub use matches::matches;
pub(super) use parser::parse_path;
pub use parser::{parse, parse_across_types};

use jiff::Timestamp;
use serde_json::Value;

use super::schema::{Attribute, AttributePath};

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal, or not present.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than, or later.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than, or earlier.
    Lt,
    /// Less than or equal.
    Le,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    /// The operator as it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

/// The right side of a comparison, of the type that the attribute wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`: not present. Only with `eq` and `ne`.
    Null,
    /// For boolean attributes.
    Boolean(bool),
    /// For integer attributes.
    Integer(i64),
    /// For integer attributes compared with a number that is not an `i64`.
    Decimal(f64),
    /// For text.
    String(String),
    /// For dateTime attributes.
    Time(Timestamp),
}

/// A filter, resolved against the schema of a resource type.
///
/// Conditions are two-valued: a comparison with an attribute that is not present is false, except that `ne` is always
/// the opposite of `eq`, for multi-valued attributes too (no value equals).
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All hold; at least two, none of them an `And`.
    And(Vec<Self>),
    /// One holds; at least two, none of them an `Or`.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The attribute has a value.
    Present(AttributePath),
    /// A comparison. The path ends at a simple attribute: `members eq "x"` has become `members.value eq "x"`.
    Compare {
        /// Left side.
        path: AttributePath,
        /// Operator, allowed for the attribute's type.
        operator: Operator,
        /// Right side, of the attribute's type.
        value: Literal,
    },
    /// One element of the complex attribute satisfies the filter, whose paths are relative to the element.
    /// `emails[type eq "work"].value eq "x"` has become `emails[type eq "work" and value eq "x"]`.
    Element {
        /// The complex attribute, without a sub-attribute.
        path: AttributePath,
        /// What the element satisfies.
        filter: Box<Self>,
    },
    /// Known beforehand: a condition on an attribute that only another resource type has.
    Constant(bool),
}

impl Filter {
    /// Conjunction, flattened.
    pub fn and(filters: Vec<Self>) -> Self {
        Self::flattened(filters, Self::And, |filter| match filter {
            Self::And(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// Disjunction, flattened.
    pub fn or(filters: Vec<Self>) -> Self {
        Self::flattened(filters, Self::Or, |filter| match filter {
            Self::Or(inner) => Ok(inner),
            other => Err(other),
        })
    }

    fn flattened(filters: Vec<Self>, join: fn(Vec<Self>) -> Self, split: fn(Self) -> Result<Vec<Self>, Self>) -> Self {
        let mut flat = Vec::with_capacity(filters.len());
        for filter in filters {
            match split(filter) {
                Ok(inner) => flat.extend(inner),
                Err(other) => flat.push(other),
            }
        }
        match flat.pop() {
            Some(only) if flat.is_empty() => only,
            Some(last) => {
                flat.push(last);
                join(flat)
            }
            None => Self::Constant(true),
        }
    }

    /// The values that an element must have to satisfy the filter, when it is nothing but `eq` joined by `and`:
    /// what a new element is made of when `add` finds no match. `None` for any other filter.
    pub fn eq_clauses(&self) -> Option<Vec<(&'static Attribute, Value)>> {
        let parts = match self {
            Self::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        parts
            .iter()
            .map(|part| match part {
                Self::Compare {
                    path,
                    operator: Operator::Eq,
                    value,
                } => Some((path.leaf(), value.to_json()?)),
                _ => None,
            })
            .collect()
    }

    /// The ids named by `value eq "a" or value eq "b" …`, the filters with which clients remove members.
    /// `None` for any other filter.
    pub fn value_alternatives(&self) -> Option<Vec<String>> {
        let parts = match self {
            Self::Or(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        parts
            .iter()
            .map(|part| match part {
                Self::Compare {
                    path,
                    operator: Operator::Eq,
                    value: Literal::String(id),
                } if path.is_core("value") => Some(id.clone()),
                _ => None,
            })
            .collect()
    }
}

impl Literal {
    /// The JSON value; `None` for `null`.
    pub fn to_json(&self) -> Option<Value> {
        match self {
            Self::Null => None,
            Self::Boolean(value) => Some((*value).into()),
            Self::Integer(value) => Some((*value).into()),
            Self::Decimal(value) => Some((*value).into()),
            Self::String(value) => Some(value.as_str().into()),
            Self::Time(value) => Some(value.to_string().into()),
        }
    }
}

#[cfg(test)]
mod tests;
