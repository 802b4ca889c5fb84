//! Static schema definitions and the lookup of attribute names and URNs (RFC 7643).

mod attribute;
mod core_attributes;
mod enterprise;
mod group;
mod posix;
mod resource_type;
mod user;
mod workbench;

pub use attribute::{Attribute, Kind, Mutability, Returned, Uniqueness};
pub use core_attributes::COMMON;
pub use enterprise::ENTERPRISE_USER;
pub use group::GROUP;
pub use posix::{POSIX_GROUP, POSIX_USER, SSH_PUBLIC_KEYS};
pub use resource_type::{AttributePath, ResourceType, Target};
pub use user::USER;
pub use workbench::WORKBENCH_USER;

use super::Dialect;

/// A schema: a URN and the attributes it names (RFC 7643 §7).
#[derive(Debug)]
pub struct Schema {
    /// The URN.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// What the schema describes.
    pub description: &'static str,
    /// Attributes in the order in which `/Schemas` lists them.
    pub attributes: &'static [Attribute],
    /// Other spellings accepted on input: (alias, attribute name).
    pub aliases: &'static [(&'static str, &'static str)],
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Schema {}

impl Schema {
    /// Whether answers and discovery show the schema to clients of this dialect.
    pub fn is_shown_in(&self, dialect: Dialect) -> bool {
        let is_standard = self.id.starts_with("urn:ietf:");
        is_standard || !dialect.hides_other_schemas()
    }

    /// The attribute of that name or alias, compared without case (RFC 7643 §2.1).
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.attributes, name).or_else(|| {
            let (_, target) = self
                .aliases
                .iter()
                .find(|(alias, _)| alias.eq_ignore_ascii_case(name))?;
            find(self.attributes, target)
        })
    }
}

/// The attribute of that name, compared without case.
pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// Every schema the service knows, in the order in which `/Schemas` lists them.
pub static ALL: [&Schema; 6] = [
    &USER,
    &GROUP,
    &ENTERPRISE_USER,
    &WORKBENCH_USER,
    &POSIX_USER,
    &POSIX_GROUP,
];

/// The schema of that URN, compared without case.
pub fn by_urn(urn: &str) -> Option<&'static Schema> {
    ALL.into_iter().find(|schema| schema.id.eq_ignore_ascii_case(urn))
}

#[cfg(test)]
mod tests;
