//! PATCH operations that nobody means.

use serde_json::{Value, json};

use super::super::{WORKBENCH, group, user};
use crate::harness::Rollcall;

#[tokio::test]
async fn random_operations_and_paths_never_make_a_server_error() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[jane.id()])).await.expect(201);
    let paths = [
        "",
        "emails",
        "emails[]",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "members",
        "members[value eq \"x\"].type",
        "name",
        "name.givenName",
        "schemas",
        "meta",
        "id",
        "active",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "userName.x",
        "x[y eq 1]",
        "emails.value",
        WORKBENCH,
        "displayName",
        "groups",
        "\u{0}",
        "emails[type eq \"work\" and",
        "password",
        "roles",
        "externalId",
    ];
    let values = [
        Value::Null,
        json!(""),
        json!([]),
        json!({}),
        json!(1),
        json!(-1.5e300),
        json!(true),
        json!("x"),
        json!([null]),
        json!([[]]),
        json!([{"value": {}}]),
        json!({"value": [1]}),
        json!([{"value": "x", "primary": "yes"}]),
        json!({"emails": {"emails": 1}}),
        json!({"": ""}),
        json!({"a.b.c": 1}),
        json!("\u{1}"),
    ];
    for resource in [format!("/Users/{}", jane.id()), format!("/Groups/{}", team.id())] {
        for op in ["add", "replace", "remove", "Move"] {
            for path in paths {
                let operations: Vec<Value> = values
                    .iter()
                    .map(|value| json!({"op": op, "path": path, "value": value}))
                    .collect();
                // One after the other in requests of their own, several at a time.
                let answers = operations
                    .iter()
                    .map(async |operation| scim.patch(&resource, &json!([operation])).await.status);
                for (operation, status) in operations.iter().zip(futures_util::future::join_all(answers).await) {
                    assert!(status < 500, "{resource} {operation}: {status}");
                }
            }
        }
    }
    rollcall.finish().await;
}
