//! Values without a path.

use super::*;

#[test]
fn flat_and_urn_keys_are_applied() {
    let after = patched(json!([{"op": "replace", "value": {
        "displayName": "Bjfe",
        "name.givenName": "Kkom",
        "name": {"familyName": "Unua"},
        "Active": "False",
        format!("{ENTERPRISE}:employeeNumber"): "Aklq",
        format!("{ENTERPRISE}:manager"): "m2",
        ENTERPRISE: {"department": "Sales"},
        "emails[type eq \"work\"].value": "new@x",
    }}]));
    assert_eq!(after["displayName"], "Bjfe");
    assert_eq!(after["name"], json!({"givenName": "Kkom", "familyName": "Unua"}));
    assert_eq!(after["active"], false);
    assert_eq!(
        after[ENTERPRISE],
        json!({"department": "Sales", "manager": {"value": "m2"}, "employeeNumber": "Aklq"})
    );
    assert_eq!(after["emails"][0]["value"], "new@x");
}

#[test]
fn the_own_id_schemas_and_unknown_members_are_tolerated() {
    let operations = json!([{"op": "replace", "value": {
        "id": ID, "schemas": ["urn:x"], "externalId": "ext-2", "nope": 1, "nothing": null, "urn:x:y": {},
    }}]);
    let after = patched(operations);
    let mut expected = Value::Object(jane());
    expected["externalId"] = "ext-2".into();
    assert_eq!(after, expected);
}

#[test]
fn another_id_is_refused() {
    assert_eq!(
        refusal(json!([{"op": "replace", "value": {"id": "other"}}])),
        "mutability"
    );
    assert_eq!(
        refusal(json!([{"op": "replace", "value": {"groups": []}}])),
        "mutability"
    );
}

#[test]
fn the_core_urn_as_a_path_is_no_path() {
    let path = "urn:ietf:params:scim:schemas:core:2.0:User";
    let after = patched(json!([{"op": "replace", "path": path, "value": {"title": "Prof"}}]));
    assert_eq!(after["title"], "Prof");
}

#[test]
fn an_extension_urn_as_a_path_takes_an_object() {
    let after = patched(json!([{"op": "add", "path": ENTERPRISE, "value": {"division": "D", "department": null}}]));
    assert_eq!(after[ENTERPRISE]["division"], "D");
    assert!(after[ENTERPRISE].get("department").is_none());
}
