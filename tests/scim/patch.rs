//! PATCH of users (RFC 7644 §3.5.2).

use serde_json::{Value, json};

use super::{POSIX, WORKBENCH, user};
use crate::harness::Rollcall;

fn jane() -> Value {
    let mut body = user("jane");
    body["name"] = json!({"givenName": "Jane", "familyName": "Doe"});
    body["emails"] =
        json!([{"value": "jane@work", "type": "work", "primary": true}, {"value": "jane@home", "type": "home"}]);
    body["title"] = "Dr".into();
    body
}

/// What of a user a PATCH can change, without the versions and times that follow from it.
fn substance(mut body: Value) -> Value {
    for key in ["id", "meta", "userName", WORKBENCH, POSIX] {
        body.as_object_mut().unwrap().remove(key);
    }
    body
}

#[tokio::test]
async fn operations_in_one_request_equal_the_same_one_by_one() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let operations = [
        json!({"op": "add", "path": "emails", "value": [{"value": "third@x", "type": "other"}]}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@work"}),
        json!({"op": "remove", "path": "emails[type eq \"home\"]"}),
        json!({"op": "replace", "path": "name.givenName", "value": "Janet"}),
        json!({"op": "replace", "path": "name", "value": {"middleName": "M"}}),
        json!({"op": "remove", "path": "title"}),
        json!({"op": "add", "value": {"nickName": "J", "name.honorificPrefix": "Prof"}}),
        json!({"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "R&D"}),
        json!({"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "tel:+1-555"}),
        json!({"op": "replace", "path": "active", "value": "False"}),
    ];
    let mut other = jane();
    other["userName"] = "jack".into();
    let at_once = scim.post("/Users", &jane()).await.expect(201);
    let one_by_one = scim.post("/Users", &other).await.expect(201);
    let together = scim
        .patch(&format!("/Users/{}", at_once.id()), &json!(operations))
        .await
        .expect(200);
    let path = format!("/Users/{}", one_by_one.id());
    for operation in operations {
        scim.patch(&path, &json!([operation])).await.expect(200);
    }
    let apart = scim.get(&path).await.expect(200);
    assert_eq!(
        together.body["name"],
        json!({"givenName": "Janet", "familyName": "Doe", "middleName": "M", "honorificPrefix": "Prof"})
    );
    assert_eq!(together.body["emails"].as_array().unwrap().len(), 2);
    assert_eq!(together.body["active"], false);
    assert_eq!(together.body["meta"]["version"], "W/\"2\"", "one request is one change");
    assert_eq!(substance(together.body), substance(apart.body));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_refused_patch_leaves_the_user_as_he_was() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Users", &user("taken")).await.expect(201);
    let created = scim.post("/Users", &jane()).await.expect(201);
    let path = format!("/Users/{}", created.id());
    let good = json!({"op": "replace", "path": "nickName", "value": "J"});
    for (bad, status, scim_type) in [
        (
            json!({"op": "replace", "path": "emails[type eq \"fax\"].value", "value": "x"}),
            400,
            "noTarget",
        ),
        (json!({"op": "remove"}), 400, "noTarget"),
        (json!({"op": "remove", "path": "userName"}), 400, "mutability"),
        (
            json!({"op": "replace", "path": "meta.created", "value": "2001-01-01T00:00:00Z"}),
            400,
            "mutability",
        ),
        (
            json!({"op": "add", "path": "groups", "value": [{"value": "x"}]}),
            400,
            "mutability",
        ),
        (
            json!({"op": "replace", "path": "userName", "value": "TAKEN"}),
            409,
            "uniqueness",
        ),
        (json!({"op": "replace", "path": "userName", "value": ""}), 400, ""),
        (
            json!({"op": "replace", "path": "active", "value": "perhaps"}),
            400,
            "invalidValue",
        ),
        (
            json!({"op": "replace", "path": "emails[", "value": 1}),
            400,
            "invalidFilter",
        ),
        (
            json!({"op": "replace", "path": "emails[type eq].value", "value": 1}),
            400,
            "invalidFilter",
        ),
        (
            json!({"op": "replace", "path": "nonsense.part", "value": 1}),
            400,
            "invalidPath",
        ),
        (json!({"op": 7, "path": "title"}), 400, "invalidSyntax"),
        (json!("not an operation"), 400, "invalidSyntax"),
        (
            json!({"op": "replace", "path": format!("{WORKBENCH}:posixUserId"), "value": 999}),
            409,
            "uniqueness",
        ),
        (
            json!({"op": "replace", "path": format!("{WORKBENCH}:posixUserId"), "value": -1}),
            400,
            "invalidValue",
        ),
        (
            json!({"op": "replace", "path": format!("{WORKBENCH}:posixUserName"), "value": "root"}),
            409,
            "uniqueness",
        ),
        (
            json!({"op": "replace", "path": format!("{WORKBENCH}:homeDirectory"), "value": "relative"}),
            400,
            "invalidValue",
        ),
    ] {
        let answer = scim.patch(&path, &json!([good, bad])).await;
        if scim_type.is_empty() {
            assert_eq!(answer.status, status, "{bad}: {}", answer.body);
        } else {
            answer.expect_error(status, scim_type);
        }
        assert_eq!(scim.get(&path).await.expect(200).body, created.body, "{bad}");
    }
    scim.patch(&path, &json!([])).await.expect_error(400, "invalidSyntax");
    let too_many: Vec<&Value> = std::iter::repeat_n(&good, 1_001).collect();
    let status = scim.patch(&path, &json!(too_many)).await.status;
    assert!(matches!(status, 400 | 413), "{status}");
    assert_eq!(scim.get(&path).await.expect(200).body, created.body);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_patch_without_effect_keeps_version_and_time() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let created = scim.post("/Users", &jane()).await.expect(201);
    let path = format!("/Users/{}", created.id());
    for operation in [
        json!({"op": "replace", "path": "title", "value": "Dr"}),
        json!({"op": "add", "path": "emails", "value": [{"value": "jane@home", "type": "home"}]}),
        json!({"op": "replace", "path": "active", "value": "True"}),
        json!({"op": "remove", "path": "nickName"}),
        json!({"op": "replace", "value": {"id": created.id(), "userName": "jane"}}),
    ] {
        let answer = scim.patch(&path, &json!([operation])).await.expect(200);
        assert_eq!(answer.body, created.body, "{operation}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn posix_attributes_change_when_they_are_asked_to() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let created = scim.post("/Users", &jane()).await.expect(201);
    let path = format!("/Users/{}", created.id());
    let patched = scim
        .patch(
            &path,
            &json!([{"op": "replace", "value": {WORKBENCH: {"posixUserId": 4242, "posixUserName": "jdoe", "admin": "True"}}}]),
        )
        .await
        .expect(200);
    assert_eq!(patched.workbench("posixUserId"), 4242);
    assert_eq!(patched.workbench("posixUserName"), "jdoe");
    assert_eq!(patched.workbench("admin"), true);
    let mut next = user("successor");
    next[WORKBENCH] = json!({"posixUserId": created.workbench("posixUserId")});
    let refused = scim.post("/Users", &next).await.expect_error(409, "uniqueness");
    assert!(refused.body["detail"].as_str().unwrap().contains("never given again"));
    let removed = scim
        .patch(&path, &json!([{"op": "remove", "path": format!("{WORKBENCH}:admin")}]))
        .await
        .expect(200);
    assert_eq!(removed.workbench("admin"), false);
    rollcall.finish().await;
}
