//! Tests of the discovery documents.

use super::*;

const BASE: &str = "https://scim.example.org/scim/v2";

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(parts) => parts.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[test]
fn the_config_has_every_member_that_clients_parse() {
    let config = service_provider_config(BASE, &Limits::default());
    for pointer in [
        "/bulk/maxOperations",
        "/bulk/maxPayloadSize",
        "/filter/maxResults",
        "/pagination/maxPageSize",
    ] {
        assert!(config.pointer(pointer).is_some_and(Value::is_u64), "{pointer}");
    }
    for pointer in [
        "/patch/supported",
        "/sort/supported",
        "/etag/supported",
        "/pagination/cursor",
        "/pagination/index",
    ] {
        assert_eq!(config.pointer(pointer), Some(&Value::Bool(true)), "{pointer}");
    }
    assert_eq!(config["changePassword"]["supported"], false);
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(config["meta"]["location"], format!("{BASE}/ServiceProviderConfig"));
}

#[test]
fn every_schema_is_listed_without_nulls() {
    let list = schemas(BASE, Dialect::Strict);
    assert_eq!(list["totalResults"], 6);
    assert!(!has_null(&list) && !has_null(&resource_types(BASE, Dialect::Strict)));
    let ids: Vec<_> = list["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|schema| schema["id"].as_str().unwrap())
        .collect();
    for id in ids {
        assert_eq!(
            schema_by_urn(BASE, &id.to_uppercase(), Dialect::Strict).unwrap()["id"],
            id
        );
    }
    assert!(schema_by_urn(BASE, "urn:nope", Dialect::Strict).is_none());
}

#[test]
fn email_types_drive_the_mapping_screen_of_entra() {
    let user = schema_by_urn(BASE, "urn:ietf:params:scim:schemas:core:2.0:User", Dialect::Strict).unwrap();
    let emails = user["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|attribute| attribute["name"] == "emails")
        .unwrap();
    let kind = emails["subAttributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|sub| sub["name"] == "type")
        .unwrap();
    assert_eq!(kind["canonicalValues"], json!(["work", "home", "other"]));
    assert!(emails.get("uniqueness").is_none());
    assert_eq!(emails["multiValued"], true);
}

#[test]
fn resource_types_name_their_extensions() {
    let user = resource_type_by_name(BASE, "User", Dialect::Strict).unwrap();
    assert_eq!(user["endpoint"], "/Users");
    assert_eq!(user["schemaExtensions"].as_array().unwrap().len(), 3);
    assert!(
        user["schemaExtensions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|extension| extension["required"] == false)
    );
    assert!(resource_type_by_name(BASE, "Device", Dialect::Strict).is_none());
    assert_eq!(resource_types(BASE, Dialect::Strict)["totalResults"], 2);
}

#[test]
fn a_dialect_of_the_rfc_alone_lists_no_extension_of_ours() {
    let (core, workbench) = (Dialect::Core, schema::WORKBENCH_USER.id);
    assert_eq!(schemas(BASE, core)["totalResults"], 3);
    assert!(schema_by_urn(BASE, workbench, core).is_none());
    let user = resource_type_by_name(BASE, "User", core).unwrap();
    assert_eq!(
        user["schemaExtensions"],
        json!([{"schema": schema::ENTERPRISE_USER.id, "required": false}])
    );
    let group = resource_type_by_name(BASE, "Group", core).unwrap();
    assert_eq!(group["schemaExtensions"], json!([]));
}
