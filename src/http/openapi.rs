//! `/openapi.json`: every route of every listener, made from the SCIM schemas and two tables of endpoints.

mod beside_scim;
mod schemas;
#[cfg(test)]
mod tests;

use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Map, Value, json};

use super::state::State;

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
    post "/Users", "Creates a user", Some("User"), 201 Some("ShownUser"), SHOW;
    post "/Users/.search", "Searches users", Some("SearchRequest"), 200 Some("UserList"), &[];
    get "/Users/{id}", "Shows a user", None, 200 Some("ShownUser"), SHOW;
    put "/Users/{id}", "Replaces a user", Some("User"), 200 Some("ShownUser"), SHOW;
    patch "/Users/{id}", "Changes a user", Some("PatchOp"), 200 Some("ShownUser"), SHOW;
    delete "/Users/{id}", "Deletes a user; his ids are retired", None, 204 None, &[];
    get "/Groups", "Lists groups", None, 200 Some("GroupList"), LIST;
    post "/Groups", "Creates a group", Some("Group"), 201 Some("ShownGroup"), SHOW;
    post "/Groups/.search", "Searches groups", Some("SearchRequest"), 200 Some("GroupList"), &[];
    get "/Groups/{id}", "Shows a group", None, 200 Some("ShownGroup"), SHOW;
    put "/Groups/{id}", "Replaces a group and its members", Some("Group"), 200 Some("ShownGroup"), SHOW;
    patch "/Groups/{id}", "Changes a group; 200 with a body when `attributes` is given", Some("PatchOp"), 204 None, SHOW;
    delete "/Groups/{id}", "Deletes a group, unless it is somebody's primary group; its gid is retired", None, 204 None, &[];
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
    beside_scim::describe(base_url, &mut paths);
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Rollcall",
            "description": "SCIM 2.0 (RFC 7643, 7644, 9865), sign-in and NSS for users and groups of Posit Workbench.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": format!("{base_url}/scim/v2")}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas::all(),
        },
    })
}

/// One parameter; those of a path are required.
fn parameter(name: &str, place: &str, kind: &str) -> Value {
    json!({"name": name, "in": place, "required": place == "path", "schema": {"type": kind}})
}

/// The parameters that a path names in braces.
fn path_parameters(path: &str) -> impl Iterator<Item = Value> + '_ {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter(name, "path", "string"))
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut parameters: Vec<Value> = path_parameters(endpoint.path).collect();
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
        responses["200"] = json!({"description": "The group", "content": content("ShownGroup")});
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
