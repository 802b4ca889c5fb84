//! `/openapi.json`: what the API listener offers, made from the SCIM schemas and one table of endpoints.

use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Map, Value, json};

use super::state::State;
use crate::scim::schema::{Attribute, Kind, Mutability, ResourceType, Returned, Schema};

/// One endpoint: path below `/scim/v2`, method, what it does, body, answer.
struct Endpoint {
    path: &'static str,
    method: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    answer: (u16, Option<&'static str>),
    /// Which query parameters it takes.
    query: &'static [&'static str],
}

const LIST: &[&str] = &[
    "filter",
    "sortBy",
    "sortOrder",
    "startIndex",
    "count",
    "cursor",
    "attributes",
    "excludedAttributes",
];
const SHOW: &[&str] = &["attributes", "excludedAttributes"];

macro_rules! endpoints {
    ($($method:ident $path:literal, $summary:literal, $body:expr, $status:literal $answer:expr, $query:expr;)+) => {
        &[$(Endpoint {
            path: $path, method: stringify!($method), summary: $summary, body: $body,
            answer: ($status, $answer), query: $query,
        }),+]
    };
}

/// RFC 7644 §3.2, table 1, but for `/Me`, which is answered 501: what is not offered is not described.
const ENDPOINTS: &[Endpoint] = endpoints![
    get "/Users", "Lists users", None, 200 Some("UserList"), LIST;
    post "/Users", "Creates a user", Some("User"), 201 Some("User"), SHOW;
    post "/Users/.search", "Searches users", Some("SearchRequest"), 200 Some("UserList"), &[];
    get "/Users/{id}", "Shows a user", None, 200 Some("User"), SHOW;
    put "/Users/{id}", "Replaces a user", Some("User"), 200 Some("User"), SHOW;
    patch "/Users/{id}", "Changes a user", Some("PatchOp"), 200 Some("User"), SHOW;
    delete "/Users/{id}", "Deletes a user; his ids are retired", None, 204 None, &[];
    get "/Groups", "Lists groups", None, 200 Some("GroupList"), LIST;
    post "/Groups", "Creates a group", Some("Group"), 201 Some("Group"), SHOW;
    post "/Groups/.search", "Searches groups", Some("SearchRequest"), 200 Some("GroupList"), &[];
    get "/Groups/{id}", "Shows a group", None, 200 Some("Group"), SHOW;
    put "/Groups/{id}", "Replaces a group and its members", Some("Group"), 200 Some("Group"), SHOW;
    patch "/Groups/{id}", "Changes a group; 200 with a body when `attributes` is given", Some("PatchOp"), 204 None, SHOW;
    delete "/Groups/{id}", "Deletes a group; its gid is retired", None, 204 None, &[];
    post "/.search", "Searches users and groups", Some("SearchRequest"), 200 Some("ListResponse"), &[];
    post "/Bulk", "Runs many operations", Some("BulkRequest"), 200 Some("BulkResponse"), &[];
    get "/ServiceProviderConfig", "What this service can do", None, 200 Some("Object"), &[];
    get "/ServiceProviderConfigs", "The same under another name", None, 200 Some("Object"), &[];
    get "/Schemas", "All schemas", None, 200 Some("ListResponse"), &[];
    get "/Schemas/{urn}", "One schema", None, 200 Some("Object"), &[];
    get "/ResourceTypes", "All resource types", None, 200 Some("ListResponse"), &[];
    get "/ResourceTypes/{name}", "One resource type", None, 200 Some("Object"), &[];
];

/// `GET /openapi.json`.
pub async fn document(Shared(state): Shared<State>) -> Json<Value> {
    Json(describe(state.base_url.as_str()))
}

fn describe(base_url: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in ENDPOINTS {
        let item = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        item[endpoint.method] = operation(endpoint);
    }
    paths.insert("/oauth/token".into(), oauth(base_url));
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Rollcall",
            "description": "SCIM 2.0 (RFC 7643, 7644, 9865) for users and groups of Posit Workbench.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": format!("{base_url}/scim/v2")}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let parameter = |name: &str, place: &str, kind: &str| json!({"name": name, "in": place, "required": place == "path", "schema": {"type": kind}});
    let mut parameters: Vec<Value> = endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter(name, "path", "string"))
        .collect();
    parameters.extend(endpoint.query.iter().map(|name| {
        let kind = if matches!(*name, "startIndex" | "count") {
            "integer"
        } else {
            "string"
        };
        parameter(name, "query", kind)
    }));
    if endpoint.path.ends_with("{id}") {
        parameters.push(parameter(
            if endpoint.method == "get" {
                "If-None-Match"
            } else {
                "If-Match"
            },
            "header",
            "string",
        ));
    }
    let (status, answer) = endpoint.answer;
    let mut responses = json!({
        status.to_string(): match answer {
            Some(name) => json!({"description": endpoint.summary, "content": content(name)}),
            None => json!({"description": "Done"}),
        },
        "default": {"description": "A SCIM error", "content": content("Error")},
    });
    if endpoint.method == "patch" && status == 204 {
        responses["200"] = json!({"description": "The group", "content": content("Group")});
    }
    let mut operation = json!({"summary": endpoint.summary, "parameters": parameters, "responses": responses});
    if let Some(name) = endpoint.body {
        operation["requestBody"] = json!({"required": true, "content": content(name)});
    }
    operation
}

fn content(name: &str) -> Value {
    json!({"application/scim+json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}})
}

fn oauth(base_url: &str) -> Value {
    let text = json!({"type": "string"});
    json!({
        "servers": [{"url": base_url}],
        "post": {
            "summary": "Lends an access token (RFC 6749 §4.4)",
            "security": [],
            "requestBody": {"required": true, "content": {"application/x-www-form-urlencoded": {"schema": {
                "type": "object", "required": ["grant_type"],
                "properties": {"grant_type": {"type": "string", "enum": ["client_credentials"]},
                               "client_id": text, "client_secret": text, "scope": text}}}}},
            "responses": {
                "200": {"description": "The token", "content": {"application/json": {"schema": {"type": "object"}}}},
                "default": {"description": "An OAuth error", "content": {"application/json": {"schema": {"type": "object"}}}},
            },
        },
    })
}

fn schemas() -> Value {
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
        "User": resource(ResourceType::User),
        "Group": resource(ResourceType::Group),
        "UserList": list("User"),
        "GroupList": list("Group"),
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
        "Error": {"type": "object", "required": ["schemas", "status"], "properties": {
            "schemas": texts, "status": text, "scimType": text, "detail": text}},
    })
}

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
    let required: Vec<_> = resource_type
        .core()
        .attributes
        .iter()
        .filter(|a| a.required)
        .map(|attribute| attribute.name)
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_of_the_api_listener_is_described_and_nothing_else() {
        let routes: BTreeSet<String> = include_str!("../http.rs")
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|text| text.starts_with("/scim/v2/") || text.starts_with("/oauth/"))
            .map(|path| path.strip_prefix("/scim/v2").unwrap_or(path).to_owned())
            .filter(|path| !path.ends_with('/') && path != "/Me")
            .collect();
        let described = describe("http://x");
        let paths: BTreeSet<String> = described["paths"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(paths, routes);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let described = describe("http://x");
        let text = described.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(described["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
