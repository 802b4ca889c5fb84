//! The raw parameters of a query, from a URL or from the body of a `.search` request.

use serde_json::Value;

use super::super::document;
use super::super::error::{ScimError, quoted};
use super::super::limits::Limits;
use super::SEARCH_REQUEST_URN;

/// The parameters as sent; names compare without case, and the last of two wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters {
    /// `filter`
    pub filter: Option<String>,
    /// `sortBy`
    pub sort_by: Option<String>,
    /// `sortOrder`
    pub sort_order: Option<String>,
    /// `startIndex`, as text.
    pub start_index: Option<String>,
    /// `count`, as text.
    pub count: Option<String>,
    /// `cursor`; empty for the first page.
    pub cursor: Option<String>,
    /// `attributes`, a comma-separated list.
    pub attributes: Option<String>,
    /// `excludedAttributes`, a comma-separated list.
    pub excluded_attributes: Option<String>,
}

impl Parameters {
    /// From the decoded pairs of a query string. Other parameters are ignored.
    pub fn from_pairs<K: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            if let Some(slot) = parameters.slot(name.as_ref()) {
                *slot = Some(value.into());
            }
        }
        parameters
    }

    /// From the body of a `.search` request (RFC 7644 §3.4.3).
    ///
    /// Raises 400 `invalidSyntax` for a wrong structure or a `schemas` without the `SearchRequest` URN, and
    /// `invalidValue` for a member of the wrong type.
    pub fn from_search(body: Value) -> Result<Self, ScimError> {
        let mut parameters = Self::default();
        for (name, value) in document::object(body)? {
            if name.eq_ignore_ascii_case("schemas") {
                check_schemas(&value)?;
            } else if let Some(slot) = parameters.slot(&name) {
                *slot = text(&name, value)?;
            }
        }
        Ok(parameters)
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if is("filter") {
            Some(&mut self.filter)
        } else if is("sortBy") {
            Some(&mut self.sort_by)
        } else if is("sortOrder") {
            Some(&mut self.sort_order)
        } else if is("startIndex") {
            Some(&mut self.start_index)
        } else if is("count") {
            Some(&mut self.count)
        } else if is("cursor") {
            Some(&mut self.cursor)
        } else if is("attributes") {
            Some(&mut self.attributes)
        } else if is("excludedAttributes") {
            Some(&mut self.excluded_attributes)
        } else {
            None
        }
    }

    /// `count`: the default when absent, 0 when negative, lowered to the largest page.
    ///
    /// Raises 400 `invalidValue`, with cursors `invalidCount`, when it is not a whole number.
    pub(super) fn count(&self, limits: &Limits) -> Result<u32, ScimError> {
        let Some(text) = &self.count else { return Ok(limits.default_count.min(limits.max_count)) };
        let count = whole_number(text).ok_or_else(|| {
            let detail = format!("\"count\" is \"{}\", which is not a whole number.", quoted(text));
            if self.cursor.is_some() { ScimError::invalid_count(detail) } else { ScimError::invalid_value(detail) }
        })?;
        Ok(u32::try_from(count.max(0)).unwrap_or(u32::MAX).min(limits.max_count))
    }

    /// `startIndex`: 1 when absent or less.
    ///
    /// Raises 400 `invalidValue` when it is not a whole number.
    pub(super) fn start_index(&self) -> Result<u64, ScimError> {
        let Some(text) = &self.start_index else { return Ok(1) };
        let index = whole_number(text).ok_or_else(|| {
            ScimError::invalid_value(format!("\"startIndex\" is \"{}\", which is not a whole number.", quoted(text)))
        })?;
        Ok(u64::try_from(index).unwrap_or(1).max(1))
    }
}

/// A whole number of any length; beyond `i64` it is the nearest `i64`, which every limit lowers anyway.
fn whole_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let beyond = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(text.parse().unwrap_or(beyond))
}

fn check_schemas(value: &Value) -> Result<(), ScimError> {
    let listed = match value {
        Value::Null => true,
        Value::Array(urns) => {
            urns.iter().any(|urn| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(SEARCH_REQUEST_URN)))
        }
        _ => false,
    };
    if listed {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!("\"schemas\" of a search must list \"{SEARCH_REQUEST_URN}\".")))
    }
}

fn text(name: &str, value: Value) -> Result<Option<String>, ScimError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Array(names) if names.iter().all(Value::is_string) => {
            Ok(Some(names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")))
        }
        other => {
            let kind = document::kind_of(&other);
            Err(ScimError::invalid_value(format!("\"{}\" cannot be {kind}.", quoted(name))))
        }
    }
}
