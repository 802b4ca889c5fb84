//! Microsoft Entra ID, with and without the flag `aadOptscim062020`.

use reqwest::Method;
use serde_json::{Value, json};

use super::Stage;

const MEDIA: &str = "application/scim+json; charset=utf-8";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[tokio::test]
async fn entra_matches_people_and_groups() {
    let stage = Stage::set("entra").await;
    stage
        .counts(
            "/Users",
            &[
                ("userName eq \"5e3d1e5e-1b1f-4c0e-a0ff-0c7f3f7c0c0c\"", 0),
                ("externalId eq \"Ext-Jane\"", 1),
                ("externalId eq \"ext-jane\"", 0),
                ("emails[type eq \"work\"].value eq \"JANE@example.com\"", 1),
                ("userName eq \"jane@example.com\" and active eq true", 1),
            ],
        )
        .await;
    stage
        .counts(
            "/Groups",
            &[
                ("displayName eq \"team\"", 1),
                ("id eq \"{team}\" and members eq \"{jane}\"", 1),
                ("id eq \"{team}\" and members eq \"{jack}\"", 0),
            ],
        )
        .await;
    let reads = stage
        .scim
        .get(&stage.fill("/Groups/{team}?excludedAttributes=members"))
        .await
        .expect(200);
    assert!(reads.body["members"].is_null());
    stage.end().await;
}

#[tokio::test]
async fn entra_creates_with_nulls_and_schemas_of_its_own() {
    let stage = Stage::set("entra").await;
    let body = json!({
        "schemas": [super::super::USER, ENTERPRISE], "externalId": "Mixed-Case", "userName": "Test_User_1", "active": true,
        "addresses": null, "phoneNumbers": null, "title": null, "department": null, "manager": null, "roles": [],
        "displayName": "Joy", "emails": [{"type": "work", "value": "joy@example.com", "primary": "True"}],
        "meta": {"resourceType": "User"}, "name": {"formatted": "Joy Young", "familyName": "Young", "givenName": "Joy"},
    });
    let created = stage.send(Method::POST, "/Users", MEDIA, &body).await.expect(201);
    assert_eq!(created.body["userName"], "Test_User_1");
    assert_eq!(created.body["externalId"], "Mixed-Case");
    assert_eq!(created.body["emails"][0]["primary"], true);
    for absent in ["title", "phoneNumbers", "addresses", "roles", "department", "manager"] {
        assert!(created.body[absent].is_null(), "{absent}");
    }
    let group = json!({
        "schemas": [super::super::GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0", "displayName": "entra", "meta": {"resourceType": "Group"},
    });
    let created = stage.send(Method::POST, "/Groups", MEDIA, &group).await.expect(201);
    assert_eq!(created.body["externalId"], "8aa1a0c0");
    stage.end().await;
}

#[tokio::test]
async fn entra_patches_people_in_its_old_and_its_new_manner() {
    let stage = Stage::set("entra").await;
    let manager = |value: Value| json!([{"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": value}]);
    let manager_value = "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value";
    stage
        .patches(
            "/Users/{jane}",
            &[
                (json!([{"op": "Replace", "path": "active", "value": "False"}]), "/active", json!(false)),
                (json!([{"op": "replace", "path": "active", "value": true}]), "/active", json!(true)),
                (json!([{"op": "Add", "path": "emails[type eq \"home\"].value", "value": "h@x"}]), "/emails/1", json!({"type": "home", "value": "h@x"})),
                (json!([{"op": "Replace", "path": "emails[type eq \"other\"].value", "value": "o@x"}]), "/emails/2/value", json!("o@x")),
                (json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "w@x"}]), "/emails/0/value", json!("w@x")),
                (json!([{"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1"}]), "/phoneNumbers/0/type", json!("mobile")),
                (json!([{"op": "replace", "value": {"displayName": "J", "name.givenName": "Y", format!("{ENTERPRISE}:employeeNumber"): "42"}}]), "/name/givenName", json!("Y")),
                (json!([{"op": "replace", "value": {"name.familyName": "Z"}}]), "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/employeeNumber", json!("42")),
                (json!([{"op": "Replace", "path": "displayName", "value": ""}]), "/displayName", Value::Null),
                (json!([{"op": "Replace", "path": "name.givenName", "value": null}]), "/name/givenName", Value::Null),
                (manager(json!("{jack}")), manager_value, json!("{jack}")),
                (manager(json!({"value": "{jane}", "$ref": null})), manager_value, json!("{jane}")),
                (manager(json!([{"value": "{jack}"}])), manager_value, json!("{jack}")),
                (json!([{"op": "Replace", "path": "manager", "value": ""}]), manager_value, Value::Null),
            ],
        )
        .await;
    stage
        .scim
        .patch(&stage.fill("/Users/{jane}"), &json!([]))
        .await
        .expect(200);
    stage.end().await;
}

#[tokio::test]
async fn entra_removes_only_the_members_it_names() {
    let stage = Stage::set("entra").await;
    stage
        .patches(
            "/Groups/{team}",
            &[
                (json!([{"op": "Add", "path": "members", "value": [{"value": "{jack}", "$ref": null}]}]), "/members/1/type", json!("User")),
                (json!([{"op": "Remove", "path": "members", "value": [{"value": "{jane}", "$ref": null}]}]), "/members/0/value", json!("{jack}")),
                (json!([{"op": "remove", "path": "members[value eq \"{jack}\"]"}]), "/members", Value::Null),
                (json!([{"op": "Replace", "path": "displayName", "value": "1879db59-3bdf-4490-ad68-ab880a269474updated"}]), "/displayName", json!("1879db59-3bdf-4490-ad68-ab880a269474updated")),
            ],
        )
        .await;
    stage.end().await;
}

#[tokio::test]
async fn another_client_gets_the_rfcs_answers_where_entra_gets_its_own() {
    let stage = Stage::set("strict").await;
    let path = stage.fill("/Users/{jane}");
    let unmatched = json!([{"op": "replace", "path": "emails[type eq \"other\"].value", "value": "o@x"}]);
    stage.scim.patch(&path, &unmatched).await.expect_error(400, "noTarget");
    stage
        .scim
        .patch(&path, &json!([]))
        .await
        .expect_error(400, "invalidSyntax");
    stage.end().await;
}
