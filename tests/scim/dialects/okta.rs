//! Okta.

use reqwest::Method;
use serde_json::{Value, json};

use super::Stage;

const MEDIA: &str = "application/scim+json; charset=utf-8";

#[tokio::test]
async fn okta_tests_the_connection_and_looks_for_people() {
    let stage = Stage::set("okta").await;
    let test = stage.scim.get("/Users?startIndex=1&count=2").await.expect(200);
    assert_eq!(test.body["startIndex"], 1);
    assert!(
        test.body["totalResults"].is_u64() && test.body["itemsPerPage"].is_u64(),
        "integers, never strings"
    );
    let nobody = [
        ("filter", "userName eq \"nobody@example.com\""),
        ("startIndex", "1"),
        ("count", "100"),
    ];
    let none = stage.scim.query("/Users", &nobody).await.expect(200);
    assert_eq!(none.body["Resources"], json!([]));
    stage.counts("/Users", &[("userName eq \"Jane@Example.com\"", 1)]).await;
    stage.end().await;
}

#[tokio::test]
async fn okta_creates_people_with_a_placeholder_password() {
    let stage = Stage::set("okta").await;
    let body = json!({
        "schemas": [super::super::USER], "userName": "new@example.com", "name": {"givenName": "N", "familyName": "W"},
        "emails": [{"primary": true, "value": "new@example.com", "type": "work"}], "displayName": "N W",
        "locale": "en-US", "externalId": "00u1", "groups": [], "password": "1mz050nq", "active": true,
    });
    let created = stage.send(Method::POST, "/Users", MEDIA, &body).await.expect(201);
    assert!(created.body["password"].is_null() && created.body["active"] == true);
    let conflict = stage
        .send(Method::POST, "/Users", MEDIA, &body)
        .await
        .expect_error(409, "uniqueness");
    let detail = conflict.body["detail"].as_str().unwrap();
    assert!(detail.contains("userName"), "the administrator reads why: {detail}");
    stage.end().await;
}

#[tokio::test]
async fn okta_patches_without_paths() {
    let stage = Stage::set("okta").await;
    stage
        .patches(
            "/Users/{jane}",
            &[
                (
                    json!([{"op": "replace", "value": {"active": false}}]),
                    "/active",
                    json!(false),
                ),
                (
                    json!([{"op": "replace", "value": {"active": true, "password": "x"}}]),
                    "/active",
                    json!(true),
                ),
            ],
        )
        .await;
    stage
        .patches(
            "/Groups/{team}",
            &[
                (
                    json!([{"op": "replace", "value": {"id": "{team}", "displayName": "Crew"}}]),
                    "/displayName",
                    json!("Crew"),
                ),
                (
                    json!([{"op": "add", "path": "members", "value": [{"value": "{jack}", "display": "jack@example.com"}]}]),
                    "/members/1/type",
                    json!("User"),
                ),
                (
                    json!([{"op": "replace", "value": {"id": "{team}", "displayName": "Crew"}},
                           {"op": "remove", "path": "members[value eq \"{jack}\"]"}]),
                    "/members/0/value",
                    json!("{jane}"),
                ),
                (json!([{"op": "replace", "path": "members", "value": []}]), "/members", Value::Null),
            ],
        )
        .await;
    stage.end().await;
}

#[tokio::test]
async fn okta_puts_profiles_and_deletes_groups_only() {
    let stage = Stage::set("okta").await;
    let body = json!({
        "schemas": [super::super::USER], "id": "{jane}", "userName": "jane@example.com", "externalId": "00u2",
        "name": {"givenName": "Jane", "familyName": "Roe"}, "active": false, "groups": [], "meta": {"resourceType": "User"},
    });
    let replaced = stage.send(Method::PUT, "/Users/{jane}", MEDIA, &body).await.expect(200);
    assert_eq!(replaced.body["name"]["familyName"], "Roe");
    assert_eq!(replaced.body["active"], false);
    stage.scim.delete(&stage.fill("/Groups/{team}")).await.expect(204);
    stage
        .scim
        .with_token("bad")
        .get("/Users?count=1")
        .await
        .expect_error(401, "");
    stage.end().await;
}
