//! Queries: their parameters, and the `ListResponse` that answers them (RFC 7644 §3.4.2, RFC 9865).

mod cursor;
mod parameters;

pub use cursor::{Cursor, Page};
pub use parameters::Parameters;

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Dialect;
use super::error::{ScimError, quoted};
use super::filter::{self, Filter};
use super::limits::Limits;
use super::projection::Projection;
use super::schema::{AttributePath, Kind, ResourceType};

/// URN of the `ListResponse` message.
pub const LIST_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// URN of the `SearchRequest` message.
pub const SEARCH_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// By what a result is sorted (RFC 7644 §3.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The attribute; it ends at a simple one, `emails` having become `emails.value`.
    pub path: AttributePath,
    /// Whether `sortOrder` is `descending`.
    pub descending: bool,
}

/// A query on one resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// Which resources.
    pub filter: Option<Filter>,
    /// In which order; by id when `None`.
    pub sort: Option<Sort>,
    /// Which page.
    pub page: Page,
    /// Most resources on the page; 0 asks for the total alone.
    pub count: u32,
    /// Which attributes.
    pub projection: Projection,
    /// Names the query in its cursors: a hash over type, filter and order.
    pub query_hash: [u8; 8],
}

impl ListQuery {
    /// Types the parameters of a query on `resource_type`. `now` is the time in seconds since 1970, for cursors.
    ///
    /// Raises 400: `invalidFilter`; `invalidValue` for numbers that are none, an unknown `sortBy` or `sortOrder` and a
    /// double projection; `invalidCursor`, `expiredCursor` and `invalidCount` (RFC 9865).
    pub fn parse(
        parameters: &Parameters,
        resource_type: ResourceType,
        limits: &Limits,
        now: i64,
    ) -> Result<Self, ScimError> {
        Self::parse_with(parameters, resource_type, limits, now, filter::parse)
    }

    /// Like [`Self::parse`], for one of the types of a query at the root: attributes that only the other type has count
    /// as not present.
    pub fn parse_across_types(
        parameters: &Parameters,
        resource_type: ResourceType,
        limits: &Limits,
        now: i64,
    ) -> Result<Self, ScimError> {
        Self::parse_with(parameters, resource_type, limits, now, filter::parse_across_types)
    }

    /// The same query, whose answer shows what a dialect shows.
    #[must_use]
    pub fn in_dialect(mut self, dialect: Dialect) -> Self {
        self.projection = self.projection.in_dialect(dialect);
        self
    }

    fn parse_with(
        parameters: &Parameters,
        resource_type: ResourceType,
        limits: &Limits,
        now: i64,
        parse_filter: fn(ResourceType, &str) -> Result<Filter, ScimError>,
    ) -> Result<Self, ScimError> {
        let filter = parameters.filter.as_deref().filter(|text| !text.trim().is_empty());
        let filter = filter.map(|text| parse_filter(resource_type, text)).transpose()?;
        let sort = sort(parameters, resource_type)?;
        let query_hash = query_hash(parameters, resource_type);
        let count = parameters.count(limits)?;
        let page = Page::parse(parameters, query_hash, count, limits, now)?;
        let projection = Projection::parse(
            resource_type,
            parameters.attributes.as_deref(),
            parameters.excluded_attributes.as_deref(),
        )?;
        Ok(Self {
            filter,
            sort,
            page,
            count,
            projection,
            query_hash,
        })
    }
}

fn sort(parameters: &Parameters, resource_type: ResourceType) -> Result<Option<Sort>, ScimError> {
    let descending = match parameters.sort_order.as_deref() {
        None | Some("") => false,
        Some(order) if order.eq_ignore_ascii_case("ascending") => false,
        Some(order) if order.eq_ignore_ascii_case("descending") => true,
        Some(order) => {
            let detail = format!("\"sortOrder\" is \"{}\"; use ascending or descending.", quoted(order));
            return Err(ScimError::invalid_value(detail));
        }
    };
    let Some(name) = parameters
        .sort_by
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty())
    else {
        return Ok(None);
    };
    let refused = |what: &str| ScimError::invalid_value(format!("\"sortBy\" \"{}\" {what}.", quoted(name)));
    let mut path = resource_type
        .resolve_attribute(name)
        .ok_or_else(|| refused(&format!("is not an attribute of a {resource_type}")))?;
    if path.leaf().kind == Kind::Complex {
        let value = path.attribute.value_sub_attribute();
        path.sub = Some(value.ok_or_else(|| refused("is a complex attribute; name one of its sub-attributes"))?);
    }
    Ok(Some(Sort { path, descending }))
}

fn query_hash(parameters: &Parameters, resource_type: ResourceType) -> [u8; 8] {
    let mut hash = Sha256::new();
    let parts = [&parameters.filter, &parameters.sort_by, &parameters.sort_order];
    hash.update(resource_type.name());
    for part in parts {
        let text = part.as_deref().unwrap_or_default();
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let mut short = [0; 8];
    short.copy_from_slice(&hash.finalize()[..8]);
    short
}

/// The frame of a `ListResponse`, in two pieces between which the caller writes the resources, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListFrame {
    /// How many resources the query has; may be left out with cursors only.
    pub total_results: Option<u64>,
    /// Echo of `startIndex`; `None` with cursors.
    pub start_index: Option<u64>,
    /// How many resources this page has.
    pub items_per_page: u64,
    /// Cursor of the next page; `None` on the last one.
    pub next_cursor: Option<String>,
}

impl ListFrame {
    /// What comes before the first resource.
    pub fn head(&self) -> String {
        // Writing to a String cannot fail.
        let mut text = format!("{{\"schemas\":[\"{LIST_RESPONSE_URN}\"]");
        let numbers = [("totalResults", self.total_results), ("startIndex", self.start_index)];
        for (name, number) in numbers {
            if let Some(number) = number {
                let _ = write!(text, ",\"{name}\":{number}");
            }
        }
        let _ = write!(text, ",\"itemsPerPage\":{}", self.items_per_page);
        if let Some(cursor) = &self.next_cursor {
            let _ = write!(text, ",\"nextCursor\":{}", Value::from(cursor.as_str()));
        }
        text.push_str(",\"Resources\":[");
        text
    }

    /// What comes after the last resource.
    pub const fn tail(&self) -> &'static str {
        "]}"
    }
}

#[cfg(test)]
mod tests;
