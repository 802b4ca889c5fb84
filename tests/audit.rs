//! The audit log and the log of requests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};

#[tokio::test]
async fn every_change_leaves_one_row_that_names_actor_path_and_request() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let id = scim
        .token()
        .strip_prefix("rc_")
        .unwrap()
        .split('.')
        .next()
        .unwrap()
        .to_owned();
    let create = scim
        .request_with(
            reqwest::Method::POST,
            "/Users",
            &json!({"userName": "jane", "title": "secret"}),
        )
        .header("x-request-id", "req-42");
    let created = scim.send(create).await.expect(201);
    assert_eq!(created.header("x-request-id"), "req-42");
    let path = format!("/Users/{}", created.id());
    scim.patch(&path, &json!([{"op": "replace", "path": "title", "value": "hidden"}]))
        .await
        .expect(200);
    scim.patch(&path, &json!([{"op": "replace", "path": "title", "value": "hidden"}]))
        .await
        .expect(200);
    scim.patch(&path, &json!([{"op": "replace", "path": "active", "value": false}]))
        .await
        .expect(200);
    rollcall.command(&["user", "unlock", "jane"]).succeeded();
    scim.post("/Users", &json!({"userName": "jane"})).await.expect(409);
    scim.delete(&path).await.expect(204);
    let rows = rollcall
        .command(&["audit", "--user", created.id(), "--output", "json"])
        .succeeded()
        .json();
    let rows = rows.as_array().unwrap();
    let actions: Vec<&str> = rows.iter().rev().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["create", "update", "lock", "unlock", "delete"]);
    let first = rows.last().unwrap();
    assert_eq!(first["actor"], format!("token:{id}"));
    assert_eq!(
        (&first["path"], &first["request_id"]),
        (&json!("scim"), &json!("req-42"))
    );
    assert_eq!(first["detail"]["uid"], *created.workbench("posixUserId"));
    assert_eq!(
        rows[3]["detail"]["attributes"],
        json!(["title"]),
        "names of attributes, never their values"
    );
    assert_eq!(rows[2]["detail"]["locked"], json!([false, true]), "before and after");
    assert_eq!(rows[1]["path"], "cli");
    assert!(rows[1]["actor"].as_str().unwrap().starts_with("os:"));
    assert!(!Value::from(rows.clone()).to_string().contains("hidden"));
    rollcall.finish().await;
}

#[tokio::test]
async fn nobody_but_the_owner_can_rewrite_the_log() {
    let rollcall = Rollcall::start().await;
    rollcall
        .scim()
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201);
    for role in [Role::App, Role::Read] {
        let client = rollcall.database.connect(role).await;
        for statement in [
            "update store.audit set actor = 'x'",
            "delete from store.audit",
            "truncate store.audit",
            "insert into store.audit (at, actor, path, action, resource, detail) values (now(), 'x', 'x', 'x', 'x', '{}')",
            "select * from store.audit",
            "drop table store.audit",
            "delete from store.audit_default",
            "create table store.x ()",
            "create table public.x ()",
            "create temporary table x ()",
            "select store.audit_write('{}', 'x', 'x', null, '{}')",
        ] {
            let refused = client.batch_execute(statement).await.unwrap_err();
            // Whoever may only read is stopped by that first.
            assert!(
                matches!(refused.code().unwrap().code(), "42501" | "25006"),
                "{role:?} {statement}: {refused}"
            );
        }
    }
    let read = rollcall.database.connect(Role::Read).await;
    let refused = read
        .batch_execute("select api.token_revoke(null, '{}')")
        .await
        .unwrap_err();
    assert!(matches!(refused.code().unwrap().code(), "42501" | "25006"));
    rollcall.finish().await;
}

#[tokio::test]
async fn months_have_partitions_ahead_and_a_month_without_one_loses_nothing() {
    let rollcall = Rollcall::start().await;
    let partitions = "select count(*) from pg_inherits where inhparent = 'store.audit'::regclass";
    assert_eq!(
        rollcall.number(partitions).await,
        5,
        "this month, three ahead and the default"
    );
    let owner = rollcall.database.connect(Role::Superuser).await;
    owner
        .batch_execute(
            "do $$ declare p regclass; begin for p in select inhrelid::regclass from pg_inherits where inhparent = 'store.audit'::regclass \
             and inhrelid <> 'store.audit_default'::regclass loop execute 'drop table ' || p; end loop; end $$",
        )
        .await
        .unwrap();
    rollcall
        .scim()
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201);
    assert!(rollcall.number("select count(*) from store.audit_default").await >= 1);
    let app = rollcall.database.connect(Role::App).await;
    app.batch_execute("select * from api.maintain('{}')").await.unwrap();
    assert_eq!(rollcall.number(partitions).await, 4, "this month stays in the default");
    rollcall.finish().await;
}

#[tokio::test]
async fn the_request_log_keeps_odd_requests_too_and_no_personal_value_of_their_query() {
    let rollcall = Rollcall::start_with(&[("scim-request-log-size", "9")]).await;
    let scim = rollcall.scim();
    for name in ["jane", "jill", "joan"] {
        scim.post("/Users", &json!({"userName": name})).await.expect(201);
    }
    let page = scim.get("/Users?cursor&count=1&sortBy=userName").await.expect(200);
    let cursor = page.body["nextCursor"].as_str().unwrap();
    for query in [
        "userName=jane".to_owned(),
        format!("cursor={cursor}&count=1&sortBy=userName"),
        "sortBy=%00&x=%00&%00=%00".to_owned(),
        "count=0&filter=title%20eq%20%22%00%22".to_owned(),
    ] {
        let status = scim.get(&format!("/Users?{query}")).await.status;
        assert!(status < 500, "{query}: {status}");
    }
    let mut rows = serde_json::Value::Null;
    wait_until("the requests are noted", Duration::from_secs(5), async || {
        rows = rollcall
            .command(&["scim", "log", "--output", "json"])
            .succeeded()
            .json();
        rows.as_array().unwrap().len() == 8
    })
    .await;
    let targets: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["target"].as_str().unwrap())
        .collect();
    assert_eq!(
        targets[..4],
        [
            "/scim/v2/Users?count=0&filter=title eq \"…\"",
            "/scim/v2/Users?sortBy= &x=…& =…",
            "/scim/v2/Users?cursor=…&count=1&sortBy=userName",
            "/scim/v2/Users?userName=…",
        ]
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn the_request_log_says_why_a_push_failed_and_shows_no_value() {
    let rollcall = Rollcall::start_with(&[("scim-request-log-size", "3")]).await;
    let scim = rollcall.scim();
    scim.post("/Users", &json!({"userName": "jane@example.org"}))
        .await
        .expect(201);
    for _ in 0..3 {
        scim.query("/Users", &[("filter", "userName eq \"jane@example.org\"")])
            .await
            .expect(200);
    }
    scim.post(
        "/Users",
        &json!({"userName": "jane@example.org", "emails": [{"value": "j@x"}]}),
    )
    .await
    .expect(409);
    let log = async || {
        rollcall
            .command(&["scim", "log", "--output", "json"])
            .succeeded()
            .json()
    };
    wait_until("the request is noted", Duration::from_secs(5), async || {
        log()
            .await
            .as_array()
            .unwrap()
            .first()
            .is_some_and(|row| row["status"] == 409)
    })
    .await;
    let rows = log().await;
    assert_eq!(rows.as_array().unwrap().len(), 3, "the last three");
    assert_eq!(
        (&rows[0]["method"], &rows[0]["scim_type"]),
        (&json!("POST"), &json!("uniqueness"))
    );
    assert!(rows[0]["detail"].as_str().unwrap().contains("userName"));
    assert!(rows[0]["body"].as_str().unwrap().contains("emails"));
    assert_eq!(rows[1]["target"], "/scim/v2/Users?filter=userName eq \"…\"");
    assert!(!rows.to_string().contains("jane"));
    let failed = rollcall.command(&["scim", "log", "--failed"]).succeeded().stdout;
    assert_eq!(failed.lines().count(), 2, "{failed}");
    rollcall.finish().await;
}
