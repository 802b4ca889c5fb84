//! The POSIX group that mirrors the administrators (`admin-posix-group`).

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{JIT, front_end};
use crate::harness::{Rollcall, wait_until};
use crate::scim::WORKBENCH;

const MIRROR: (&str, &str) = ("admin-posix-group", "workbench-admins");

fn members(rollcall: &Rollcall) -> Value {
    let shown = rollcall.command(&["group", "show", "workbench-admins", "--output", "json"]);
    shown.succeeded().json()["members"].clone()
}

/// What a node is told of the group.
async fn members_on_a_node(rollcall: &Rollcall) -> Value {
    let url = format!("{}/nss/v1/group?name=workbench-admins", rollcall.service.url("read"));
    let token = rollcall.token(&["--scope", "nss-user"]);
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["group"]["members"].clone()
}

#[tokio::test]
async fn administrators_are_in_the_group_for_as_long_as_they_are_administrators() {
    let rollcall = Rollcall::start_with(&[MIRROR]).await;
    let scim = rollcall.scim();
    assert_eq!(members(&rollcall), json!([]));
    let extension = WORKBENCH;
    let created = scim
        .post("/Users", &json!({"userName": "ann", extension: {"admin": true}}))
        .await
        .expect(201);
    rollcall.command(&["user", "add", "bob"]).succeeded();
    rollcall.command(&["user", "set-admin", "bob", "1"]).succeeded();
    assert_eq!(members(&rollcall), json!(["ann", "bob"]));
    assert_eq!(members_on_a_node(&rollcall).await, json!(["ann", "bob"]));
    let demote = json!([{"op": "replace", "path": format!("{extension}:admin"), "value": false}]);
    scim.patch(&format!("/Users/{}", created.id()), &demote)
        .await
        .expect(200);
    assert_eq!(members_on_a_node(&rollcall).await, json!(["bob"]));
    rollcall.finish().await;
}

#[tokio::test]
async fn sign_in_neither_removes_an_administrator_nor_makes_one() {
    let rollcall = Rollcall::start_with(&[JIT, MIRROR]).await;
    let front_end = front_end(&rollcall);
    let sign_in = async |groups: Value| {
        let answer = front_end
            .post("/logins", &json!({"userName": "ann", "groups": groups}))
            .await
            .expect(200)
            .body;
        (answer["groups"]["removed"].clone(), answer["user"]["admin"].clone())
    };
    assert_eq!(sign_in(json!(["eng"])).await, (json!([]), json!(false)));
    rollcall.command(&["user", "set-admin", "ann", "1"]).succeeded();
    assert_eq!(sign_in(json!([])).await, (json!(["eng"]), json!(true)));
    assert_eq!(members(&rollcall), json!(["ann"]));
    let preview = [
        "group",
        "reconcile",
        "--dry-run",
        "ann",
        "--groups",
        "qa",
        "--output",
        "json",
    ];
    let preview = rollcall.command(&preview).succeeded().json().to_string();
    assert!(!preview.contains("remove"), "{preview}");
    rollcall.command(&["user", "set-admin", "ann", "0"]).succeeded();
    assert_eq!(members(&rollcall), json!([]));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_replica_that_starts_sets_right_what_happened_without_the_mirror() {
    let mut rollcall = Rollcall::start().await;
    for (name, admin) in [("ann", "1"), ("bob", "0"), ("cid", "1")] {
        rollcall.command(&["user", "add", name]).succeeded();
        rollcall.command(&["user", "set-admin", name, admin]).succeeded();
    }
    let mut restart = |settings: &[(&str, &str)]| rollcall.service = Rollcall::replica(&rollcall.database, settings);
    restart(&[MIRROR]);
    restart(&[]);
    assert_eq!(members(&rollcall), json!(["ann", "cid"]));
    rollcall.command(&["user", "set-admin", "ann", "0"]).succeeded();
    rollcall.command(&["user", "set-admin", "bob", "1"]).succeeded();
    assert_eq!(members(&rollcall), json!(["ann", "cid"]), "nobody mirrors");
    rollcall.service = Rollcall::replica(&rollcall.database, &[MIRROR]);
    assert_eq!(members(&rollcall), json!(["bob", "cid"]));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_reported_and_adopts_nobody() {
    let rollcall = Rollcall::start_with(&[("admin-posix-group", "root")]).await;
    let told = async || {
        rollcall
            .service
            .log()
            .iter()
            .any(|line| line.contains("admin-posix-group cannot be kept"))
    };
    wait_until("the fault is in the log", Duration::from_secs(5), told).await;
    assert_eq!(rollcall.number("select count(*) from store.admin_group").await, 0);
    rollcall.finish().await;
}
