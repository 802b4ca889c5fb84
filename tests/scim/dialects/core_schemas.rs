//! Clients that know the schemas of RFC 7643 alone, and take no resource with anything else in it.

use serde_json::{Value, json};

use super::Stage;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The URNs of extensions that no RFC defines, anywhere in an answer.
fn ours(answer: &Value) -> usize {
    let text = answer.to_string();
    text.matches("urn:rstudio").count() + text.matches("urn:rollcall").count()
}

#[tokio::test]
async fn core_shows_nothing_but_the_schemas_of_the_rfc() {
    let stage = Stage::set("core").await;
    let strict = stage.rollcall.scim();
    let (user, group) = (stage.fill("/Users/{jane}"), stage.fill("/Groups/{team}"));
    let asked = format!("{user}?attributes=userName,{}:posixUserId", super::super::WORKBENCH);
    for path in [
        "/Schemas",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Users",
        "/Groups",
        &user,
        &group,
        &asked,
    ] {
        let seen = stage.scim.get(path).await.expect(200);
        assert_eq!(ours(&seen.body), 0, "{path}: {}", seen.body);
        let everything = strict.get(path).await.expect(200);
        assert!(ours(&everything.body) > 0, "{path}: {}", everything.body);
    }
    let workbench = format!("/Schemas/{}", super::super::WORKBENCH);
    stage.scim.get(&workbench).await.expect_error(404, "");
    strict.get(&workbench).await.expect(200);
    for path in ["/Users/.search", "/Groups/.search", "/.search"] {
        let found = stage.scim.post(path, &json!({})).await.expect(200);
        assert!(found.body["totalResults"].as_u64() > Some(0), "{path}");
        assert_eq!(ours(&found.body), 0, "{path}: {}", found.body);
    }
    stage.end().await;
}

#[tokio::test]
async fn core_writes_as_every_other_dialect_does() {
    let stage = Stage::set("core").await;
    let mut body = super::super::user("joe");
    body[ENTERPRISE] = json!({"department": "R&D"});
    body[super::super::WORKBENCH] = json!({"posixUserName": "joseph"});
    let created = stage.scim.post("/Users", &body).await.expect(201);
    assert_eq!(created.body["schemas"], json!([super::super::USER, ENTERPRISE]));
    assert_eq!(
        (ours(&created.body), &created.body[ENTERPRISE]["department"]),
        (0, &json!("R&D"))
    );
    let path = format!("/Users/{}", created.id());
    let admin = json!([{"op": "replace", "path": format!("{}:admin", super::super::WORKBENCH), "value": true}]);
    let patched = stage.scim.patch(&path, &admin).await.expect(200);
    assert_eq!(ours(&patched.body), 0);
    let replaced = stage.scim.put(&path, &body).await.expect(200);
    assert_eq!(ours(&replaced.body), 0);
    let seen = stage.rollcall.scim().get(&path).await.expect(200);
    assert_eq!(
        (seen.workbench("posixUserName"), seen.workbench("admin")),
        (&json!("joseph"), &json!(true))
    );
    stage.end().await;
}
