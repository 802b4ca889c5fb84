//! Bearer tokens: scopes, expiry, revocation, files, and that none is ever logged.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::harness::client::Scim;
use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};

/// How soon a revocation must be effective everywhere.
const REVOCATION: Duration = Duration::from_secs(1);

const WRONG: [&str; 8] = [
    "",
    "x",
    "rc_",
    "rc_a.b",
    "rc_aaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "Basic abc",
    "a b",
    "0123456789abcdef",
];

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered_but_401() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut bodies = Vec::new();
    for token in WRONG {
        let answer = scim.with_token(token).get("/Users").await.expect_error(401, "");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        bodies.push(answer.body);
    }
    let half = scim.token().split_once('.').unwrap().0.to_owned();
    for token in [
        format!("{half}.wrong"),
        format!("{}x", scim.token()),
        scim.token().to_uppercase(),
    ] {
        bodies.push(scim.with_token(&token).get("/Users").await.expect_error(401, "").body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the answer does not tell what was wrong: {bodies:?}");
    let twice = scim
        .request(Method::GET, "/Users")
        .header("authorization", "Bearer other");
    scim.send(twice).await.expect_error(401, "");
    // The token is looked at before anything is parsed, and before the route says what it offers.
    for path in ["/Users", "/Bulk", "/ServiceProviderConfig"] {
        let request = scim.with_token("x").request(Method::POST, path).body("{");
        scim.send(request).await.expect_error(401, "");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say() {
    let rollcall = Rollcall::start().await;
    let read = Scim::new(rollcall.service.url("read"), "");
    for (scope, scim_status, passwd, shadow) in [
        ("scim", 200, 403, 403),
        ("admin", 200, 403, 403),
        ("nss-user", 403, 200, 403),
        ("nss-admin", 403, 200, 200),
        ("login", 403, 403, 403),
        ("audit", 403, 403, 403),
    ] {
        let client = rollcall.scim_as(&["--scope", scope]);
        for path in ["/Users", "/Groups", "/Schemas", "/ServiceProviderConfig"] {
            assert_eq!(client.get(path).await.status, scim_status, "{scope} {path}");
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let status = client
                .send(client.request_with(method.clone(), "/Users/x", &json!({})))
                .await
                .status;
            assert_eq!(status == 403, scim_status == 403, "{scope} {method}: {status}");
        }
        let node = read.with_token(client.token());
        for (path, expected) in [("/nss/v1/passwd?uid=4", passwd), ("/nss/v1/shadow?name=x", shadow)] {
            let status = node.send_status(path).await;
            let allowed = status != 403 && status != 401;
            assert_eq!(allowed, expected == 200, "{scope} {path}: {status}");
        }
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn an_expired_token_is_refused_from_that_moment_on() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.get("/Users").await.expect(200);
    let owner = rollcall.database.connect(Role::Superuser).await;
    owner
        .batch_execute("update store.tokens set expires_at = now() + interval '1500 milliseconds'; update store.token_state set version = version + 1")
        .await
        .unwrap();
    wait_until("the token has expired", Duration::from_secs(4), async || {
        scim.get("/Users").await.status == 401
    })
    .await;
    rollcall.finish().await;
}

#[tokio::test]
async fn revocation_reaches_every_replica_within_a_second() {
    let rollcall = Rollcall::start().await;
    let replica = Rollcall::replica(&rollcall.database, &[]);
    let here = rollcall.scim();
    let there = Rollcall::scim_at(&replica, here.token());
    let other = rollcall.scim();
    there.get("/Users").await.expect(200);
    here.get("/Users").await.expect(200);
    let id = here
        .token()
        .strip_prefix("rc_")
        .unwrap()
        .split('.')
        .next()
        .unwrap()
        .to_owned();
    rollcall.command(&["token", "revoke", &id]).succeeded();
    let revoked = Instant::now();
    for client in [&here, &there] {
        wait_until("the token is revoked", Duration::from_secs(5), async || {
            client.get("/Users").await.status == 401
        })
        .await;
    }
    assert!(revoked.elapsed() < REVOCATION, "{:?}", revoked.elapsed());
    other.get("/Users").await.expect(200);
    rollcall.command(&["token", "revoke", "--all"]).succeeded();
    wait_until("every token is revoked", Duration::from_secs(5), async || {
        other.get("/Users").await.status == 401
    })
    .await;
    rollcall.finish().await;
}

#[tokio::test]
async fn a_new_token_works_at_once_on_every_replica() {
    let rollcall = Rollcall::start().await;
    let replica = Rollcall::replica(&rollcall.database, &[]);
    for _ in 0..3 {
        let token = rollcall.token(&[]);
        Rollcall::scim_at(&replica, &token)
            .get("/Users?count=0")
            .await
            .expect(200);
        Rollcall::scim_at(&rollcall.service, &token)
            .get("/Users?count=0")
            .await
            .expect(200);
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let folder = std::env::temp_dir().join(format!("rollcall-token-file-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("token");
    std::fs::write(&file, "first-static-token-0123456789\n").unwrap();
    let rollcall = Rollcall::start_with(&[("scim-token-file", file.to_str().unwrap())]).await;
    let client = |token: &str| Rollcall::scim_at(&rollcall.service, token);
    client("first-static-token-0123456789").get("/Users").await.expect(200);
    client("first-static-token-012345678")
        .get("/Users")
        .await
        .expect_error(401, "");
    std::fs::write(&file, "second-static-token-0123456789").unwrap();
    let second = client("second-static-token-0123456789");
    wait_until("the new token works", Duration::from_secs(3), async || {
        second.get("/Users").await.status == 200
    })
    .await;
    client("first-static-token-0123456789")
        .get("/Users")
        .await
        .expect_error(401, "");
    std::fs::write(&file, "short").unwrap();
    wait_until(
        "a token that is too short is none",
        Duration::from_secs(3),
        async || second.get("/Users").await.status == 401,
    )
    .await;
    client("short").get("/Users").await.expect_error(401, "");
    std::fs::remove_dir_all(&folder).unwrap();
    rollcall.finish().await;
}

#[tokio::test]
async fn no_token_and_no_personal_value_reaches_a_log_line() {
    let rollcall = Rollcall::start_with(&[("log-level", "debug")]).await;
    let scim = rollcall.scim();
    let mut body = json!({"userName": "very-secret-person@example.org", "title": "secret-title"});
    scim.post("/Users", &body).await.expect(201);
    scim.post("/Users", &body).await.expect(409);
    body["userName"] = "\u{0}very-secret-person".into();
    scim.post("/Users", &body).await.expect(400);
    scim.query(
        "/Users",
        &[("filter", "userName eq \"very-secret-person@example.org\"")],
    )
    .await
    .expect(200);
    scim.query(
        "/Users",
        &[("filter", "userName zz \"very-secret-person@example.org\"")],
    )
    .await
    .expect(400);
    let invented = "rc_AAAAAAAAAAAA.c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    scim.with_token(invented).get("/Users").await.expect(401);
    let form = reqwest::Client::new()
        .post(format!("{}/oauth/token", rollcall.service.url("api")))
        .form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "x"),
            ("client_secret", "oauth-secret-value"),
        ]);
    assert_eq!(form.send().await.unwrap().status().as_u16(), 401);
    let secret = scim.token().split_once('.').unwrap().1.to_owned();
    wait_until("the requests are noted", Duration::from_secs(5), async || {
        rollcall.number("select count(*) from store.scim_requests").await >= 5
    })
    .await;
    let owner = rollcall.database.connect(Role::Superuser).await;
    let log = rollcall.service.log();
    assert!(
        log.iter().any(|line| line.contains("/scim/v2/Users")),
        "the log has the requests"
    );
    // The POSIX name, derived from the part before the `@`, is a technical name that the audit log keeps.
    for needle in [
        secret.as_str(),
        "c2VjcmV0LXNlY3JldC1zZWNyZXQ",
        "oauth-secret-value",
        "very-secret-person@",
        "secret-title",
    ] {
        let found = log.iter().find(|line| line.contains(needle));
        assert_eq!(found, None, "{needle}");
        let noted = format!(
            "select x.t from (select r::text as t from store.scim_requests r union all select t::text from store.tokens t \
             union all select a::text from store.audit a) x where x.t like '%{needle}%'"
        );
        let rows = owner.query(&noted, &[]).await.unwrap();
        let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(rows.is_empty(), "{needle} is in a table for people: {rows:?}");
    }
    let metrics = reqwest::get(format!("{}/metrics", rollcall.service.url("ops")))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!metrics.contains(&secret) && !metrics.contains("very-secret-person"));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_token_that_asks_too_much_is_told_when_to_come_back() {
    let rollcall = Rollcall::start_with(&[("scim-rate-limit", "5"), ("scim-rate-burst", "10")]).await;
    let (greedy, other) = (rollcall.scim(), rollcall.scim());
    let mut refused = None;
    for _ in 0..40 {
        let answer = greedy.get("/Users?count=0").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused
        .expect("a burst of 10 is over before 40 requests")
        .expect_error(429, "");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    other.get("/Users?count=0").await.expect(200);
    rollcall.finish().await;
}

#[tokio::test]
async fn last_use_and_origin_are_noted() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.get("/Users").await.expect(200);
    wait_until("the use is noted", Duration::from_secs(15), async || {
        let list = rollcall
            .command(&["token", "list", "--output", "json"])
            .succeeded()
            .json();
        list[0]["last_used_from"] == "127.0.0.1" && list[0]["last_used_at"].is_string()
    })
    .await;
    rollcall.finish().await;
}
