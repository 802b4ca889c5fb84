//! `POST /api/v1/logins`: provisioning by a trusted front end.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::client::Scim;
use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};

/// Just-in-time provisioning switched on.
pub const JIT: (&str, &str) = ("user-provisioning-register-on-first-login", "1");

/// A client of the sign-in API with a token of its own.
pub fn front_end(rollcall: &Rollcall) -> Scim {
    Scim::new(
        format!("{}/api/v1", rollcall.service.url("api")),
        rollcall.token(&["--scope", "login"]),
    )
}

#[tokio::test]
async fn the_first_sign_in_creates_the_user_with_what_is_claimed() {
    let rollcall = Rollcall::start_with(&[JIT, ("user-provisioning-start-uid", "20000")]).await;
    let claim = json!({"userName": "Jane@example.org", "subject": "s-1", "displayName": "Jane Doe",
        "email": "Jane@Example.org", "posixUserId": 30007, "homeDirectory": "/data/jane", "groups": ["Eng", "ops"]});
    let answer = front_end(&rollcall).post("/logins", &claim).await.expect(200).body;
    assert_eq!(answer["created"], true);
    assert_eq!(answer["groups"]["added"], json!(["Eng", "ops"]));
    assert_eq!(answer["user"]["posixUserId"], 30007);

    let user = rollcall
        .scim()
        .get(&format!("/Users/{}", answer["user"]["id"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(user.body["userName"], "Jane@example.org");
    assert_eq!(user.body["displayName"], "Jane Doe");
    assert_eq!(user.body["emails"][0]["value"], "Jane@Example.org");
    assert_eq!(user.workbench("posixUserName"), "jane");
    assert_eq!(user.workbench("homeDirectory"), "/data/jane");
    let shown = rollcall
        .command(&["group", "show", "eng", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(shown["members"], json!(["jane"]));
    rollcall.finish().await;
}

#[tokio::test]
async fn without_jit_only_users_who_exist_sign_in() {
    let rollcall = Rollcall::start().await;
    let front_end = front_end(&rollcall);
    let claim = json!({"userName": "jane", "groups": ["eng"]});
    let refused = front_end.post("/logins", &claim).await.expect(403);
    assert_eq!(refused.body["error"], "unknown_user");
    rollcall.command(&["user", "add", "jane"]).succeeded();
    let answer = front_end.post("/logins", &claim).await.expect(200).body;
    assert_eq!(
        (&answer["created"], &answer["groups"]["added"]),
        (&json!(false), &json!(["eng"]))
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn switched_off_provisioning_creates_nobody() {
    let rollcall = Rollcall::start_with(&[JIT, ("user-provisioning-enabled", "0")]).await;
    let refused = front_end(&rollcall)
        .post("/logins", &json!({"userName": "jane"}))
        .await
        .expect(403);
    assert_eq!(refused.body["error"], "unknown_user");
    rollcall.finish().await;
}

#[tokio::test]
async fn only_a_token_of_scope_login_may_hand_in_assertions() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    let claim = json!({"userName": "jane"});
    front_end
        .with_token("rc_no.thing")
        .post("/logins", &claim)
        .await
        .expect(401);
    let refused = front_end
        .with_token(&rollcall.token(&[]))
        .post("/logins", &claim)
        .await
        .expect(403);
    assert_eq!(refused.body["error"], "insufficient_scope");
    rollcall
        .scim()
        .with_token(front_end.token())
        .get("/Users")
        .await
        .expect(403);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_claim_that_cannot_be_understood_changes_nothing() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    for (claim, reason) in [
        (json!({}), "invalid_request"),
        (json!({"userName": ["jane"]}), "invalid_request"),
        (json!({"userName": "jane", "group": ["eng"]}), "invalid_request"),
        (json!({"userName": "jane", "issuedAt": "yesterday"}), "invalid_request"),
        (
            json!({"userName": "jane", "issuedAt": "2199-10-01T00:00:00Z"}),
            "invalid_request",
        ),
        (json!({"userName": 12_345_678_901_234_567_890_123.0}), "invalid_request"),
        (json!({"userName": "jane\u{200b}"}), "user_name"),
        (
            json!({"userName": "jane", "groups": [{"name": "eng"}]}),
            "malformed_groups",
        ),
        (
            json!({"userName": "jane", "groups": ["e\u{202e}ng"]}),
            "malformed_groups",
        ),
        (json!({"userName": "jane", "posixUserId": "-1"}), "attribute"),
        (json!({"userName": "jane", "homeDirectory": "../etc"}), "attribute"),
        (json!({"userName": "jane", "posixUserName": "root:x"}), "attribute"),
    ] {
        let refused = front_end.post("/logins", &claim).await.expect(400);
        assert_eq!(refused.body["error"], reason, "{claim}");
    }
    let twice = front_end
        .request(Method::POST, "/logins")
        .header("content-type", "application/json")
        .body(r#"{"userName":"jane","groups":["eng"],"groups":[]}"#);
    let refused = front_end.send(twice).await.expect(400);
    assert_eq!(refused.body["detail"], "a field is there twice");
    let users = rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn claimed_names_and_ids_of_others_refuse_the_sign_in_and_leave_no_user() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    rollcall.command(&["user", "add", "jane", "--uid", "20001"]).succeeded();
    let front_end = front_end(&rollcall);
    for claim in [
        json!({"userName": "eve", "posixUserId": 20001, "groups": ["g1"]}),
        json!({"userName": "eve", "posixUserName": "jane", "groups": ["g2"]}),
        json!({"userName": "eve", "posixUserName": "root", "groups": ["g3"]}),
        json!({"userName": "jane@evil.org", "groups": ["g4"]}),
        json!({"userName": "eve", "posixUserId": 61000, "groups": ["g5"]}),
    ] {
        let refused = front_end.post("/logins", &claim).await.expect(409);
        assert_eq!(refused.body["error"], "taken", "{claim}");
    }
    let users = rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 1);
    let groups = rollcall.scim().get("/Groups").await.expect(200);
    assert_eq!(
        groups.body["totalResults"], 0,
        "a failed sign-in leaves no group behind"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn a_locked_user_is_refused_although_the_claim_is_valid() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    let claim = json!({"userName": "jane", "groups": ["eng"]});
    front_end.post("/logins", &claim).await.expect(200);
    rollcall.command(&["user", "lock", "jane"]).succeeded();
    for groups in [json!(["eng"]), json!(["eng", "more"])] {
        let refused = front_end
            .post("/logins", &json!({"userName": "jane", "groups": groups}))
            .await
            .expect(403);
        assert_eq!(refused.body["error"], "locked");
    }
    let groups = rollcall.scim().get("/Groups").await.expect(200);
    assert_eq!(groups.body["totalResults"], 1, "a refused sign-in reconciles nothing");
    rollcall.command(&["user", "unlock", "jane"]).succeeded();
    front_end.post("/logins", &claim).await.expect(200);
    rollcall.finish().await;
}

#[tokio::test]
async fn another_subject_under_the_same_name_is_refused_until_an_administrator_forgets_the_first() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    front_end
        .post("/logins", &json!({"userName": "jane", "subject": "1"}))
        .await
        .expect(200);
    let second = json!({"userName": "JANE", "subject": "2"});
    let refused = front_end.post("/logins", &second).await.expect(403);
    assert_eq!(refused.body["error"], "subject_mismatch");
    front_end
        .post("/logins", &json!({"userName": "Jane", "subject": "1"}))
        .await
        .expect(200);
    rollcall.command(&["user", "forget-subject", "jane"]).succeeded();
    front_end.post("/logins", &second).await.expect(200);
    rollcall.finish().await;
}

#[tokio::test]
async fn an_older_assertion_never_overwrites_a_later_one() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    let claim = |at: &str, groups: &[&str]| json!({"userName": "jane", "issuedAt": at, "groups": groups});
    front_end
        .post("/logins", &claim("2026-01-02T00:00:00Z", &["a"]))
        .await
        .expect(200);
    let refused = front_end
        .post("/logins", &claim("2026-01-01T23:59:59Z", &["b"]))
        .await
        .expect(409);
    assert_eq!(refused.body["error"], "stale");
    front_end
        .post("/logins", &claim("2026-01-02T00:00:00Z", &["c"]))
        .await
        .expect(200);
    let shown = rollcall
        .command(&["user", "show", "jane", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(shown["groups"], json!(["c"]));
    rollcall.finish().await;
}

#[tokio::test]
async fn the_required_group_is_a_gate_and_losing_it_shuts_it() {
    let rollcall = Rollcall::start_with(&[JIT, ("auth-required-user-group", "staff-eu,Staff-US")]).await;
    let front_end = front_end(&rollcall);
    let claim = |name: &str, groups: &[&str]| json!({"userName": name, "groups": groups});
    let refused = front_end.post("/logins", &claim("eve", &["other"])).await.expect(403);
    assert_eq!(refused.body["error"], "required_group");
    front_end
        .post("/logins", &claim("jane", &["STAFF-us"]))
        .await
        .expect(200);
    let refused = front_end.post("/logins", &claim("jane", &["other"])).await.expect(403);
    assert_eq!(refused.body["error"], "required_group");
    let shown = rollcall
        .command(&["user", "show", "jane", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        shown["groups"],
        json!(["other"]),
        "who lost a group has lost it, let in or not"
    );
    let users = rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 1, "nobody is created who is not let in");
    rollcall.finish().await;
}

#[tokio::test]
async fn uids_below_the_minimum_are_refused_and_not_created() {
    let rollcall = Rollcall::start_with(&[JIT, ("auth-minimum-user-id", "30000")]).await;
    rollcall.command(&["user", "add", "old", "--uid", "20001"]).succeeded();
    let front_end = front_end(&rollcall);
    let refused = front_end.post("/logins", &json!({"userName": "old"})).await.expect(403);
    assert_eq!(refused.body["error"], "minimum_uid");
    front_end.post("/logins", &json!({"userName": "new"})).await.expect(400);
    let users = rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 1);
    rollcall.finish().await;
}

#[tokio::test]
async fn the_metric_and_the_log_say_why_and_name_nobody() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    front_end
        .post("/logins", &json!({"userName": "jane.secret", "groups": ["x-group"]}))
        .await
        .expect(200);
    rollcall.command(&["user", "lock", "jane.secret"]).succeeded();
    front_end
        .post("/logins", &json!({"userName": "jane.secret"}))
        .await
        .expect(403);
    let metrics = reqwest::get(format!("{}/metrics", rollcall.service.url("ops")))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for line in [
        r#"rollcall_jit_logins_total{method="api",outcome="created",reason=""} 1"#,
        r#"rollcall_jit_logins_total{method="api",outcome="refused",reason="locked"} 1"#,
        r#"rollcall_reconcile_runs_total{outcome="changed"} 1"#,
        r#"rollcall_reconcile_runs_total{outcome="refused"} 1"#,
        r#"rollcall_reconcile_changes_total{action="user_created"} 1"#,
        r#"rollcall_reconcile_changes_total{action="group_created"} 1"#,
        r#"rollcall_reconcile_changes_total{action="member_added"} 1"#,
        "rollcall_reconcile_last_success_timestamp_seconds 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing");
    }
    let log = rollcall.service.log().join("\n");
    assert!(log.contains(r#""reason":"locked""#), "{log}");
    assert!(!log.contains("secret") && !log.contains("x-group"), "{log}");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_sign_in_that_takes_too_long_is_refused_in_the_words_of_this_endpoint_and_done_once_nevertheless() {
    let rollcall = Rollcall::start_with(&[JIT, ("request-timeout", "3")]).await;
    let front_end = front_end(&rollcall);
    // Lets everybody read and nobody write.
    let lock = rollcall.database.connect(Role::Superuser).await;
    lock.batch_execute("begin; lock table store.users in share mode")
        .await
        .unwrap();
    let refused = front_end
        .post("/logins", &json!({"userName": "jane", "groups": ["eng"]}))
        .await
        .expect(503);
    assert_eq!(
        (refused.body["error"].as_str(), refused.header("retry-after")),
        (Some("unavailable"), "5")
    );
    lock.batch_execute("rollback").await.unwrap();
    let created = "select count(*) from store.users where user_name_key = 'jane' and deleted_at is null";
    wait_until("the sign-in to end", Duration::from_secs(20), async || {
        rollcall.number(created).await == 1
    })
    .await;
    let again = front_end
        .post("/logins", &json!({"userName": "jane", "groups": ["eng"]}))
        .await
        .expect(200);
    assert_eq!(again.body["changed"], false, "{:?}", again.body);
    let sign_ins = "select count(*) from store.audit where action = 'login' and subject = (select id from store.users where user_name_key = 'jane')";
    assert_eq!(rollcall.number(sign_ins).await, 1);
    rollcall.finish().await;
}
