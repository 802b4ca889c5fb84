//! The core Group schema (RFC 7643 §4.2, §8.7.1; `displayName` required by erratum 5368).

use super::{Attribute, Schema};

// `display` is not in the RFC (erratum 6011), yet Okta, Canaille and others send it.
const MEMBERS: &[Attribute] = &[
    Attribute::string("value", "The id of the member.")
        .immutable()
        .case_exact(),
    Attribute::reference("$ref", "The URI of the member.", &["User", "Group"]).immutable(),
    Attribute::string("type", "What the member is.")
        .canonical(&["User", "Group"])
        .immutable(),
    Attribute::string("display", "The name of the member; accepted, ignored and not shown.").read_only(),
];

/// The core Group.
pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "Group",
    attributes: &[
        Attribute::string("displayName", "The name of the group.").required(),
        Attribute::complex("members", "The members of the group.", MEMBERS).multi_valued(),
    ],
    aliases: &[],
};
