//! Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644 §3.9).

use serde_json::{Map, Value};

use super::error::ScimError;
use super::limits::PROJECTION_ENTRIES;
use super::schema::{Attribute, AttributePath, ResourceType, Returned, Schema, Target};
use super::{Dialect, Document};

/// Which attributes an answer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    resource_type: ResourceType,
    mode: Mode,
    dialect: Dialect,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    Default,
    Only(Vec<Entry>),
    Except(Vec<Entry>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Extension(&'static Schema),
    Attribute(AttributePath),
}

/// How much of an attribute an answer shows.
enum Share {
    Nothing,
    Everything,
    /// Only these sub-attributes.
    Only(Vec<&'static Attribute>),
    /// All but these sub-attributes.
    Except(Vec<&'static Attribute>),
}

impl Projection {
    /// Everything that is returned by default.
    pub const fn default_for(resource_type: ResourceType) -> Self {
        Self {
            resource_type,
            mode: Mode::Default,
            dialect: Dialect::Strict,
        }
    }

    /// The same, of what a dialect shows.
    #[must_use]
    pub const fn in_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Reads the two parameters, each a comma-separated list of attributes, sub-attributes and extension URNs.
    /// Unknown names are ignored, and an empty parameter is an absent one.
    ///
    /// Raises 400 `invalidValue` when both are given or one has more than [`PROJECTION_ENTRIES`] entries.
    pub fn parse(
        resource_type: ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self, ScimError> {
        let given = |list: Option<&str>| list.is_some_and(|list| !list.trim().is_empty());
        let mode = match (given(attributes), given(excluded)) {
            (true, true) => {
                return Err(ScimError::invalid_value(
                    "Use \"attributes\" or \"excludedAttributes\", not both.",
                ));
            }
            (true, false) => Mode::Only(entries(resource_type, attributes.unwrap_or_default())?),
            (false, true) => Mode::Except(entries(resource_type, excluded.unwrap_or_default())?),
            (false, false) => Mode::Default,
        };
        Ok(Self {
            resource_type,
            mode,
            dialect: Dialect::Strict,
        })
    }

    /// Whether the request named attributes with `attributes`: a PATCH must then answer with a body.
    pub fn is_explicit(&self) -> bool {
        matches!(self.mode, Mode::Only(_))
    }

    /// Whether any part of the core attribute `name` is shown, so that a caller can skip reading what is not.
    pub fn wants(&self, name: &str) -> bool {
        let Some(attribute) = self.resource_type.attribute(name) else {
            return false;
        };
        !matches!(self.share(AttributePath::core(attribute)), Share::Nothing)
    }

    /// Takes away what the projection does not show.
    pub fn apply(&self, document: &mut Document) {
        let keys: Vec<String> = document.keys().cloned().collect();
        for key in keys {
            if key == "schemas" {
                continue;
            }
            let shown = match self.resource_type.extension(&key) {
                Some(schema) if !schema.is_shown_in(self.dialect) => {
                    forget(document, schema);
                    false
                }
                Some(schema) => self.apply_to_extension(document, schema),
                None => match self.resource_type.attribute(&key) {
                    Some(attribute) => self.apply_to(document, AttributePath::core(attribute)),
                    None => false,
                },
            };
            if !shown {
                document.shift_remove(&key);
            }
        }
    }

    fn apply_to_extension(&self, document: &mut Document, schema: &'static Schema) -> bool {
        let Some(Value::Object(parts)) = document.get_mut(schema.id) else {
            return false;
        };
        for attribute in schema.attributes {
            let path = AttributePath {
                extension: Some(schema),
                attribute,
                sub: None,
            };
            if !self.apply_to(parts, path) {
                parts.shift_remove(attribute.name);
            }
        }
        !parts.is_empty()
    }

    /// Reduces the attribute inside its owner; `false` when nothing of it is left.
    fn apply_to(&self, owner: &mut Map<String, Value>, path: AttributePath) -> bool {
        let Some(value) = owner.get_mut(path.attribute.name) else {
            return false;
        };
        match self.share(path) {
            Share::Nothing => false,
            Share::Everything => true,
            Share::Only(subs) => keep_parts(value, |name| subs.iter().any(|sub| sub.name == name)),
            Share::Except(subs) => keep_parts(value, |name| !subs.iter().any(|sub| sub.name == name)),
        }
    }

    fn share(&self, path: AttributePath) -> Share {
        match path.attribute.returned {
            Returned::Always => return Share::Everything,
            Returned::Never => return Share::Nothing,
            Returned::Request if !self.is_explicit() => return Share::Nothing,
            Returned::Default | Returned::Request => {}
        }
        match &self.mode {
            Mode::Default => Share::Everything,
            Mode::Only(entries) => match named(entries, path) {
                Named::Whole => Share::Everything,
                Named::Parts(subs) if subs.is_empty() => Share::Nothing,
                Named::Parts(subs) => Share::Only(subs),
            },
            Mode::Except(entries) => match named(entries, path) {
                Named::Whole => Share::Nothing,
                Named::Parts(subs) if subs.is_empty() => Share::Everything,
                Named::Parts(subs) => Share::Except(subs),
            },
        }
    }
}

/// Takes a schema out of `schemas`.
fn forget(document: &mut Document, schema: &Schema) {
    if let Some(Value::Array(urns)) = document.get_mut("schemas") {
        urns.retain(|urn| urn != schema.id);
    }
}

/// What a list says about one attribute.
enum Named {
    Whole,
    Parts(Vec<&'static Attribute>),
}

fn named(entries: &[Entry], path: AttributePath) -> Named {
    let mut parts = Vec::new();
    for entry in entries {
        match entry {
            Entry::Extension(schema) if path.extension == Some(schema) => return Named::Whole,
            Entry::Attribute(other) if (AttributePath { sub: None, ..*other }) == path => match other.sub {
                Some(sub) => parts.push(sub),
                None => return Named::Whole,
            },
            Entry::Extension(_) | Entry::Attribute(_) => {}
        }
    }
    Named::Parts(parts)
}

fn entries(resource_type: ResourceType, list: &str) -> Result<Vec<Entry>, ScimError> {
    if list.split(',').nth(PROJECTION_ENTRIES).is_some() {
        return Err(ScimError::invalid_value(format!(
            "A list of attributes has more than {PROJECTION_ENTRIES} entries."
        )));
    }
    let entries = list
        .split(',')
        .filter_map(|name| match resource_type.resolve(name.trim())? {
            Target::Attribute(path) => Some(Entry::Attribute(path)),
            Target::Extension(schema) => Some(Entry::Extension(schema)),
            Target::Resource => None,
        });
    Ok(entries.collect())
}

/// Keeps the parts of an object, or of every object in an array; `false` when nothing is left.
fn keep_parts(value: &mut Value, keep: impl Fn(&str) -> bool + Copy) -> bool {
    match value {
        Value::Object(parts) => {
            parts.retain(|name, _| keep(name));
            !parts.is_empty()
        }
        Value::Array(elements) => {
            elements.retain_mut(|element| keep_parts(element, keep));
            !elements.is_empty()
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
