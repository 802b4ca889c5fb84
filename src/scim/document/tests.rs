//! Tests of normalising.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a JSON literal reads better without a borrow"
)]

mod limits;
mod properties;

use serde_json::json;

use super::*;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

fn user(body: Value) -> Result<Document, ScimError> {
    normalise(ResourceType::User, object(body).unwrap(), Dialect::Strict)
}

fn normalised(body: Value) -> Value {
    Value::Object(user(body.clone()).unwrap_or_else(|error| panic!("{body}: {error}")))
}

fn refusal(body: Value) -> &'static str {
    let error = user(body.clone()).expect_err(&body.to_string());
    assert_eq!(error.status, 400);
    error.scim_type.unwrap().as_str()
}

#[test]
fn names_get_their_canonical_spelling_and_values_stay() {
    assert_eq!(
        normalised(
            json!({"USERNAME": "Jane@X.org", "Name": {"GIVENNAME": " J "}, "phonenumbers": [{"Value": "tel:+1-5"}]})
        ),
        json!({"schemas": [CORE], "userName": "Jane@X.org", "name": {"givenName": " J "}, "phoneNumbers": [{"value": "tel:+1-5"}]})
    );
}

#[test]
fn null_empty_and_absent_are_one_state() {
    assert_eq!(
        normalised(json!({
            "userName": "jane", "title": null, "nickName": "", "emails": [], "phoneNumbers": null, "name": {},
            "roles": [null], "addresses": [{"type": ""}], "active": null, ENTERPRISE: {"department": null},
        })),
        json!({"schemas": [CORE], "userName": "jane"})
    );
}

#[test]
fn read_only_and_unknown_attributes_are_dropped() {
    assert_eq!(
        normalised(json!({
            "id": "x", "meta": {"resourceType": "User"}, "groups": [{"value": "g"}], "password": "secret", "nope": 1,
            "userName": "jane", "department": "x", "manager": null, "urn:unknown:User": {"a": 1},
            WORKBENCH: {"locked": true, "lastSignIn": "2024-01-01T00:00:00Z", "admin": true, "nope": []},
            ENTERPRISE: {"manager": {"value": "m", "displayName": "Boss"}},
        })),
        json!({
            "schemas": [CORE, ENTERPRISE, WORKBENCH], "userName": "jane", WORKBENCH: {"admin": true},
            ENTERPRISE: {"manager": {"value": "m"}},
        })
    );
}

#[test]
fn booleans_may_be_strings() {
    let body = json!({"userName": "jane", "active": "False", "emails": [{"value": "x", "primary": "True"}]});
    assert_eq!(
        normalised(body),
        json!({"schemas": [CORE], "userName": "jane", "active": false, "emails": [{"value": "x", "primary": true}]})
    );
    assert_eq!(refusal(json!({"userName": "jane", "active": "yes"})), "invalidValue");
    assert_eq!(refusal(json!({"userName": "jane", "active": 1})), "invalidValue");
}

#[test]
fn a_manager_may_be_a_string_an_array_or_an_object() {
    for manager in [
        json!("m"),
        json!([{"value": "m"}]),
        json!(["m"]),
        json!({"value": "m", "$ref": null}),
    ] {
        let body = json!({"userName": "jane", ENTERPRISE: {"manager": manager}});
        assert_eq!(normalised(body)[ENTERPRISE], json!({"manager": {"value": "m"}}));
    }
    assert!(
        normalised(json!({"userName": "jane", ENTERPRISE: {"manager": ""}}))
            .get(ENTERPRISE)
            .is_none()
    );
    assert_eq!(
        refusal(json!({"userName": "jane", ENTERPRISE: {"manager": 5}})),
        "invalidValue"
    );
}

#[test]
fn flat_keys_mean_their_nested_places() {
    assert_eq!(
        normalised(json!({
            "userName": "jane", "name.givenName": "J", "name": {"familyName": "D"},
            format!("{ENTERPRISE}:department"): "R&D", format!("{WORKBENCH}:posixUid"): 10001,
        })),
        json!({
            "schemas": [CORE, ENTERPRISE, WORKBENCH], "userName": "jane",
            "name": {"givenName": "J", "familyName": "D"}, ENTERPRISE: {"department": "R&D"},
            WORKBENCH: {"posixUserId": 10001},
        })
    );
}

#[test]
fn workbench_aliases_are_read_inside_the_extension() {
    let body = json!({"userName": "jane", WORKBENCH: {"posixName": "jane", "posixUid": 10001}});
    assert_eq!(
        normalised(body)[WORKBENCH],
        json!({"posixUserName": "jane", "posixUserId": 10001})
    );
}

#[test]
fn exact_duplicates_are_kept_once() {
    let body = json!({"userName": "jane", "emails": [{"value": "x", "type": "work"}, {"type": "work", "value": "x"}]});
    assert_eq!(normalised(body)["emails"], json!([{"value": "x", "type": "work"}]));
}

#[test]
fn two_primary_values_are_refused() {
    let body =
        json!({"userName": "jane", "emails": [{"value": "x", "primary": true}, {"value": "y", "primary": true}]});
    assert_eq!(refusal(body), "invalidValue");
}

#[test]
fn schemas_must_list_the_core_schema_when_present() {
    normalised(json!({"userName": "jane"}));
    normalised(json!({"userName": "jane", "schemas": []}));
    normalised(json!({"userName": "jane", "schemas": ["urn:x", CORE.to_uppercase()]}));
    assert_eq!(
        refusal(json!({"userName": "jane", "schemas": [ENTERPRISE]})),
        "invalidSyntax"
    );
    assert_eq!(refusal(json!({"userName": "jane", "schemas": CORE})), "invalidSyntax");
}

#[test]
fn required_attributes_must_have_a_value() {
    assert_eq!(refusal(json!({})), "invalidValue");
    assert_eq!(refusal(json!({"userName": ""})), "invalidValue");
    let group = normalise(
        ResourceType::Group,
        object(json!({"members": []})).unwrap(),
        Dialect::Strict,
    );
    assert_eq!(group.unwrap_err().scim_type.unwrap().as_str(), "invalidValue");
}

#[test]
fn wrong_types_are_refused() {
    for (attribute, value) in [
        ("userName", json!(5)),
        ("userName", json!({"value": "x"})),
        ("title", json!(["x"])),
        ("title", json!("a\u{0}b")),
        ("name", json!("Jane")),
        ("name", json!([{"givenName": "a"}, {"givenName": "b"}])),
        ("name", json!([[{"givenName": "a"}]])),
        ("emails", json!("x")),
        ("emails", json!(["x"])),
        ("emails", json!({"value": "x"})),
        ("emails", json!([{"value": 5}])),
        ("emails", json!([[{"value": "x"}]])),
        ("x509Certificates", json!([{"value": "not base64!"}])),
        (WORKBENCH, json!("x")),
        (WORKBENCH, json!({"posixUserId": "10001"})),
        (WORKBENCH, json!({"posixUserId": 1.5})),
    ] {
        let mut body = json!({"userName": "jane"});
        body[attribute] = value;
        assert_eq!(refusal(body), "invalidValue");
    }
}

#[test]
fn emails_may_be_one_object_in_the_onelogin_dialect_only() {
    let body = object(json!({"userName": "jane", "emails": {"value": "x"}, "phoneNumbers": null})).unwrap();
    let document = normalise(ResourceType::User, body, Dialect::OneLogin).unwrap();
    assert_eq!(document["emails"], json!([{"value": "x"}]));
    let phone = object(json!({"userName": "jane", "phoneNumbers": {"value": "x"}})).unwrap();
    assert!(normalise(ResourceType::User, phone, Dialect::OneLogin).is_err());
}

#[test]
fn a_body_must_be_an_object() {
    for body in [json!([]), json!("x"), json!(null)] {
        assert_eq!(object(body).unwrap_err().scim_type.unwrap().as_str(), "invalidSyntax");
    }
}
