//! The schemas of `/openapi.json`: of SCIM's resources from their definitions, of the rest by hand.

use serde_json::{Map, Value, json};

use crate::login::groups::GROUPS;
use crate::scim::schema::{Attribute, Kind, Mutability, ResourceType, Returned, Schema};

/// Every schema that a description refers to, by name.
pub(super) fn all() -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let list = |name: &str| {
        json!({"type": "object", "required": ["schemas"], "properties": {
            "schemas": {"type": "array", "items": {"type": "string"}},
            "totalResults": {"type": "integer"}, "startIndex": {"type": "integer"},
            "itemsPerPage": {"type": "integer"}, "nextCursor": {"type": "string"},
            "Resources": {"type": "array", "items": reference(name)}}})
    };
    let operations = json!({"type": "array", "items": {"type": "object"}});
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "User": written(ResourceType::User),
        "Group": written(ResourceType::Group),
        "ShownUser": resource(ResourceType::User),
        "ShownGroup": resource(ResourceType::Group),
        "UserList": list("ShownUser"),
        "GroupList": list("ShownGroup"),
        "ListResponse": list("Object"),
        "Object": {"type": "object"},
        "SearchRequest": {"type": "object", "properties": {
            "schemas": texts, "attributes": texts, "excludedAttributes": texts, "filter": text, "sortBy": text,
            "sortOrder": {"type": "string", "enum": ["ascending", "descending"]}, "startIndex": {"type": "integer"},
            "count": {"type": "integer"}, "cursor": text}},
        "PatchOp": {"type": "object", "required": ["Operations"], "properties": {"schemas": texts, "Operations": {
            "type": "array", "items": {"type": "object", "required": ["op"], "properties": {
                "op": {"type": "string", "enum": ["add", "remove", "replace"]}, "path": text, "value": {}}}}}},
        "BulkRequest": {"type": "object", "required": ["Operations"], "properties": {
            "schemas": texts, "failOnErrors": {"type": "integer"}, "Operations": operations}},
        "BulkResponse": {"type": "object", "properties": {"schemas": texts, "Operations": operations}},
        "Assertion": assertion(),
        "SignedIn": signed_in(),
        "Error": {"type": "object", "required": ["schemas", "status"], "properties": {
            "schemas": texts, "status": text, "scimType": text, "detail": text}},
    })
}

/// What a front end says of a person; anything but `userName` may be missing.
fn assertion() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "maxItems": GROUPS, "items": {"type": "string"}});
    json!({"type": "object", "required": ["userName"], "additionalProperties": false, "properties": {
        "userName": text, "provider": text, "subject": text, "issuedAt": {"type": "string", "format": "date-time"},
        "displayName": text, "email": text, "posixUserId": {"oneOf": [{"type": "integer"}, text]},
        "posixUserName": text, "homeDirectory": text,
        "groups": {
            "description": "Missing or null: unknown, memberships stay. Empty: of no group, all are removed.",
            "nullable": true, "oneOf": [text, texts]}}})
}

/// The provisioned user and what his sign-in changed.
fn signed_in() -> Value {
    let (text, number, flag) = (
        json!({"type": "string"}),
        json!({"type": "integer"}),
        json!({"type": "boolean"}),
    );
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({"type": "object", "required": ["user", "changed"], "properties": {
        "user": {"type": "object", "properties": {
            "id": text, "userName": text, "posixUserName": text, "posixUserId": number, "posixGroupId": number,
            "homeDirectory": text, "loginShell": text, "admin": flag}},
        "changed": flag, "created": flag, "updated": flag,
        "groups": {"type": "object", "properties": {"added": texts, "removed": texts, "created": number}}}})
}

/// A resource as a client sends it whole.
fn written(resource_type: ResourceType) -> Value {
    let required = resource_type.core().attributes.iter().filter(|a| a.required);
    let mut resource = resource(resource_type);
    resource["required"] = required.map(|attribute| attribute.name).collect();
    resource
}

/// A resource as an answer shows it: `attributes` may leave out what it must have.
fn resource(resource_type: ResourceType) -> Value {
    let mut properties = Map::new();
    properties.insert("schemas".into(), json!({"type": "array", "items": {"type": "string"}}));
    properties.insert("id".into(), json!({"type": "string", "readOnly": true}));
    properties.insert("externalId".into(), json!({"type": "string"}));
    properties.insert("meta".into(), json!({"type": "object", "readOnly": true}));
    properties.extend(attributes(resource_type.core()));
    for extension in resource_type.extensions() {
        properties.insert(
            extension.id.into(),
            json!({"type": "object", "properties": attributes(extension)}),
        );
    }
    json!({"type": "object", "properties": properties})
}

fn attributes(schema: &Schema) -> Map<String, Value> {
    schema
        .attributes
        .iter()
        .map(|attribute| (attribute.name.to_owned(), property(attribute)))
        .collect()
}

fn property(attribute: &Attribute) -> Value {
    let mut single = match attribute.kind {
        Kind::String | Kind::Reference | Kind::DateTime | Kind::Binary => json!({"type": "string"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::Complex => {
            let parts: Map<_, _> = attribute
                .sub_attributes
                .iter()
                .map(|part| (part.name.to_owned(), property(part)))
                .collect();
            json!({"type": "object", "properties": parts})
        }
    };
    if attribute.multi_valued {
        single = json!({"type": "array", "items": single});
    }
    if attribute.mutability == Mutability::ReadOnly {
        single["readOnly"] = true.into();
    }
    if attribute.returned == Returned::Never {
        single["writeOnly"] = true.into();
    }
    single
}
