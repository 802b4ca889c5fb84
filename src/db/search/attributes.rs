//! Where the value of an attribute is found: a column, a place in the document, or a row beside it.

use crate::scim::schema::{AttributePath, Kind, POSIX_GROUP, POSIX_USER, ResourceType, WORKBENCH_USER};

use super::operand::Operand;

/// What the paths of a filter are relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope<'a> {
    /// A row `r` of the main view.
    Resource(ResourceType),
    /// A JSON object, an element of a multi-valued attribute or a complex attribute.
    Object(&'a str),
    /// A row `m` of `api.memberships`, as an element of `Group.members`.
    Member,
    /// A row `m` of `api.memberships` with its group `g`, as an element of `User.groups`.
    Group,
}

/// The operand of a path that ends at a simple, single-valued attribute.
pub(super) fn operand(scope: Scope<'_>, path: AttributePath) -> Operand {
    match scope {
        Scope::Resource(resource_type) => column(resource_type, path).unwrap_or_else(|| in_document(path)),
        Scope::Object(base) => in_object(base, path),
        Scope::Member => of_member(path),
        Scope::Group => of_group(path),
    }
}

/// The attributes that have a column.
fn column(resource_type: ResourceType, path: AttributePath) -> Option<Operand> {
    let (extension, attribute, sub) = path.key();
    let operand = match (extension, attribute, sub) {
        ("", "id", "") => Operand::Id("r.id".to_owned()),
        ("", "externalId", "") => Operand::text("r.external_id"),
        ("", "userName", "") => Operand::text("r.user_name_key"),
        ("", "displayName", "") => Operand::text("r.display_name_key"),
        ("", "active", "") => Operand::Boolean("(not r.locked)".to_owned()),
        ("", "meta", "created") => Operand::Time("r.created".to_owned()),
        ("", "meta", "lastModified") => Operand::Time("r.last_modified".to_owned()),
        ("", "meta", "version") => Operand::Version("r.version".to_owned()),
        ("", "meta", "resourceType") => Operand::Constant(resource_type.name()),
        ("", "meta", "location") => Operand::Location {
            prefix: endpoint(resource_type),
            id: "r.id".to_owned(),
        },
        (urn, name, "") if urn == WORKBENCH_USER.id => match name {
            "admin" => Operand::Boolean("r.admin".to_owned()),
            "posixUserName" => Operand::text("r.posix_name"),
            "posixUserId" => Operand::Integer("r.uid".to_owned()),
            "homeDirectory" => Operand::text("r.home"),
            "locked" => Operand::Boolean("r.locked".to_owned()),
            "lastSignIn" => Operand::Time("r.last_sign_in".to_owned()),
            _ => return None,
        },
        (urn, name, "") if urn == POSIX_USER.id => match name {
            "loginShell" => Operand::text("r.shell"),
            "posixGroupId" => Operand::Integer("r.primary_gid".to_owned()),
            _ => return None,
        },
        (urn, name, "") if urn == POSIX_GROUP.id => match name {
            "posixGroupName" => Operand::text("r.posix_name"),
            "posixGroupId" => Operand::Integer("r.gid".to_owned()),
            _ => return None,
        },
        _ => return None,
    };
    Some(operand)
}

fn endpoint(resource_type: ResourceType) -> String {
    format!("'{}/'", resource_type.endpoint())
}

/// The JSON of a whole attribute in the folded document.
pub(super) fn json(path: AttributePath) -> String {
    match path.extension {
        None => format!("r.doc_key->'{}'", path.attribute.name),
        Some(schema) => format!("r.doc_key#>'{{\"{}\",{}}}'", schema.id, path.attribute.name),
    }
}

fn in_document(path: AttributePath) -> Operand {
    let place = match (path.extension, path.sub) {
        (None, None) => {
            return leaf(path, &format!("r.doc_key->'{}'", path.attribute.name), || {
                format!("r.doc_key->>'{}'", path.attribute.name)
            });
        }
        (None, Some(sub)) => format!("{},{}", path.attribute.name, sub.name),
        (Some(schema), None) => format!("\"{}\",{}", schema.id, path.attribute.name),
        (Some(schema), Some(sub)) => format!("\"{}\",{},{}", schema.id, path.attribute.name, sub.name),
    };
    leaf(path, &format!("r.doc_key#>'{{{place}}}'"), || {
        format!("r.doc_key#>>'{{{place}}}'")
    })
}

fn in_object(base: &str, path: AttributePath) -> Operand {
    let name = path.leaf().name;
    leaf(path, &format!("{base}->'{name}'"), || format!("{base}->>'{name}'"))
}

/// Documents hold text and booleans only: every attribute of another type that a client may write has a column.
fn leaf(path: AttributePath, json: &str, text: impl Fn() -> String) -> Operand {
    match path.leaf().kind {
        Kind::String | Kind::Reference | Kind::Binary => Operand::DocumentText(format!("({})", text())),
        Kind::Boolean => Operand::DocumentBoolean(format!("({json})")),
        Kind::Complex => Operand::DocumentObject(format!("({json})")),
        Kind::Integer | Kind::DateTime => Operand::Absent,
    }
}

fn of_member(path: AttributePath) -> Operand {
    match path.leaf().name {
        "value" => Operand::Id("m.member_id".to_owned()),
        "type" => Operand::text("case when m.is_group then 'group' else 'user' end"),
        "$ref" => Operand::Location {
            prefix: "case when m.is_group then '/Groups/' else '/Users/' end".to_owned(),
            id: "m.member_id".to_owned(),
        },
        _ => Operand::Absent,
    }
}

fn of_group(path: AttributePath) -> Operand {
    match path.leaf().name {
        "value" => Operand::Id("m.group_id".to_owned()),
        "display" => Operand::text("g.display_name_key"),
        "type" => Operand::Constant("direct"),
        "$ref" => Operand::Location {
            prefix: endpoint(ResourceType::Group),
            id: "m.group_id".to_owned(),
        },
        _ => Operand::Absent,
    }
}
