//! Versions of resources: `ETag`, `If-Match`, `If-None-Match` (RFC 7644 §3.14).

use reqwest::Method;
use serde_json::{Value, json};

use super::{group, user};
use crate::harness::Rollcall;

const OLD: &str = "W/\"0\"";

#[tokio::test]
async fn a_write_with_a_stale_version_changes_nothing() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[jane.id()])).await.expect(201);
    let operation = |path: &str, value: Value| {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
               "Operations": [{"op": "replace", "path": path, "value": value}]})
    };
    for (path, put, patch) in [
        (
            format!("/Users/{}", jane.id()),
            user("jane2"),
            operation("title", "x".into()),
        ),
        (
            format!("/Groups/{}", team.id()),
            group("team2", &[]),
            operation("members", json!([])),
        ),
        (
            format!("/Groups/{}", team.id()),
            group("team2", &[]),
            operation("displayName", "x".into()),
        ),
    ] {
        let before = scim.get(&path).await.expect(200);
        for request in [
            scim.request_with(Method::PUT, &path, &put),
            scim.request_with(Method::PATCH, &path, &patch),
            scim.request(Method::DELETE, &path),
        ] {
            scim.send(request.header("if-match", OLD)).await.expect_error(412, "");
        }
        assert_eq!(scim.get(&path).await.expect(200).body, before.body);
        let current = scim
            .request_with(Method::PATCH, &path, &patch)
            .header("if-match", before.header("etag"));
        let status = scim.send(current).await.status;
        assert!(matches!(status, 200 | 204), "{path}: {status}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn any_version_and_lists_of_versions_are_understood() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let path = format!("/Users/{}", jane.id());
    for (tags, status) in [
        ("*", 200),
        ("W/\"77\", W/\"1\"", 200),
        ("\"1\"", 200),
        ("1", 200),
        ("W/\"77\"", 412),
        (",", 400),
    ] {
        let request = scim
            .request_with(Method::PUT, &path, &user("jane"))
            .header("if-match", tags);
        assert_eq!(scim.send(request).await.status, status, "{tags}");
    }
    let several_lines = scim
        .request_with(Method::PUT, &path, &user("jane"))
        .header("if-match", "W/\"77\"")
        .header("if-match", "W/\"1\"");
    scim.send(several_lines).await.expect(200);
    let missing = "/Users/0190aaaa-0000-7000-8000-000000000001";
    scim.send(scim.request(Method::DELETE, missing).header("if-match", "*"))
        .await
        .expect_error(404, "");
    rollcall.finish().await;
}

#[tokio::test]
async fn an_unchanged_resource_is_not_sent_again() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[])).await.expect(201);
    let (jane_path, team_path) = (format!("/Users/{}", jane.id()), format!("/Groups/{}", team.id()));
    for path in [&jane_path, &team_path] {
        let tag = scim.get(path).await.header("etag").to_owned();
        let again = scim
            .send(scim.request(Method::GET, path).header("if-none-match", &tag))
            .await
            .expect(304);
        assert!(again.body.is_null());
        assert_eq!(again.header("etag"), tag);
    }
    let tag = scim.get(&jane_path).await.header("etag").to_owned();
    scim.patch(
        &team_path,
        &json!([{"op": "add", "path": "members", "value": [{"value": jane.id()}]}]),
    )
    .await
    .expect(204);
    let now = scim
        .send(scim.request(Method::GET, &jane_path).header("if-none-match", &tag))
        .await
        .expect(200);
    assert_eq!(
        now.body["groups"][0]["value"],
        team.id(),
        "a new group is a new representation"
    );
    let write = scim
        .request_with(Method::PUT, &jane_path, &user("jane"))
        .header("if-match", &tag);
    scim.send(write).await.expect(200);
    rollcall.finish().await;
}
