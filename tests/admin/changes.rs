//! What administrators change at the pages: locks and tokens.

use std::time::Duration;

use serde_json::json;

use super::{field, id_of, is_locked, signed_in, start, start_with};
use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};
use crate::login::browser::{Browser, Page};
use crate::login::proxy::{PROXY, get};

/// Opens a page with a form and sends the form with these fields.
async fn send(browser: &mut Browser, url: &str, fields: &[(&str, &str)]) -> Page {
    let asked = browser.get(url).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let form_token = field(&asked, "form_token").to_owned();
    let form = [fields, &[("form_token", &form_token)]].concat();
    browser.post(url, &form).await
}

/// What the audit log has of the pages: actor, action, resource.
async fn audit(rollcall: &Rollcall) -> Vec<(String, String, String)> {
    let database = rollcall.database.connect(Role::Superuser).await;
    let sql = "select actor, action, resource from store.audit where path = 'web' order by id";
    let rows = database.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_lock_says_what_follows_ends_sessions_everywhere_and_names_the_administrator() {
    let rollcall = start().await;
    let other = Rollcall::replica(&rollcall.database, &PROXY);
    let external = json!({"userName": "jane", "externalId": "e-1"});
    rollcall.scim().post("/Users", &external).await.expect(201);
    let (api, jane) = (rollcall.service.url("api"), id_of(&rollcall, "jane"));
    let visitor = signed_in(&other, "jane").await;
    let cookie = format!("rollcall-session={}", visitor.cookies["rollcall-session"]);
    let verify = async || {
        let url = format!("{}/auth/verify", other.url("api"));
        get(&url, &[("cookie", &cookie)]).await.0
    };
    assert_eq!(verify().await, 200);
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let lock = format!("{api}/admin/users/{jane}/lock");
    let asked = ann.get(&lock).await;
    for told in [
        "Lock jane?",
        "within a second: 1.",
        "its next sync may undo it",
        "Nothing is deleted",
    ] {
        assert!(asked.body.contains(told), "{told}: {}", asked.body);
    }
    assert!(!is_locked(&rollcall, "jane"), "asking changes nothing");
    let done = send(&mut ann, &lock, &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, &*format!("{api}/admin/users/{jane}?done=locked"))
    );
    assert!(is_locked(&rollcall, "jane"));
    wait_until(
        "the session is over on the other replica",
        Duration::from_secs(1),
        async || verify().await == 401,
    )
    .await;
    let shown = ann.get(done.location()).await;
    assert!(
        shown.body.contains("The user is locked.") && shown.body.contains("/unlock"),
        "{}",
        shown.body
    );
    let spoofed = ann.get(&format!("{api}/admin/users/{jane}?done=unlocked")).await;
    assert!(!spoofed.body.contains("The user is unlocked."), "{}", spoofed.body);
    let done = send(&mut ann, &format!("{api}/admin/users/{jane}/unlock"), &[]).await;
    assert_eq!(done.status, 303);
    assert!(!is_locked(&rollcall, "jane"));
    let actor = format!("user:{}", id_of(&rollcall, "ann"));
    let row = |action: &str| (actor.clone(), action.to_owned(), "user".to_owned());
    assert_eq!(audit(&rollcall).await, [row("lock"), row("unlock")]);
    let line = ann.get(&format!("{api}/admin/users/{jane}/history")).await;
    assert!(
        line.body.contains(&actor) && line.body.contains("unlock user"),
        "{}",
        line.body
    );
    let found = rollcall
        .command(&["audit", "--path", "web", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(found.as_array().unwrap().len(), 2);
    rollcall.finish().await;
}

#[tokio::test]
async fn nobody_locks_himself_and_the_brake_holds_administrators_too() {
    let rollcall = start_with(&[("deletion-limit-per-hour", "1")]).await;
    let (api, own) = (rollcall.service.url("api"), id_of(&rollcall, "ann"));
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let lock = format!("{api}/admin/users/{own}/lock");
    assert_eq!(ann.get(&lock).await.status, 400);
    let tokens = ann.get(&format!("{api}/admin/tokens")).await;
    let form = [("form_token", field(&tokens, "form_token"))];
    assert_eq!(ann.post(&lock, &form).await.status, 400);
    assert!(!is_locked(&rollcall, "ann"));
    for (user, status) in [("jane", 303), ("joe", 429)] {
        rollcall.command(&["user", "add", user]).succeeded();
        let lock = format!("{api}/admin/users/{}/lock", id_of(&rollcall, user));
        let page = send(&mut ann, &lock, &[]).await;
        assert_eq!(page.status, status, "{}", page.body);
    }
    assert!(is_locked(&rollcall, "jane") && !is_locked(&rollcall, "joe"));
    let overview = ann.get(&format!("{api}/admin")).await;
    assert!(overview.body.contains(&format!("user:{own}")), "{}", overview.body);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_is_made_once_however_often_its_form_is_sent() {
    let rollcall = start().await;
    let api = rollcall.service.url("api");
    let tokens = format!("{api}/admin/tokens");
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let asked = ann.get(&tokens).await;
    let form = [
        ("form_token", field(&asked, "form_token")),
        ("public_id", field(&asked, "public_id")),
        ("name", "okta <b>"),
        ("scope", "scim"),
        ("scope", "audit"),
        ("dialect", "okta"),
        ("days", "30"),
    ];
    let made = ann.post(&tokens, &form).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.headers["cache-control"], "no-store");
    let secret = made
        .body
        .split("<code class=\"secret\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let scim = Rollcall::scim_at(&rollcall.service, secret);
    scim.get("/Users").await.expect(200);
    let again = ann.post(&tokens, &form).await;
    assert_eq!(again.status, 409, "{}", again.body);
    let list = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(
        (&list[0]["name"], &list[0]["dialect"]),
        (&json!("okta <b>"), &json!("okta"))
    );
    assert_eq!(list[0]["scopes"], json!(["scim", "audit"]));
    assert_eq!(list[0]["created_by"], format!("user:{}", id_of(&rollcall, "ann")));
    let shown = ann.get(&tokens).await;
    let hidden = secret.split_once('.').unwrap().1;
    assert!(shown.body.contains("okta &#60;b&#62;"), "{}", shown.body);
    for place in [&shown.body, &again.body, &rollcall.service.log().join("\n")] {
        assert!(!place.contains(hidden), "the secret is shown once");
    }
    let revoke = format!("{tokens}/{}/revoke", field(&asked, "public_id"));
    let question = ann.get(&revoke).await;
    assert!(question.body.contains("Revoke okta &#60;b&#62;?"), "{}", question.body);
    let done = send(&mut ann, &revoke, &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, &*format!("{tokens}?done=revoked"))
    );
    let refused = async || scim.send_status("/Users").await == 401;
    wait_until("the token is refused", Duration::from_secs(1), refused).await;
    let gone = ann.get(done.location()).await;
    assert!(
        gone.body.contains("The token is revoked.") && !gone.body.contains("okta &#60;b"),
        "{}",
        gone.body
    );
    assert_eq!(ann.get(&revoke).await.status, 404);
    assert_eq!(ann.post(&revoke, &form[..1]).await.status, 404);
    let actions: Vec<String> = audit(&rollcall)
        .await
        .into_iter()
        .map(|(_, action, _)| action)
        .collect();
    assert_eq!(actions, ["create", "revoke"]);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_token_that_cannot_be_is_refused_in_words_and_not_made() {
    let rollcall = start().await;
    let tokens = format!("{}/admin/tokens", rollcall.service.url("api"));
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let asked = ann.get(&tokens).await;
    let (form_token, public_id) = (field(&asked, "form_token"), field(&asked, "public_id"));
    let long = "n".repeat(256);
    let good = [
        ("public_id", public_id),
        ("name", "n"),
        ("scope", "scim"),
        ("dialect", "strict"),
        ("days", "1"),
    ];
    for (name, value) in [
        ("name", ""),
        ("name", " "),
        ("name", "a\u{0}b"),
        ("name", "a\nb"),
        ("name", &long),
        ("scope", "root"),
        ("scope", ""),
        ("dialect", "klingon"),
        ("days", "0"),
        ("days", "-1"),
        ("days", "36501"),
        ("days", "many"),
        ("public_id", "x"),
        ("public_id", "../../../../.."),
    ] {
        let mut form: Vec<(&str, &str)> = good
            .iter()
            .map(|field| if field.0 == name { (name, value) } else { *field })
            .collect();
        form.push(("form_token", form_token));
        let page = ann.post(&tokens, &form).await;
        assert_eq!(page.status, 400, "{name}={value:?}: {}", page.body);
        assert!(page.body.contains("role=\"alert\""), "{}", page.body);
    }
    let without_scope = [
        ("form_token", form_token),
        ("public_id", public_id),
        ("name", "n"),
        ("dialect", "strict"),
    ];
    assert_eq!(ann.post(&tokens, &without_scope).await.status, 400);
    assert_eq!(rollcall.number("select count(*) from store.tokens").await, 0);
    rollcall.finish().await;
}
