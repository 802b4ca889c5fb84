//! The enterprise User extension (RFC 7643 §4.3; `manager.value` caseExact by erratum 8472).

use super::{Attribute, Schema};

const MANAGER: &[Attribute] = &[
    Attribute::string("value", "The id of the manager.").case_exact(),
    Attribute::reference("$ref", "The URI of the manager.", &["User"]),
    Attribute::string("displayName", "The name of the manager.").read_only(),
];

/// The enterprise User extension.
pub static ENTERPRISE_USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "Enterprise User",
    attributes: &[
        Attribute::string("employeeNumber", "The number that the organisation gave to the user."),
        Attribute::string("costCenter", "The cost centre."),
        Attribute::string("organization", "The organisation."),
        Attribute::string("division", "The division."),
        Attribute::string("department", "The department."),
        Attribute::complex("manager", "The user's manager.", MANAGER),
    ],
    aliases: &[],
};
