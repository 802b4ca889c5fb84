//! The resource types, and the resolution of attribute notation against them (RFC 7643 §6, RFC 7644 §3.10).

use std::fmt;

use super::{Attribute, COMMON, ENTERPRISE_USER, GROUP, POSIX_GROUP, POSIX_USER, Schema, USER, WORKBENCH_USER, find};

/// A resource type of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceType {
    /// `/Users`.
    User,
    /// `/Groups`.
    Group,
}

/// What a piece of attribute notation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The URN of the core schema alone: the resource itself.
    Resource,
    /// The URN of an extension alone: all its attributes.
    Extension(&'static Schema),
    /// An attribute or sub-attribute.
    Attribute(AttributePath),
}

/// An attribute or sub-attribute of a resource type, resolved against its schemas.
#[derive(Debug, Clone, Copy)]
pub struct AttributePath {
    /// The extension that defines the attribute; `None` for the core schema and the common attributes.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// The sub-attribute, when the notation names one.
    pub sub: Option<&'static Attribute>,
}

impl AttributePath {
    /// The path of an attribute of the core schema, or of a sub-attribute inside a valuePath.
    pub const fn core(attribute: &'static Attribute) -> Self {
        Self {
            extension: None,
            attribute,
            sub: None,
        }
    }

    /// The definition at the end of the path.
    pub fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// Whether the path is the core or common attribute `name`, without a sub-attribute.
    pub fn is_core(&self, name: &str) -> bool {
        self.extension.is_none() && self.sub.is_none() && self.attribute.name == name
    }

    /// The spelling under which the path is known inside the program: (extension URN or "", attribute, sub or "").
    pub fn key(&self) -> (&'static str, &'static str, &'static str) {
        (
            self.extension.map_or("", |schema| schema.id),
            self.attribute.name,
            self.sub.map_or("", |sub| sub.name),
        )
    }
}

impl PartialEq for AttributePath {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for AttributePath {}

impl fmt::Display for AttributePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = self.extension {
            write!(formatter, "{}:", schema.id)?;
        }
        formatter.write_str(self.attribute.name)?;
        self.sub.map_or(Ok(()), |sub| write!(formatter, ".{}", sub.name))
    }
}

impl ResourceType {
    /// Both resource types, in the order in which `/ResourceTypes` lists them.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The name, as in `meta.resourceType`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The endpoint below the base URL, with its slash (erratum 8361).
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// The core schema.
    pub fn core(self) -> &'static Schema {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
        }
    }

    /// The extensions; all of them are optional.
    pub fn extensions(self) -> &'static [&'static Schema] {
        static USER_EXTENSIONS: [&Schema; 3] = [&ENTERPRISE_USER, &WORKBENCH_USER, &POSIX_USER];
        static GROUP_EXTENSIONS: [&Schema; 1] = [&POSIX_GROUP];
        match self {
            Self::User => &USER_EXTENSIONS,
            Self::Group => &GROUP_EXTENSIONS,
        }
    }

    /// The extension of that URN, compared without case.
    pub fn extension(self, urn: &str) -> Option<&'static Schema> {
        self.extensions()
            .iter()
            .copied()
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// The core or common attribute of that unqualified name, compared without case.
    pub fn attribute(self, name: &str) -> Option<&'static Attribute> {
        self.core().attribute(name).or_else(|| find(&COMMON, name))
    }

    /// Resolves attribute notation: `name`, `name.sub`, either with a URN before it, or a URN alone.
    ///
    /// Names and URNs compare without case. A name without a URN that the core schema lacks is looked up in the
    /// extensions, because clients write `manager` for the enterprise attribute. `None` when nothing has that name.
    pub fn resolve(self, notation: &str) -> Option<Target> {
        let core = self.core();
        if let Some(rest) = strip_urn(notation, core.id) {
            let Some(path) = rest else {
                return Some(Target::Resource);
            };
            return resolve_in(path, None, |name| self.attribute(name)).map(Target::Attribute);
        }
        for schema in self.extensions() {
            if let Some(rest) = strip_urn(notation, schema.id) {
                let Some(path) = rest else {
                    return Some(Target::Extension(schema));
                };
                return resolve_in(path, Some(schema), |name| schema.attribute(name)).map(Target::Attribute);
            }
        }
        let unqualified = resolve_in(notation, None, |name| self.attribute(name));
        let mut extensions = self.extensions().iter();
        let path = unqualified.or_else(|| {
            extensions.find_map(|schema| resolve_in(notation, Some(schema), |name| schema.attribute(name)))
        });
        path.map(Target::Attribute)
    }

    /// Like [`Self::resolve`], for places where only an attribute makes sense.
    pub fn resolve_attribute(self, notation: &str) -> Option<AttributePath> {
        match self.resolve(notation)? {
            Target::Attribute(path) => Some(path),
            Target::Resource | Target::Extension(_) => None,
        }
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What follows `urn` in `notation`: `None` when it does not start with it, `Some(None)` when nothing follows.
fn strip_urn<'a>(notation: &'a str, urn: &str) -> Option<Option<&'a str>> {
    let head = notation.get(..urn.len())?;
    if !head.eq_ignore_ascii_case(urn) {
        return None;
    }
    match &notation[urn.len()..] {
        "" => Some(None),
        rest => rest.strip_prefix(':').map(Some),
    }
}

fn resolve_in(
    notation: &str,
    extension: Option<&'static Schema>,
    lookup: impl Fn(&str) -> Option<&'static Attribute>,
) -> Option<AttributePath> {
    let (name, sub) = match notation.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (notation, None),
    };
    let attribute = lookup(name)?;
    let sub = match sub {
        Some(sub) => Some(attribute.sub_attribute(sub)?),
        None => None,
    };
    Some(AttributePath {
        extension,
        attribute,
        sub,
    })
}
