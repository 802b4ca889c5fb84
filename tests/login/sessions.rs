//! Sessions: forward-auth, their ends on every replica, sign-out, lifetimes, and the pages around them.

use std::time::Duration;

use super::proxy::{PROXY, get};
use crate::harness::database::Role;
use crate::harness::service::Service;
use crate::harness::{Rollcall, wait_until};

/// A session for `user`, by header sign-in: the value of the Cookie header.
async fn session(service: &Service, user: &str, cookie: Option<&str>) -> String {
    let mut headers = vec![("x-rstudio-username", user)];
    headers.extend(cookie.map(|cookie| ("cookie", cookie)));
    let (status, headers) = get(&format!("{}/proxy/login?return=/s", service.url("proxy")), &headers).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (303, "/s"));
    let cookie = headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

async fn verify(service: &Service, cookie: &str) -> u16 {
    get(&format!("{}/auth/verify", service.url("api")), &[("cookie", cookie)])
        .await
        .0
}

#[tokio::test]
async fn forward_auth_names_the_user_and_only_him() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let cookie = session(&rollcall.service, "Jane@example.org", None).await;
    let url = format!("{}/auth/verify", rollcall.service.url("api"));
    let (status, headers) = get(&url, &[("cookie", &cookie), ("x-rstudio-username", "root")]).await;
    assert_eq!(status, 200);
    let names: Vec<_> = headers.get_all("x-rstudio-username").iter().collect();
    assert_eq!(names, ["jane"]);
    assert_eq!(headers["x-rollcall-uid"], "1000");
    for forged in [
        "rollcall-session=",
        "rollcall-session=x",
        &format!("{cookie}x"),
        &format!("{cookie}; {cookie}"),
        "",
    ] {
        assert_eq!(verify(&rollcall.service, forged).await, 401, "{forged}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_session_of_one_replica_is_good_on_another_and_a_lock_ends_it_on_both_within_a_second() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let other = Rollcall::replica(&rollcall.database, &PROXY);
    let cookie = session(&rollcall.service, "jane", None).await;
    let bystander = session(&other, "joe", None).await;
    for service in [&rollcall.service, &other] {
        assert_eq!(verify(service, &cookie).await, 200);
        assert_eq!(verify(service, &bystander).await, 200);
    }
    let jane = rollcall
        .command(&["user", "show", "jane", "--output", "json"])
        .succeeded()
        .json();
    let operation = serde_json::json!([{"op": "replace", "path": "active", "value": false}]);
    rollcall
        .scim()
        .patch(&format!("/Users/{}", jane["id"].as_str().unwrap()), &operation)
        .await
        .expect(200);
    for service in [&rollcall.service, &other] {
        let over = async || verify(service, &cookie).await == 401;
        wait_until("the session is over", Duration::from_secs(1), over).await;
        assert_eq!(verify(service, &bystander).await, 200, "other sessions go on");
    }
    rollcall.command(&["user", "unlock", "jane"]).succeeded();
    assert_eq!(
        verify(&other, &cookie).await,
        401,
        "an ended session does not come back"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn deleting_or_renaming_a_user_ends_his_sessions() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let scim = rollcall.scim();
    for (user, renames) in [("jane", true), ("joe", false)] {
        let cookie = session(&rollcall.service, user, None).await;
        assert_eq!(verify(&rollcall.service, &cookie).await, 200);
        let shown = rollcall
            .command(&["user", "show", user, "--output", "json"])
            .succeeded()
            .json();
        let path = format!("/Users/{}", shown["id"].as_str().unwrap());
        if renames {
            let urn = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserName";
            let operation = serde_json::json!([{"op": "replace", "path": urn, "value": "jane2"}]);
            scim.patch(&path, &operation).await.expect(200);
        } else {
            scim.delete(&path).await.expect(204);
        }
        let over = async || verify(&rollcall.service, &cookie).await == 401;
        wait_until("the session is over", Duration::from_secs(1), over).await;
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn sign_out_ends_the_session_everywhere_and_another_site_cannot_ask_for_it() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let other = Rollcall::replica(&rollcall.database, &PROXY);
    let cookie = session(&rollcall.service, "jane", None).await;
    assert_eq!(verify(&other, &cookie).await, 200);
    let url = format!("{}/sign-out", rollcall.service.url("api"));
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let post = async |name: &str, value: &str| {
        let request = http.post(&url).header("cookie", &cookie).header(name, value);
        request.send().await.unwrap()
    };
    assert_eq!(post("sec-fetch-site", "cross-site").await.status(), 400);
    assert_eq!(post("origin", "https://evil.org").await.status(), 400);
    assert_eq!(get(&url, &[("cookie", &cookie)]).await.0, 200, "a link asks first");
    assert_eq!(verify(&rollcall.service, &cookie).await, 200);
    let left = post("origin", &rollcall.service.url("api")).await;
    assert_eq!(left.status(), 303);
    assert!(left.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(verify(&rollcall.service, &cookie).await, 401);
    let over = async || verify(&other, &cookie).await == 401;
    wait_until("the session is over on the other replica", Duration::from_secs(1), over).await;
    rollcall.finish().await;
}

#[tokio::test]
async fn each_sign_in_has_a_new_id_and_ends_the_one_before() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let planted = format!("rollcall-session={}", "A".repeat(43));
    let first = session(&rollcall.service, "jane", Some(&planted)).await;
    assert_ne!(first, planted, "an id from outside is never taken over");
    assert_eq!(verify(&rollcall.service, &planted).await, 401);
    let second = session(&rollcall.service, "jane", Some(&first)).await;
    assert_ne!(first, second);
    assert_eq!(verify(&rollcall.service, &first).await, 401);
    assert_eq!(verify(&rollcall.service, &second).await, 200);
    rollcall.finish().await;
}

#[tokio::test]
async fn sessions_end_when_idle_or_old_whatever_a_replica_remembers() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let database = rollcall.database.connect(Role::Superuser).await;
    let idle = session(&rollcall.service, "jane", None).await;
    database
        .batch_execute("update store.sessions set last_seen = now() - interval '61 minutes'")
        .await
        .unwrap();
    assert_eq!(
        verify(&rollcall.service, &idle).await,
        401,
        "idle for more than an hour"
    );
    let old = session(&rollcall.service, "jane", None).await;
    database
        .batch_execute("update store.sessions set expires_at = now()")
        .await
        .unwrap();
    assert_eq!(verify(&rollcall.service, &old).await, 401, "past its lifetime");
    rollcall.finish().await;
}

#[tokio::test]
async fn only_the_hash_of_a_session_id_is_stored() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let cookie = session(&rollcall.service, "jane", None).await;
    let id = cookie.split_once('=').unwrap().1.to_owned();
    let database = rollcall.database.connect(Role::Superuser).await;
    let rows = database
        .query("select s::text from store.sessions s", &[])
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].get::<_, String>(0).contains(&id));
    assert!(!rollcall.service.log().join("\n").contains(&id));
    rollcall.finish().await;
}

#[tokio::test]
async fn return_paths_never_lead_elsewhere() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let base = rollcall.service.url("proxy");
    for (path, target) in [
        ("/s/1?a=b", "/s/1?a=b"),
        ("//evil.org", "/"),
        ("/\\evil.org", "/"),
        ("https://evil.org", "/"),
        ("/\t/evil.org", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let url = reqwest::Url::parse_with_params(&format!("{base}/proxy/login"), [("return", path)]).unwrap();
        let (_, headers) = get(url.as_str(), &[("x-rstudio-username", "jane")]).await;
        assert_eq!(headers["location"], target, "{path}");
    }
    let twice = format!("{base}/proxy/login?return=/a&return=/b");
    assert_eq!(get(&twice, &[("x-rstudio-username", "jane")]).await.1["location"], "/");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_browser_without_a_session_is_sent_to_sign_in_when_the_proxy_wishes_so() {
    let settings = [&PROXY[..], &[("auth-proxy-sign-in-url", "https://sso.example.org/in")]].concat();
    let rollcall = Rollcall::start_with(&settings).await;
    let base = rollcall.service.url("api");
    let verify = format!("{base}/auth/verify?redirect=1");
    let (status, headers) = get(&verify, &[("x-forwarded-uri", "/s/1?a=b"), ("host", "evil.org")]).await;
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (302, format!("{base}/sign-in?return=%2Fs%2F1%3Fa%3Db").as_str())
    );
    let (_, headers) = get(&verify, &[("x-forwarded-uri", "//evil.org")]).await;
    assert_eq!(headers["location"], format!("{base}/sign-in"));
    let (status, headers) = get(&format!("{base}/sign-in?return=/s"), &[]).await;
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (303, "https://sso.example.org/in")
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn pages_allow_no_script_and_no_frame() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    for path in ["/sign-in", "/sign-out"] {
        let url = format!("{}{path}", rollcall.service.url("api"));
        let response = reqwest::get(&url).await.unwrap();
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let html = response.text().await.unwrap();
        assert!(
            html.contains("<html lang=\"en\">") && html.contains("<h1>") && !html.contains("<script"),
            "{html}"
        );
    }
    rollcall.finish().await;
}
