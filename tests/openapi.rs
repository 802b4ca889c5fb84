//! `/openapi.json` against the running service: what it describes is there, what it does not describe is not.

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::harness::Rollcall;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The listener that offers a path.
fn listener(item: &Value) -> &'static str {
    match item["servers"][0]["variables"]["address"]["description"].as_str() {
        None => "api",
        Some("proxy-listen") => "proxy",
        Some("read-listen") => "read",
        Some("ops-listen") => "ops",
        Some(other) => panic!("no such listener: {other}"),
    }
}

#[tokio::test]
async fn exactly_the_described_methods_are_offered() {
    let rollcall = Rollcall::start_with(&super::login::proxy::PROXY).await;
    let api = rollcall.service.url("api");
    let tokens = [rollcall.token(&[]), rollcall.token(&["--scope", "nss-admin"])];
    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let document: Value = http
        .get(format!("{api}/openapi.json"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    assert_eq!(document["servers"][0]["url"], format!("{api}/scim/v2"));
    let mut described = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let listener = listener(item);
        let below = if item["servers"].is_null() { "/scim/v2" } else { "" };
        let url = format!(
            "{}{below}{}",
            rollcall.service.url(listener),
            path.replace(['{', '}'], "")
        );
        for method in METHODS {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let token = &tokens[usize::from(listener == "read")];
            let answer = http
                .request(verb, &url)
                .bearer_auth(token)
                .body("{}")
                .send()
                .await
                .unwrap();
            let offered = answer.status() != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(offered, item[method].is_object(), "{method} {url}: {}", answer.status());
            described += usize::from(offered);
        }
    }
    assert!(described > 40, "{described}");
    rollcall.finish().await;
}
