//! `JumpCloud`.

use reqwest::Method;
use serde_json::{Value, json};

use super::Stage;

#[tokio::test]
async fn jumpcloud_activates_with_a_test_user_and_a_test_group() {
    let stage = Stage::set("jumpcloud").await;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", super::super::USER],
        "userName": "test@jumpcloud.example", "name": {"familyName": "T", "givenName": "U"}, "active": true,
        "emails": [{"type": "work", "value": "test@jumpcloud.example", "primary": true}],
        "phoneNumbers": [{"type": "work", "value": "tel:+1-201-555-0123"}],
        "addresses": [{"type": "work", "primary": true, "country": "US"}],
    });
    let created = stage
        .send(Method::POST, "/Users", "application/json", &body)
        .await
        .expect(201);
    assert_eq!(
        created.body["phoneNumbers"][0]["value"], "tel:+1-201-555-0123",
        "stored as sent"
    );
    assert_eq!(created.body["addresses"][0]["primary"], true);
    let group = stage
        .send(
            Method::POST,
            "/Groups",
            "application/json",
            &json!({"schemas": [super::super::GROUP], "displayName": "t"}),
        )
        .await
        .expect(201);
    stage.scim.delete(&format!("/Groups/{}", group.id())).await.expect(204);
    stage.scim.delete(&format!("/Users/{}", created.id())).await.expect(204);
    stage.end().await;
}

#[tokio::test]
async fn jumpcloud_puts_minimal_bodies_and_patches_one_attribute_at_a_time() {
    let stage = Stage::set("jumpcloud").await;
    let body = json!({
        "schemas": [super::super::USER], "id": "{jane}", "userName": "jane@example.com", "active": true, "emails": null,
        "phoneNumbers": [], "addresses": [], "name": {"familyName": "D", "givenName": "J"},
    });
    let replaced = stage
        .send(Method::PUT, "/Users/{jane}", "application/json", &body)
        .await
        .expect(200);
    assert!(replaced.body["emails"].is_null());
    stage
        .patches(
            "/Users/{jane}",
            &[
                (json!([{"op": "replace", "path": "name.familyName", "value": "X"}, {"op": "replace", "path": "active", "value": false}]), "/name", json!({"givenName": "J", "familyName": "X"})),
                (json!([{"op": "replace", "path": "emails", "value": [{"value": "a@x", "type": "work", "primary": true}]}]), "/emails/0/value", json!("a@x")),
            ],
        )
        .await;
    stage
        .patches(
            "/Groups/{team}",
            &[
                (
                    json!([{"op": "add", "path": "members", "value": [{"value": "{jack}"}]}]),
                    "/members/1/type",
                    json!("User"),
                ),
                (
                    json!([{"op": "remove", "path": "members", "value": [{"value": "{jane}"}, {"value": "{jack}"}]}]),
                    "/members",
                    Value::Null,
                ),
            ],
        )
        .await;
    stage.end().await;
}
