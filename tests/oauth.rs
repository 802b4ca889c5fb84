//! `POST /oauth/token`: client credentials (RFC 6749 §4.4).

use std::time::Duration;

use serde_json::Value;

use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};

/// The answer to a form, with basic credentials if there are any.
async fn ask(rollcall: &Rollcall, form: &[(&str, &str)], basic: Option<(&str, &str)>) -> (u16, Value) {
    let mut request = reqwest::Client::new()
        .post(format!("{}/oauth/token", rollcall.service.url("api")))
        .form(form);
    if let Some((id, secret)) = basic {
        request = request.basic_auth(id, Some(secret));
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Public id and secret of a token.
fn credentials(token: &str) -> (String, String) {
    let (id, secret) = token.strip_prefix("rc_").unwrap().split_once('.').unwrap();
    (id.to_owned(), secret.to_owned())
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn an_access_token_works_where_its_parent_does() {
    let rollcall = Rollcall::start().await;
    let replica = Rollcall::replica(&rollcall.database, &[]);
    let (id, secret) = credentials(&rollcall.token(&["--dialect", "entra"]));
    let prefixed = format!("rc_{id}");
    for (form, basic) in [
        (vec![GRANT, ("client_id", &*id), ("client_secret", &*secret)], None),
        (
            vec![GRANT, ("client_id", &*prefixed), ("client_secret", &*secret)],
            None,
        ),
        (vec![GRANT], Some((&*id, &*secret))),
        (
            vec![
                GRANT,
                ("scope", "scim something-else"),
                ("client_id", &*id),
                ("client_secret", &*secret),
            ],
            None,
        ),
    ] {
        let (status, body) = ask(&rollcall, &form, basic).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(
            (&body["token_type"], &body["expires_in"], &body["scope"]),
            (&"Bearer".into(), &3600.into(), &"scim".into())
        );
        let token = body["access_token"].as_str().unwrap();
        let client = Rollcall::scim_at(&replica, token);
        let created = client.post("/Users", &serde_json::json!({"userName": format!("u{}", rollcall.number("select count(*) from store.users").await)})).await.expect(201);
        let empty = serde_json::json!([]);
        client
            .patch(&format!("/Users/{}", created.id()), &empty)
            .await
            .expect(200);
    }
    let list = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        list.as_array().unwrap().len(),
        1,
        "access tokens are loans, not tokens of the list"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn access_tokens_die_with_their_parent() {
    let rollcall = Rollcall::start().await;
    let replica = Rollcall::replica(&rollcall.database, &[]);
    let (id, secret) = credentials(&rollcall.token(&[]));
    let form = [GRANT, ("client_id", &*id), ("client_secret", &*secret)];
    let (_, body) = ask(&rollcall, &form, None).await;
    let clients =
        [&rollcall.service, &replica].map(|service| Rollcall::scim_at(service, body["access_token"].as_str().unwrap()));
    for client in &clients {
        client.get("/Users").await.expect(200);
    }
    rollcall.command(&["token", "revoke", &id]).succeeded();
    for client in &clients {
        wait_until("the loan has ended", Duration::from_secs(1), async || {
            client.get("/Users").await.status == 401
        })
        .await;
    }
    let (status, body) = ask(&rollcall, &form, None).await;
    assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")));
    rollcall.finish().await;
}

#[tokio::test]
async fn whoever_asks_for_a_new_access_token_is_no_other_client() {
    let rollcall = Rollcall::start_with(&[("deletion-limit-per-hour", "1")]).await;
    let (id, secret) = credentials(
        rollcall
            .command(&["token", "generate", "idp"])
            .succeeded()
            .stdout
            .trim(),
    );
    let form = [GRANT, ("client_id", &*id), ("client_secret", &*secret)];
    let mut refused = 0;
    for name in ["a", "b", "c"] {
        let (_, body) = ask(&rollcall, &form, None).await;
        let client = Rollcall::scim_at(&rollcall.service, body["access_token"].as_str().unwrap());
        let user = client
            .post("/Users", &serde_json::json!({"userName": name}))
            .await
            .expect(201);
        refused += u16::from(client.delete(&format!("/Users/{}", user.id())).await.status == 429);
    }
    assert_eq!(refused, 2, "the brake counts the lender");
    let audit = rollcall.command(&["audit", "--token", "idp", "--action", "delete", "--output", "json"]);
    assert_eq!(audit.succeeded().json().as_array().unwrap().len(), 1);
    wait_until("the refusals are noted", Duration::from_secs(10), async || {
        let log = rollcall.command(&["scim", "log", "--token", "idp", "--failed", "--output", "json"]);
        log.succeeded().json().as_array().unwrap().len() == 2
    })
    .await;
    rollcall.finish().await;
}

#[tokio::test]
async fn an_access_token_ends_before_its_parents_end() {
    let rollcall = Rollcall::start().await;
    let (id, secret) = credentials(&rollcall.token(&[]));
    let form = [GRANT, ("client_id", &*id), ("client_secret", &*secret)];
    let (_, body) = ask(&rollcall, &form, None).await;
    let client = Rollcall::scim_at(&rollcall.service, body["access_token"].as_str().unwrap());
    client.get("/Users").await.expect(200);
    let owner = rollcall.database.connect(Role::Superuser).await;
    owner
        .batch_execute("update store.tokens set expires_at = now() where parent is null; update store.token_state set version = version + 1")
        .await
        .unwrap();
    wait_until("the loan has ended", Duration::from_secs(3), async || {
        client.get("/Users").await.status == 401
    })
    .await;
    let grandchild = credentials(body["access_token"].as_str().unwrap());
    let (status, _) = ask(
        &rollcall,
        &[GRANT, ("client_id", &grandchild.0), ("client_secret", &grandchild.1)],
        None,
    )
    .await;
    assert_eq!(status, 401);
    rollcall.finish().await;
}

#[tokio::test]
async fn an_access_token_cannot_renew_itself() {
    let rollcall = Rollcall::start().await;
    let (id, secret) = credentials(&rollcall.token(&[]));
    let (_, body) = ask(
        &rollcall,
        &[GRANT, ("client_id", &*id), ("client_secret", &*secret)],
        None,
    )
    .await;
    let loan = credentials(body["access_token"].as_str().unwrap());
    let (status, body) = ask(
        &rollcall,
        &[GRANT, ("client_id", &loan.0), ("client_secret", &loan.1)],
        None,
    )
    .await;
    assert_eq!(
        (status, body["error"].as_str()),
        (401, Some("invalid_client")),
        "else it would outlive its parent"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn every_refusal_says_the_same_of_unknown_and_wrong() {
    let rollcall = Rollcall::start().await;
    let (id, secret) = credentials(&rollcall.token(&[]));
    let mut refusals = Vec::new();
    for (client, secret) in [("nobody", &*secret), (&*id, "wrong"), (&*id, ""), ("", "")] {
        let (status, body) = ask(
            &rollcall,
            &[GRANT, ("client_id", client), ("client_secret", secret)],
            None,
        )
        .await;
        assert_eq!(status, 401, "{body}");
        refusals.push(body);
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    for (form, status, error) in [
        (
            vec![("client_id", &*id), ("client_secret", &*secret)],
            400,
            "unsupported_grant_type",
        ),
        (
            vec![
                ("grant_type", "password"),
                ("client_id", &*id),
                ("client_secret", &*secret),
            ],
            400,
            "unsupported_grant_type",
        ),
        (vec![GRANT], 400, "invalid_request"),
        (vec![GRANT, ("client_id", &*id)], 400, "invalid_request"),
        (
            vec![GRANT, GRANT, ("client_id", &*id), ("client_secret", &*secret)],
            400,
            "invalid_request",
        ),
        (
            vec![
                GRANT,
                ("scope", "admin"),
                ("client_id", &*id),
                ("client_secret", &*secret),
            ],
            400,
            "invalid_scope",
        ),
        (
            vec![GRANT, ("client_id", &"x".repeat(10_000)), ("client_secret", "y")],
            400,
            "invalid_request",
        ),
    ] {
        let (got, body) = ask(&rollcall, &form, None).await;
        assert_eq!((got, body["error"].as_str()), (status, Some(error)), "{form:.80?}");
    }
    let url = format!("{}/oauth/token", rollcall.service.url("api"));
    let json = reqwest::Client::new()
        .post(&url)
        .header("content-type", "application/json")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(json.status().as_u16(), 400);
    assert_eq!(reqwest::get(&url).await.unwrap().status().as_u16(), 405);
    rollcall.finish().await;
}
