//! Sign-in by OpenID Connect: the flow, and every way in which a provider may misbehave.

mod client_file;
mod misbehaviour;

use std::time::{Duration, Instant};

pub use client_file::ClientFile;
use serde_json::{Value, json};

use super::api::JIT;
use super::browser::{Browser, Page};
use super::provider::{CLIENT, Key, Manner, Provider, Signing};
use crate::harness::service::Service;
use crate::harness::{Rollcall, wait_until};

struct Stage {
    rollcall: Rollcall,
    provider: Provider,
    settings: Vec<(String, String)>,
    _client: ClientFile,
}

impl Stage {
    async fn set() -> Self {
        Self::set_with(&[]).await
    }

    async fn set_with(further: &[(&str, &str)]) -> Self {
        let provider = Provider::start().await;
        let client = ClientFile::new("hidden");
        let mut settings = vec![
            JIT,
            ("auth-openid", "1"),
            ("auth-openid-issuer", provider.issuer()),
            ("auth-openid-client-file", client.path()),
            ("auth-openid-scopes", "openid profile email groups"),
        ];
        settings.extend(further);
        let rollcall = Rollcall::start_with(&settings).await;
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            rollcall,
            provider,
            settings,
            _client: client,
        }
    }

    fn replica(&self) -> Service {
        let settings: Vec<(&str, &str)> = self.settings.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        Rollcall::replica(&self.rollcall.database, &settings)
    }

    fn url(&self) -> String {
        self.rollcall.service.url("api")
    }

    /// To the provider and back as far as the query of the callback.
    async fn begin(&self, browser: &mut Browser) -> String {
        let page = browser.get(&format!("{}/openid/login?return=/s/1", self.url())).await;
        assert_eq!(page.status, 303, "{}", page.body);
        self.provider.agree(&page.location().parse().unwrap())
    }

    async fn sign_in(&self) -> Page {
        let mut browser = Browser::new();
        let query = self.begin(&mut browser).await;
        browser.get(&format!("{}/openid/callback?{query}", self.url())).await
    }

    async fn expect_success(&self) {
        let page = self.sign_in().await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/s/1"),
            "{} {:?}",
            page.body,
            self.rollcall.service.log().last()
        );
    }

    async fn expect_refusal(&self, reason: &str, what: &str) {
        let page = self.sign_in().await;
        assert!([400, 403, 503].contains(&page.status), "{what}: {}", page.status);
        assert!(
            !page
                .headers
                .get_all("set-cookie")
                .iter()
                .any(|cookie| cookie.to_str().unwrap().contains("session"))
        );
        let id = page.headers["x-request-id"].to_str().unwrap();
        assert!(
            page.body.contains(id) && !page.body.contains(reason),
            "{what}: {}",
            page.body
        );
        let line = async || {
            let log = self.rollcall.service.log();
            log.into_iter()
                .rfind(|line| line.contains(id) && line.contains("sign-in refused"))
        };
        wait_until(
            &format!("{what}: a line in the log"),
            Duration::from_secs(5),
            async || line().await.is_some(),
        )
        .await;
        let line = line().await.unwrap();
        assert!(line.contains(&format!("\"reason\":\"{reason}\"")), "{what}: {line}");
    }

    fn groups(&self) -> Value {
        let shown = self
            .rollcall
            .command(&["user", "show", "jane", "--output", "json"])
            .succeeded()
            .json();
        let mut groups: Vec<String> = serde_json::from_value(shown["groups"].clone()).unwrap();
        groups.sort();
        json!(groups)
    }
}

#[tokio::test]
async fn a_first_sign_in_creates_the_user_and_a_second_follows_the_claims() {
    let stage = Stage::set_with(&[
        ("auth-openid-posix-id-claim", "uid"),
        ("auth-openid-homedir-claim", "home"),
    ])
    .await;
    stage.provider.behaviour().claims = json!({"uid": 20123, "home": "/data/jane"});
    stage.expect_success().await;
    let shown = stage
        .rollcall
        .command(&["user", "show", "jane", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&shown["uid"], &shown["homeDirectory"]),
        (&json!(20123), &json!("/data/jane"))
    );
    assert_eq!(
        (&shown["displayName"], stage.groups()),
        (&json!("Jane Doe"), json!(["eng", "ops"]))
    );
    stage.provider.behaviour().claims = json!({"uid": 20123, "home": "/data/jane", "groups": ["Ops", "qa"]});
    stage.expect_success().await;
    assert_eq!(stage.groups(), json!(["ops", "qa"]));
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn a_sign_in_begun_on_one_replica_ends_on_another() {
    let stage = Stage::set().await;
    let other = stage.replica();
    let mut browser = Browser::new();
    let query = stage.begin(&mut browser).await;
    let page = browser
        .get(&format!("{}/openid/callback?{query}", other.url("api")))
        .await;
    assert_eq!((page.status, page.location()), (303, "/s/1"), "{}", page.body);
    let verified = browser.get(&format!("{}/auth/verify", stage.url())).await;
    assert_eq!(
        (verified.status, &verified.headers["x-rstudio-username"]),
        (200, &"jane".parse().unwrap())
    );
    let again = browser.get(&format!("{}/openid/callback?{query}", stage.url())).await;
    assert_eq!(again.status, 400, "a state is good for one end on all replicas");
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute_and_several_audiences_with_azp_are_fine() {
    let stage = Stage::set().await;
    let now = jiff::Timestamp::now().as_second();
    for claims in [
        json!({"iat": now - 330, "exp": now - 30}),
        json!({"iat": now + 30, "exp": now + 330}),
        json!({"aud": [CLIENT, "another"], "azp": CLIENT, "iat": now + 40}),
    ] {
        stage.provider.behaviour().claims = claims;
        stage.expect_success().await;
    }
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn an_announced_issuer_parameter_must_come() {
    let stage = Stage::set().await;
    stage.provider.behaviour().discovery = json!({"authorization_response_iss_parameter_supported": true});
    stage.expect_refusal("invalid_assertion", "no iss").await;
    let mut browser = Browser::new();
    let query = stage.begin(&mut browser).await;
    let url = format!(
        "{}/openid/callback?{query}&iss={}",
        stage.url(),
        stage.provider.issuer()
    );
    assert_eq!(browser.get(&url).await.status, 303);
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn each_row_of_the_table_of_groups() {
    let stage = Stage::set().await;
    for (groups, after) in [
        (json!({"groups": ["a", "b"]}), json!(["a", "b"])),
        (json!({"groups": null}), json!(["a", "b"])),
        (
            json!({"groups": null, "_claim_names": {"groups": "src1"}}),
            json!(["a", "b"]),
        ),
        (json!({"groups": null, "hasgroups": true}), json!(["a", "b"])),
        (json!({"groups": "c"}), json!(["c"])),
        (json!({"groups": []}), json!([])),
    ] {
        stage.provider.behaviour().claims = groups.clone();
        stage.expect_success().await;
        assert_eq!(stage.groups(), after, "after {groups}");
    }
    for groups in [json!([{"name": "a"}]), json!(["a", 1]), json!({"a": 1})] {
        stage.provider.behaviour().claims = json!({"groups": groups});
        stage.expect_refusal("malformed_groups", "malformed").await;
    }
    let metrics = reqwest::get(format!("{}/metrics", stage.rollcall.service.url("ops")))
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains(r#"rollcall_login_groups_overage_total{method="openid"} 2"#));
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn another_person_under_the_same_name_is_refused() {
    let stage = Stage::set().await;
    stage.expect_success().await;
    stage.provider.behaviour().claims = json!({"sub": "s-2"});
    stage.expect_refusal("subject_mismatch", "another sub").await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn a_provider_that_is_down_at_the_start_harms_sign_in_alone() {
    let provider = Provider::start().await;
    let (issuer, client) = (provider.issuer().to_owned(), ClientFile::new("hidden"));
    drop(provider);
    let settings = [
        ("auth-openid", "1"),
        ("auth-openid-issuer", issuer.as_str()),
        ("auth-openid-client-file", client.path()),
    ];
    let rollcall = Rollcall::start_with(&settings).await;
    let page = Browser::new()
        .get(&format!("{}/openid/login", rollcall.service.url("api")))
        .await;
    assert_eq!(page.status, 503);
    assert!(page.headers.contains_key("retry-after"));
    rollcall.scim().get("/Users").await.expect(200);
    rollcall.finish().await;
}

#[tokio::test]
async fn signing_out_here_leads_to_the_end_of_the_session_there() {
    let stage = Stage::set().await;
    stage.provider.behaviour().discovery = json!({"end_session_endpoint": format!("{}/end", stage.provider.issuer())});
    let mut browser = Browser::new();
    let query = stage.begin(&mut browser).await;
    browser.get(&format!("{}/openid/callback?{query}", stage.url())).await;
    let page = browser.post(&format!("{}/sign-out", stage.url()), &[]).await;
    assert!(
        page.location()
            .starts_with(&format!("{}/end?client_id={CLIENT}&", stage.provider.issuer())),
        "{}",
        page.location()
    );
    assert_eq!(browser.get(&format!("{}/auth/verify", stage.url())).await.status, 401);
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn the_provider_ends_sessions_by_notices_that_prove_themselves() {
    let stage = Stage::set().await;
    let url = format!("{}/openid/backchannel-logout", stage.url());
    stage.provider.behaviour().claims = json!({"sid": "session-7"});
    let mut browser = Browser::new();
    let query = stage.begin(&mut browser).await;
    assert_eq!(
        browser
            .get(&format!("{}/openid/callback?{query}", stage.url()))
            .await
            .status,
        303
    );
    let verify = format!("{}/auth/verify", stage.url());
    assert_eq!(browser.get(&verify).await.status, 200);
    let notice = |change: Value| {
        let mut claims = stage.provider.standard_claims();
        claims["jti"] = "j".into();
        claims["events"] = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
        claims["sid"] = "session-7".into();
        for (key, value) in change.as_object().unwrap() {
            claims[key] = value.clone();
        }
        stage.provider.token(&claims)
    };
    let good = notice(json!({}));
    for (what, token) in [
        ("aud", notice(json!({"aud": "another"}))),
        ("iss", notice(json!({"iss": "https://evil.org"}))),
        ("event", notice(json!({"events": {}}))),
        (
            "events of another type",
            notice(json!({"events": ["http://schemas.openid.net/event/backchannel-logout"]})),
        ),
        ("nonce", notice(json!({"nonce": "n"}))),
        ("expired", notice(json!({"exp": 1_700_000_000}))),
        ("garbage", "garbage".to_owned()),
    ] {
        assert_eq!(
            Browser::new().post(&url, &[("logout_token", &token)]).await.status,
            400,
            "{what}"
        );
    }
    for signing in [Signing::None, Signing::PublicKeyAsSecret, Signing::Broken] {
        stage.provider.behaviour().signing = signing;
        let token = notice(json!({}));
        assert_eq!(
            Browser::new().post(&url, &[("logout_token", &token)]).await.status,
            400,
            "{signing:?}"
        );
    }
    stage.provider.behaviour().signing = Signing::Proper;
    let other = notice(json!({"sid": "session-8"}));
    assert_eq!(Browser::new().post(&url, &[("logout_token", &other)]).await.status, 200);
    assert_eq!(browser.get(&verify).await.status, 200, "another session's notice");
    assert_eq!(Browser::new().post(&url, &[("logout_token", &good)]).await.status, 200);
    assert_eq!(browser.get(&verify).await.status, 401);
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn no_secret_code_token_or_claim_gets_into_the_log() {
    let stage = Stage::set().await;
    stage.expect_success().await;
    stage.provider.behaviour().claims = json!({"nonce": "n"});
    stage.expect_refusal("invalid_assertion", "nonce").await;
    let log = stage.rollcall.service.log().join("\n");
    for secret in ["c0de", "hidden", "eyJ", "jane@example.org", "Jane Doe"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    stage.rollcall.finish().await;
}
