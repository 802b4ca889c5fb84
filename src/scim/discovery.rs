//! The discovery documents: `/ServiceProviderConfig`, `/Schemas` and `/ResourceTypes` (RFC 7643 §5–§7, RFC 9865 §4).

use serde_json::{Map, Value, json};

use super::Dialect;
use super::limits::Limits;
use super::list::LIST_RESPONSE_URN;
use super::schema::{self, Attribute, Kind, ResourceType, Schema, Uniqueness};

const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SERVICE_PROVIDER_CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// `/ServiceProviderConfig`. `base_url` is the URL of the SCIM service without a slash at its end.
pub fn service_provider_config(base_url: &str, limits: &Limits) -> Value {
    json!({
        "schemas": [SERVICE_PROVIDER_CONFIG_URN],
        "patch": {"supported": true},
        "bulk": {
            "supported": true,
            "maxOperations": limits.bulk_operations,
            "maxPayloadSize": limits.bulk_bytes,
        },
        "filter": {"supported": true, "maxResults": limits.max_count},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_count,
            "maxPageSize": limits.max_count,
            "cursorTimeout": limits.cursor_seconds,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token issued by Rollcall, or an access token of its token endpoint",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": meta("ServiceProviderConfig", &format!("{base_url}/ServiceProviderConfig")),
    })
}

/// `/Schemas` as a dialect shows it, a `ListResponse`.
pub fn schemas(base_url: &str, dialect: Dialect) -> Value {
    let shown = schema::ALL.into_iter().filter(|schema| schema.is_shown_in(dialect));
    list(&shown.map(|schema| schema_json(base_url, schema)).collect::<Vec<_>>())
}

/// `/Schemas/{urn}`; `None` when there is no such schema, or the dialect does not show it.
pub fn schema_by_urn(base_url: &str, urn: &str, dialect: Dialect) -> Option<Value> {
    let schema = schema::by_urn(urn).filter(|schema| schema.is_shown_in(dialect))?;
    Some(schema_json(base_url, schema))
}

/// `/ResourceTypes` as a dialect shows it, a `ListResponse`.
pub fn resource_types(base_url: &str, dialect: Dialect) -> Value {
    list(&ResourceType::ALL.map(|resource_type| resource_type_json(base_url, resource_type, dialect)))
}

/// `/ResourceTypes/{name}`; `None` when there is no such resource type.
pub fn resource_type_by_name(base_url: &str, name: &str, dialect: Dialect) -> Option<Value> {
    let resource_type = ResourceType::ALL
        .into_iter()
        .find(|resource_type| resource_type.name() == name)?;
    Some(resource_type_json(base_url, resource_type, dialect))
}

fn list(resources: &[Value]) -> Value {
    json!({
        "schemas": [LIST_RESPONSE_URN],
        "totalResults": resources.len(),
        "startIndex": 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

fn meta(resource_type: &str, location: &str) -> Value {
    json!({"resourceType": resource_type, "location": location})
}

fn resource_type_json(base_url: &str, resource_type: ResourceType, dialect: Dialect) -> Value {
    let extensions: Vec<Value> = resource_type
        .extensions()
        .iter()
        .filter(|schema| schema.is_shown_in(dialect))
        .map(|schema| json!({"schema": schema.id, "required": false}))
        .collect();
    json!({
        "schemas": [RESOURCE_TYPE_URN],
        "id": resource_type.name(),
        "name": resource_type.name(),
        "description": resource_type.core().description,
        "endpoint": resource_type.endpoint(),
        "schema": resource_type.core().id,
        "schemaExtensions": extensions,
        "meta": meta("ResourceType", &format!("{base_url}/ResourceTypes/{}", resource_type.name())),
    })
}

fn schema_json(base_url: &str, schema: &Schema) -> Value {
    json!({
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(attribute_json).collect::<Vec<_>>(),
        "meta": meta("Schema", &format!("{base_url}/Schemas/{}", schema.id)),
    })
}

/// One attribute (RFC 7643 §7). What says nothing for a type is left out: `caseExact` of what is not text,
/// `uniqueness` of complex attributes (erratum 6004), empty lists.
fn attribute_json(attribute: &Attribute) -> Value {
    let mut json = Map::new();
    json.insert("name".to_owned(), attribute.name.into());
    json.insert("type".to_owned(), attribute.kind.as_str().into());
    json.insert("multiValued".to_owned(), attribute.multi_valued.into());
    json.insert("description".to_owned(), attribute.description.into());
    json.insert("required".to_owned(), attribute.required.into());
    if attribute.kind.is_text() {
        json.insert("caseExact".to_owned(), attribute.case_exact.into());
    }
    json.insert("mutability".to_owned(), attribute.mutability.as_str().into());
    json.insert("returned".to_owned(), attribute.returned.as_str().into());
    if attribute.kind != Kind::Complex && attribute.kind != Kind::Boolean || attribute.uniqueness != Uniqueness::None {
        json.insert("uniqueness".to_owned(), attribute.uniqueness.as_str().into());
    }
    if !attribute.canonical_values.is_empty() {
        json.insert("canonicalValues".to_owned(), attribute.canonical_values.into());
    }
    if !attribute.reference_types.is_empty() {
        json.insert("referenceTypes".to_owned(), attribute.reference_types.into());
    }
    if !attribute.sub_attributes.is_empty() {
        let subs = attribute.sub_attributes.iter().map(attribute_json).collect();
        json.insert("subAttributes".to_owned(), Value::Array(subs));
    }
    Value::Object(json)
}

#[cfg(test)]
mod tests;
