//! The pages of sign-in in Chromium: no script, no complaint under the strict policy, usable by keyboard, and what axe finds.

use serde_json::{Value, json};

use super::api::JIT;
use super::openid::ClientFile;
use super::peers::chromium::{expect_usable, visit};
use super::peers::oidc_provider::{SECRET, claim_groups, oidc_provider, start_oidc_provider};
use super::peers::{free_port, ready};
use crate::harness::Rollcall;

/// What holds for every page.
fn judge(seen: &Value) {
    expect_usable(seen);
    let policy = seen["policy"].as_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"),
        "{policy}"
    );
}

#[tokio::test]
async fn every_page_is_accessible_and_silent_and_people_sign_in_and_out_by_keyboard() {
    let Some(folder) = oidc_provider() else { return };
    let (port, own_port) = (free_port(), free_port());
    let (issuer, listen) = (format!("http://127.0.0.1:{port}"), format!("127.0.0.1:{own_port}"));
    claim_groups(&folder, port, &json!(["eng"]));
    let _provider = start_oidc_provider(&folder, port, &format!("http://{listen}/openid/callback"));
    ready(&format!("{issuer}/.well-known/openid-configuration")).await;
    let client = ClientFile::new(SECRET);
    let rollcall = Rollcall::start_with(&[
        JIT,
        ("listen", &listen),
        ("auth-openid", "1"),
        ("auth-openid-issuer", &issuer),
        ("auth-openid-client-file", client.path()),
        ("auth-proxy", "1"),
        ("auth-proxy-sign-in-url", "/proxy/login"),
    ])
    .await;
    let base = rollcall.service.url("api");
    let pages = [
        ("/sign-in?stay=1", 200),
        ("/sign-out", 200),
        ("/openid/callback?state=x", 400),
    ];
    let paths = pages.map(|(path, _)| path);
    let plan = json!({"base": base, "pages": paths, "sign_in": "/sign-in?return=%2Fsign-out"});
    let Some(seen) = tokio::task::spawn_blocking(move || visit("visit.mjs", &plan))
        .await
        .unwrap()
    else {
        return;
    };
    for (at, (path, status)) in pages.into_iter().enumerate() {
        assert_eq!(
            (&seen["looks"][at]["path"], &seen["looks"][at]["status"]),
            (&json!(path), &json!(status))
        );
        judge(&seen["looks"][at]);
    }
    let choice = json!(["Sign in with OpenID Connect", "Sign in at your organisation"]);
    assert_eq!(seen["looks"][0]["controls"], choice);

    let flow = &seen["flow"];
    assert_eq!(flow["complaints"], json!([]), "{flow:#}");
    let visited: Vec<&str> = flow["visited"]
        .as_array()
        .unwrap()
        .iter()
        .map(|url| url.as_str().unwrap())
        .collect();
    assert!(visited[0].starts_with(&issuer), "{visited:?}");
    assert_eq!(
        visited[visited.len() - 2],
        format!("{base}/sign-out"),
        "back where one wanted to go: {visited:?}"
    );
    assert!(
        visited[visited.len() - 1].starts_with(&format!("{issuer}/session/end")),
        "{visited:?}"
    );
    let session = flow["cookies"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "rollcall-session");
    let session = session.unwrap_or_else(|| panic!("{flow:#}"));
    assert_eq!(
        (&session["httpOnly"], &session["sameSite"]),
        (&json!(true), &json!("Lax"))
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn a_server_without_any_way_to_sign_in_says_so_accessibly() {
    let rollcall = Rollcall::start().await;
    let plan = json!({"base": rollcall.service.url("api"), "pages": ["/sign-in"], "sign_in": null});
    let Some(seen) = tokio::task::spawn_blocking(move || visit("visit.mjs", &plan))
        .await
        .unwrap()
    else {
        return;
    };
    assert_eq!(seen["looks"][0]["status"], 404);
    judge(&seen["looks"][0]);
    rollcall.finish().await;
}
