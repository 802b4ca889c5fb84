//! Header sign-in: the proxy listener, and that no other listener knows such headers.

use reqwest::header::HeaderMap;

use super::api::JIT;
use crate::harness::service::Service;
use crate::harness::{Rollcall, database::Database};

/// Header sign-in for whoever is on this machine.
pub const PROXY: [(&str, &str); 4] = [
    JIT,
    ("proxy-listen", "127.0.0.1:0"),
    ("auth-proxy", "1"),
    ("auth-proxy-trusted-networks", "127.0.0.0/8"),
];

/// Status and headers of a GET that follows no redirect.
pub async fn get(url: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap) {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let request = headers
        .iter()
        .fold(http.get(url), |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.headers().clone())
}

fn verify(rollcall: &Rollcall, listener: &str) -> String {
    format!("{}/auth/verify", rollcall.service.url(listener))
}

#[tokio::test]
async fn headers_of_a_trusted_proxy_sign_in_and_reconcile() {
    let settings = [&PROXY[..], &[("auth-proxy-groups-header", "X-RStudio-Groups")]].concat();
    let rollcall = Rollcall::start_with(&settings).await;
    let url = verify(&rollcall, "proxy");
    let groups = |rollcall: &Rollcall| {
        rollcall
            .command(&["user", "show", "jane", "--output", "json"])
            .succeeded()
            .json()["groups"]
            .to_string()
    };
    let name = ("X-RStudio-Username", "Jane@example.org");
    let (status, headers) = get(&url, &[name, ("x-rstudio-groups", "eng, ops")]).await;
    assert_eq!((status, headers["x-rstudio-username"].to_str().unwrap()), (200, "jane"));
    assert!(groups(&rollcall).contains("eng") && groups(&rollcall).contains("ops"));
    get(&url, &[name]).await;
    assert!(
        groups(&rollcall).contains("eng"),
        "a header that is not sent changes nothing"
    );
    get(&url, &[name, ("x-rstudio-groups", "")]).await;
    assert_eq!(groups(&rollcall), "[]", "an empty header is no group at all");
    rollcall.finish().await;
}

#[tokio::test]
async fn smuggled_headers_are_refused() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let url = verify(&rollcall, "proxy");
    let name = ("x-rstudio-username", "jane");
    for (headers, status) in [
        (&[][..], 401),
        (&[("x-rstudio-username", "")], 401),
        (&[name, name], 400),
        (&[name, ("x_rstudio_username", "eve")], 400),
        (&[("x-rstudio-username", "jane,eve")], 400),
        (&[("remote-user", "eve"), ("x-forwarded-user", "eve")], 401),
    ] {
        assert_eq!(get(&url, headers).await.0, status, "{headers:?}");
    }
    let users = rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn strangers_are_refused_whatever_they_claim_to_be() {
    let mut settings = PROXY;
    settings[3].1 = "192.0.2.0/24";
    let rollcall = Rollcall::start_with(&settings).await;
    let headers = [
        ("x-rstudio-username", "jane"),
        ("x-forwarded-for", "192.0.2.1"),
        ("forwarded", "for=192.0.2.1"),
    ];
    assert_eq!(get(&verify(&rollcall, "proxy"), &headers).await.0, 401);
    rollcall.finish().await;
}

#[tokio::test]
async fn the_shared_secret_is_asked_for() {
    let settings = [&PROXY[..], &[("auth-proxy-secret", "open-sesame")]].concat();
    let rollcall = Rollcall::start_with(&settings).await;
    let url = verify(&rollcall, "proxy");
    let name = ("x-rstudio-username", "jane");
    assert_eq!(get(&url, &[name]).await.0, 401);
    assert_eq!(
        get(&url, &[name, ("x-rollcall-proxy-secret", "open-sesam")]).await.0,
        401
    );
    assert_eq!(
        get(&url, &[name, ("x-rollcall-proxy-secret", "open-sesame")]).await.0,
        200
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn no_other_listener_knows_identity_headers() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let headers = [("x-rstudio-username", "jane")];
    assert_eq!(get(&verify(&rollcall, "api"), &headers).await.0, 401);
    for listener in ["read", "ops"] {
        assert_eq!(get(&verify(&rollcall, listener), &headers).await.0, 404);
    }
    let url = format!("{}/scim/v2/Users", rollcall.service.url("api"));
    assert_eq!(get(&url, &headers).await.0, 401);
    let url = format!("{}/scim/v2/Users", rollcall.service.url("proxy"));
    assert_eq!(get(&url, &headers).await.0, 404);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_locked_user_is_refused_at_once() {
    let rollcall = Rollcall::start_with(&PROXY).await;
    let (url, name) = (verify(&rollcall, "proxy"), ("x-rstudio-username", "jane"));
    assert_eq!(get(&url, &[name]).await.0, 200);
    rollcall.command(&["user", "lock", "jane"]).succeeded();
    assert_eq!(get(&url, &[name]).await.0, 403);
    rollcall.finish().await;
}

#[tokio::test]
async fn header_sign_in_without_trusted_networks_does_not_start() {
    for networks in ["", "0.0.0.0/0", "proxy.example.org"] {
        let database = Database::create().await;
        let uri = database.uri(crate::harness::database::Role::App);
        let settings = [
            ("database-uri", uri.as_str()),
            ("proxy-listen", "127.0.0.1:0"),
            ("auth-proxy", "1"),
            ("auth-proxy-trusted-networks", networks),
        ];
        assert!(Service::try_start(&settings).is_err(), "{networks:?}");
        database.finish().await;
    }
}
