//! The pages of sign-in in Chromium: no script, no complaint under the strict policy, usable by keyboard, and what axe finds.

use serde_json::{Value, json};

use super::api::JIT;
use super::openid::ClientFile;
use super::peers::oidc_provider::{SECRET, claim_groups, oidc_provider, start_oidc_provider};
use super::peers::{free_port, installed, ready};
use crate::harness::Rollcall;
use crate::harness::children::mortal;

const VISIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/chromium/visit.mjs");

/// What `visit.mjs` saw; `None`, with a message, where there is no Chromium.
fn visit(plan: &Value) -> Option<Value> {
    let cache = installed("chromium")?;
    let output = mortal("node")
        .arg(VISIT)
        .arg(cache)
        .arg(plan.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// What holds for every page.
fn judge(seen: &Value) {
    for empty in ["complaints", "violations"] {
        assert_eq!(seen[empty], json!([]), "{seen:#}");
    }
    assert_eq!(
        (&seen["scripts"], &seen["language"], &seen["narrow"]),
        (&json!(0), &json!("en"), &json!(true)),
        "{seen:#}"
    );
    let policy = seen["policy"].as_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"),
        "{policy}"
    );
    let stops: Vec<&Value> = seen["keyboard"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stop| &stop["text"])
        .collect();
    let controls: Vec<&Value> = seen["controls"].as_array().unwrap().iter().collect();
    assert_eq!(stops, controls, "Tab goes from one to the next: {seen:#}");
    for stop in seen["keyboard"].as_array().unwrap() {
        assert_eq!(stop["seen"], true, "{seen:#}");
    }
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
    let Some(seen) = tokio::task::spawn_blocking(move || visit(&plan)).await.unwrap() else {
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
    let Some(seen) = tokio::task::spawn_blocking(move || visit(&plan)).await.unwrap() else {
        return;
    };
    assert_eq!(seen["looks"][0]["status"], 404);
    judge(&seen["looks"][0]);
    rollcall.finish().await;
}
