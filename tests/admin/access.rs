//! Who may see the pages and change anything there.

use super::{field, id_of, is_locked, signed_in, start, start_with};
use crate::harness::Rollcall;
use crate::harness::database::Role;
use crate::login::browser::Browser;
use crate::login::proxy::PROXY;

/// Every page, of a user, a group and a token of that id.
fn pages(id: &str) -> Vec<String> {
    let of_user = ["", "/history", "/lock", "/unlock"].map(|page| format!("/admin/users/{id}{page}"));
    let mut pages = ["/admin", "/admin/", "/admin/users", "/admin/groups", "/admin/tokens"]
        .map(str::to_owned)
        .to_vec();
    pages.extend(of_user);
    pages.extend([format!("/admin/groups/{id}"), format!("/admin/tokens/{id}/revoke")]);
    pages
}

/// Every change, of a user or token of that id.
fn changes(id: &str) -> [String; 4] {
    [
        format!("/admin/users/{id}/lock"),
        format!("/admin/users/{id}/unlock"),
        "/admin/tokens".to_owned(),
        format!("/admin/tokens/{id}/revoke"),
    ]
}

const TOKEN: [(&str, &str); 3] = [("name", "mine"), ("scope", "admin"), ("dialect", "strict")];

/// How many changes have come from the pages.
async fn changes_made(rollcall: &Rollcall) -> i64 {
    rollcall
        .number("select count(*) from store.audit where path = 'web'")
        .await
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_sign_in_and_back_and_nothing_is_changed() {
    let rollcall = start().await;
    let (api, id) = (rollcall.service.url("api"), id_of(&rollcall, "ann"));
    for cookie in [None, Some("x"), Some(&*"A".repeat(43))] {
        let mut browser = Browser::new();
        browser.headers = vec![("origin".into(), api.clone())];
        browser
            .cookies
            .extend(cookie.map(|value| ("rollcall-session".to_owned(), value.to_owned())));
        for path in pages(&id) {
            let page = browser.get(&format!("{api}{path}?q=a%20b")).await;
            let back = format!("{path}?q=a%20b")
                .replace('%', "%25")
                .replace('/', "%2F")
                .replace('?', "%3F")
                .replace('=', "%3D");
            assert_eq!(
                (page.status, page.location()),
                (303, &*format!("{api}/sign-in?return={back}"))
            );
        }
        for path in changes(&id) {
            let page = browser.post(&format!("{api}{path}"), &TOKEN).await;
            assert_eq!(page.status, 401, "{path}");
            assert!(page.body.contains("Nothing was changed"), "{}", page.body);
        }
    }
    assert_eq!(changes_made(&rollcall).await, 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_user_who_is_no_administrator_sees_nothing_and_one_who_is_no_longer_at_once() {
    let rollcall = start().await;
    let (api, id) = (rollcall.service.url("api"), id_of(&rollcall, "ann"));
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let tokens = ann.get(&format!("{api}/admin/tokens")).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let form_token = field(&tokens, "form_token").to_owned();
    rollcall.command(&["user", "set-admin", "ann", "0"]).succeeded();
    for mut browser in [signed_in(&rollcall.service, "joe").await, ann] {
        for path in pages(&id) {
            let page = browser.get(&format!("{api}{path}")).await;
            assert_eq!(page.status, 403, "{path}");
            assert!(!page.body.contains("Ann Admin"), "{}", page.body);
        }
        for path in changes(&id) {
            let form = [&TOKEN[..], &[("form_token", &form_token)]].concat();
            assert_eq!(browser.post(&format!("{api}{path}"), &form).await.status, 403, "{path}");
        }
    }
    assert_eq!(changes_made(&rollcall).await, 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_locked_administrator_and_one_whose_session_is_over_are_out_on_every_replica_at_once() {
    let rollcall = start().await;
    rollcall.command(&["user", "add", "bob", "--admin"]).succeeded();
    let other = Rollcall::replica(&rollcall.database, &PROXY);
    let (bob, database) = (
        id_of(&rollcall, "bob"),
        rollcall.database.connect(Role::Superuser).await,
    );
    for over in ["lock", "expire"] {
        let mut browser = signed_in(&rollcall.service, "ann").await;
        let mut form_token = String::new();
        for service in [&rollcall.service, &other] {
            let page = browser.get(&format!("{}/admin/tokens", service.url("api"))).await;
            assert_eq!(page.status, 200, "{}", page.body);
            form_token = field(&page, "form_token").to_owned();
        }
        match over {
            "lock" => {
                rollcall.command(&["user", "lock", "ann"]).succeeded();
            }
            _ => database
                .batch_execute("update store.sessions set expires_at = now()")
                .await
                .unwrap(),
        }
        for service in [&rollcall.service, &other] {
            let api = service.url("api");
            browser.headers = vec![("origin".into(), api.clone())];
            let page = browser.get(&format!("{api}/admin")).await;
            assert_eq!(page.status, 303, "{over}");
            assert!(
                page.location().contains("/sign-in?return=%2Fadmin"),
                "{}",
                page.location()
            );
            let lock = format!("{api}/admin/users/{bob}/lock");
            assert_eq!(
                browser.post(&lock, &[("form_token", &form_token)]).await.status,
                401,
                "{over}"
            );
        }
        rollcall.command(&["user", "unlock", "ann"]).succeeded();
    }
    assert!(!is_locked(&rollcall, "bob"));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_form_of_another_site_or_another_session_changes_nothing() {
    let rollcall = start().await;
    rollcall.command(&["user", "add", "bob", "--admin"]).succeeded();
    let (api, bob) = (rollcall.service.url("api"), id_of(&rollcall, "bob"));
    let mut stranger = signed_in(&rollcall.service, "bob").await;
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let lock = format!("{api}/admin/users/{bob}/lock");
    let foreign = stranger.get(&format!("{api}/admin/tokens")).await;
    let foreign = field(&foreign, "form_token").to_owned();
    let asked = ann.get(&lock).await;
    let own = field(&asked, "form_token").to_owned();
    assert_ne!(own, foreign);
    let cookie = ann.cookies["rollcall-session"].clone();
    for forged in ["", "x", &foreign, &own[1..], &format!("{own}x"), &cookie] {
        let page = ann.post(&lock, &[("form_token", forged)]).await;
        assert_eq!(page.status, 403, "{forged}");
    }
    assert_eq!(ann.post(&lock, &[]).await.status, 403);
    let doubled = [("form_token", own.as_str()), ("form_token", own.as_str())];
    assert_eq!(ann.post(&lock, &doubled).await.status, 403);
    for headers in [
        vec![("origin", "https://evil.org")],
        vec![("origin", "null")],
        vec![("origin", &*format!("{api}.evil.org"))],
        vec![("sec-fetch-site", "cross-site"), ("origin", &api)],
        vec![("sec-fetch-site", "same-site"), ("origin", &api)],
        vec![],
    ] {
        ann.headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let page = ann.post(&lock, &[("form_token", &own)]).await;
        assert_eq!(page.status, 403, "{headers:?}");
        assert!(page.body.contains("Nothing was changed"), "{}", page.body);
    }
    assert!(!is_locked(&rollcall, "bob"));
    assert_eq!(changes_made(&rollcall).await, 0);
    ann.headers = vec![("sec-fetch-site".into(), "same-origin".into())];
    assert_eq!(ann.post(&lock, &[("form_token", &own)]).await.status, 303);
    assert!(is_locked(&rollcall, "bob"));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_body_that_is_no_form_or_too_large_is_refused() {
    let rollcall = start().await;
    let (api, id) = (rollcall.service.url("api"), id_of(&rollcall, "ann"));
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let page = ann.get(&format!("{api}/admin/tokens")).await;
    let own = field(&page, "form_token").to_owned();
    let large = "x".repeat(20_000);
    let form = [("form_token", own.as_str()), ("name", large.as_str())];
    assert_eq!(ann.post(&format!("{api}/admin/tokens"), &form).await.status, 400);
    ann.headers.push(("content-type".into(), "text/plain".into()));
    let lock = format!("{api}/admin/users/{id}/lock");
    assert_eq!(ann.post(&lock, &[("form_token", &own)]).await.status, 400);
    assert_eq!(changes_made(&rollcall).await, 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn pages_are_absent_when_switched_off_and_where_nobody_can_sign_in() {
    for settings in [&[&PROXY[..], &[("admin-pages", "0")]].concat()[..], &[]] {
        let rollcall = Rollcall::start_with(settings).await;
        let api = rollcall.service.url("api");
        let mut browser = Browser::new();
        browser.headers = vec![("origin".into(), api.clone())];
        for path in pages("x") {
            assert_eq!(browser.get(&format!("{api}{path}")).await.status, 404, "{path}");
        }
        for path in changes("x") {
            assert_eq!(
                browser.post(&format!("{api}{path}"), &TOKEN).await.status,
                404,
                "{path}"
            );
        }
        rollcall.finish().await;
    }
}

#[tokio::test]
async fn the_way_back_from_sign_in_has_the_path_of_the_public_address() {
    let rollcall = start_with(&[("public-url", "https://users.example.org/idm")]).await;
    let page = Browser::new()
        .get(&format!("{}/admin/users?q=jane", rollcall.service.url("api")))
        .await;
    let target = "https://users.example.org/idm/sign-in?return=%2Fidm%2Fadmin%2Fusers%3Fq%3Djane";
    assert_eq!((page.status, page.location()), (303, target));
    rollcall.finish().await;
}

#[tokio::test]
async fn every_page_forbids_scripts_frames_and_caches() {
    let rollcall = start().await;
    let (api, id) = (rollcall.service.url("api"), id_of(&rollcall, "ann"));
    let mut ann = signed_in(&rollcall.service, "ann").await;
    for path in pages(&id) {
        let page = ann.get(&format!("{api}{path}")).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert_eq!(
            policy, "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "{path}"
        );
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(page.headers[name], value, "{path}");
        }
        assert!(
            !page.body.contains("<script") && !page.body.contains(" style="),
            "{}",
            page.body
        );
    }
    rollcall.finish().await;
}
