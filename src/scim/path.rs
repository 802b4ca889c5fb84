//! PATCH paths: what an operation is applied to (RFC 7644 §3.5.2).

use std::fmt;

use super::error::ScimError;
use super::filter::{self, Filter};
use super::schema::{Attribute, AttributePath, ResourceType, Schema};

/// A PATCH path, resolved against the schemas of a resource type.
#[derive(Debug, Clone, PartialEq)]
pub enum Path {
    /// The URN of the core schema alone: the resource, as if the path were absent.
    Resource,
    /// The URN of an extension alone.
    Extension(&'static Schema),
    /// An attribute, or a sub-attribute of it.
    Attribute(AttributePath),
    /// The elements of a complex attribute that satisfy a filter, or a sub-attribute of them.
    Element {
        /// The complex attribute, without a sub-attribute.
        path: AttributePath,
        /// Which elements.
        filter: Filter,
        /// Which part of them, if not the whole.
        sub: Option<&'static Attribute>,
    },
}

impl Path {
    /// Parses a path.
    ///
    /// Raises 400 `invalidPath` when it is malformed, longer than [`super::limits::FILTER_BYTES`] or names an unknown
    /// attribute, and `invalidFilter` for a faulty filter in brackets.
    pub fn parse(resource_type: ResourceType, text: &str) -> Result<Self, ScimError> {
        filter::parse_path(resource_type, text)
    }

    /// The attribute that the path leads to; `None` when it leads to the resource or a whole extension.
    pub fn attribute(&self) -> Option<AttributePath> {
        match self {
            Self::Resource | Self::Extension(_) => None,
            Self::Attribute(path) | Self::Element { path, .. } => Some(*path),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource => Ok(()),
            Self::Extension(schema) => formatter.write_str(schema.id),
            Self::Attribute(path) => write!(formatter, "{path}"),
            Self::Element {
                path,
                filter,
                sub: None,
            } => write!(formatter, "{path}[{filter}]"),
            Self::Element {
                path,
                filter,
                sub: Some(sub),
            } => write!(formatter, "{path}[{filter}].{}", sub.name),
        }
    }
}

#[cfg(test)]
mod tests;
