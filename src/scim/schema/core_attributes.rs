//! The attributes every resource has: `schemas`, `id`, `externalId` and `meta` (RFC 7643 §3.1).

use super::{Attribute, Returned};

const META: &[Attribute] = &[
    Attribute::string("resourceType", "The name of the resource type.")
        .read_only()
        .case_exact(),
    Attribute::date_time("created", "When the resource was created.").read_only(),
    Attribute::date_time("lastModified", "When the resource was last changed.").read_only(),
    Attribute::reference("location", "The URI of the resource.", &["uri"]).read_only(),
    Attribute::string("version", "The version of the resource, equal to its ETag.")
        .read_only()
        .case_exact(),
];

/// Attributes that belong to no schema and that every resource has.
pub static COMMON: [Attribute; 4] = [
    Attribute::reference("schemas", "The URNs of the schemas in use.", &["uri"])
        .multi_valued()
        .returned(Returned::Always),
    Attribute::string("id", "The identifier that the service gave to the resource.")
        .read_only()
        .case_exact()
        .unique()
        .returned(Returned::Always),
    Attribute::string("externalId", "The identifier that the client gave to the resource.").case_exact(),
    Attribute::complex("meta", "Data about the resource.", META).read_only(),
];
