//! `attributes` and `excludedAttributes` (RFC 7644 §3.9).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{WORKBENCH, group, user};
use crate::harness::Rollcall;

fn keys(body: &Value) -> BTreeSet<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn only_what_is_asked_for_and_what_is_always_returned_comes_back() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut body = user("jane");
    body["name"] = json!({"givenName": "Jane", "familyName": "Doe"});
    body["emails"] = json!([{"value": "jane@x", "type": "work"}]);
    body["title"] = "Dr".into();
    let jane = scim.post("/Users?attributes=title", &body).await.expect(201);
    assert_eq!(keys(&jane.body), BTreeSet::from(["schemas", "id", "title"]));
    let path = format!("/Users/{}", jane.id());
    for (query, expected) in [
        ("attributes=userName", vec!["userName"]),
        ("attributes=USERNAME,Title", vec!["userName", "title"]),
        ("attributes=name.givenName", vec!["name"]),
        (
            "attributes=urn:ietf:params:scim:schemas:core:2.0:User:title",
            vec!["title"],
        ),
        (
            "attributes=urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:admin",
            vec![WORKBENCH],
        ),
        ("attributes=meta.version", vec!["meta"]),
        ("attributes=nonsense", vec![]),
    ] {
        let read = scim.get(&format!("{path}?{query}")).await.expect(200);
        let expected: BTreeSet<&str> = expected.into_iter().chain(["schemas", "id"]).collect();
        assert_eq!(keys(&read.body), expected, "{query}");
    }
    let part = scim.get(&format!("{path}?attributes=name.givenName")).await.expect(200);
    assert_eq!(part.body["name"], json!({"givenName": "Jane"}));
    let without = scim
        .get(&format!("{path}?excludedAttributes=title,name.familyName,id,meta"))
        .await
        .expect(200);
    assert!(without.body["title"].is_null() && without.body["meta"].is_null());
    assert_eq!(without.body["name"], json!({"givenName": "Jane"}));
    assert_eq!(without.id(), jane.id(), "id is always returned");
    scim.get(&format!("{path}?attributes=title&excludedAttributes=name"))
        .await
        .expect_error(400, "invalidValue");
    rollcall.finish().await;
}

#[tokio::test]
async fn lists_searches_and_writes_project_too() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[jane.id()])).await.expect(201);
    let list = scim.get("/Users?attributes=userName").await.expect(200);
    assert_eq!(
        keys(&list.body["Resources"][0]),
        BTreeSet::from(["schemas", "id", "userName"])
    );
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                        "attributes": ["displayName"], "filter": "displayName pr"});
    let found = scim.post("/Groups/.search", &search).await.expect(200);
    assert_eq!(
        keys(&found.body["Resources"][0]),
        BTreeSet::from(["schemas", "id", "displayName"])
    );
    let path = format!("/Groups/{}", team.id());
    let operations = json!([{"op": "replace", "path": "displayName", "value": "crew"}]);
    scim.patch(&path, &operations).await.expect(204);
    let asked = scim
        .patch(&format!("{path}?attributes=members.value"), &operations)
        .await
        .expect(200);
    assert_eq!(asked.body["members"], json!([{"value": jane.id()}]));
    let put = scim
        .put(
            &format!("{path}?excludedAttributes=members"),
            &group("crew", &[jane.id()]),
        )
        .await
        .expect(200);
    assert!(put.body["members"].is_null());
    rollcall.finish().await;
}
