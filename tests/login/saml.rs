//! Sign-in by SAML: the flow, and every response that must be refused.

mod refusals;

use std::io::Read as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use serde_json::json;

use super::api::JIT;
use super::browser::{Browser, Page};
use super::identity_provider::{IdentityProvider, Signed, Spec, attribute};
use crate::harness::Rollcall;
use crate::harness::service::Service;

/// A file of metadata, removed when dropped.
struct Metadata(PathBuf);

impl Metadata {
    fn new(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rollcall-metadata-{}.xml", uuid::Uuid::new_v4().simple()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Metadata {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

struct Stage {
    rollcall: Rollcall,
    idp: IdentityProvider,
    _metadata: Metadata,
    settings: Vec<(String, String)>,
}

impl Stage {
    async fn set() -> Self {
        Self::set_with(&[]).await
    }

    async fn set_with(further: &[(&str, &str)]) -> Self {
        let idp = IdentityProvider::new();
        let metadata = Metadata::new(&idp.metadata("signing"));
        let mut settings = vec![
            JIT,
            ("auth-saml", "1"),
            ("auth-saml-metadata-path", metadata.path()),
            ("auth-saml-sp-attribute-groups", "groups"),
            ("public-url", "http://rollcall.test"),
        ];
        settings.extend(further);
        let rollcall = Rollcall::start_with(&settings).await;
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            rollcall,
            idp,
            _metadata: metadata,
            settings,
        }
    }

    fn url(&self) -> String {
        self.rollcall.service.url("api")
    }

    /// Begins a sign-in: a response that would be right, and the relay state.
    async fn begin(&self, browser: &mut Browser) -> (Spec, String) {
        let page = browser.get(&format!("{}/saml/login?return=/s/1", self.url())).await;
        assert_eq!(page.status, 303, "{}", page.body);
        let location: reqwest::Url = page.location().parse().unwrap();
        assert!(location.as_str().starts_with("https://idp.example.org/sso?"));
        let parameter = |name: &str| {
            location
                .query_pairs()
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .into_owned()
        };
        let mut request = String::new();
        let deflated = STANDARD.decode(parameter("SAMLRequest")).unwrap();
        DeflateDecoder::new(deflated.as_slice())
            .read_to_string(&mut request)
            .unwrap();
        let id = request
            .split(" ID=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        assert!(
            request.contains("AssertionConsumerServiceURL=\"http://rollcall.test/saml/acs\""),
            "{request}"
        );
        (self.idp.spec("http://rollcall.test", &id), parameter("RelayState"))
    }

    async fn deliver(&self, browser: &mut Browser, xml: &str, relay_state: &str) -> Page {
        let form = [
            ("SAMLResponse", STANDARD.encode(xml)),
            ("RelayState", relay_state.to_owned()),
        ];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(&format!("{}/saml/acs", self.url()), &form).await
    }

    /// A whole sign-in with a response that `change` has changed, before and after it was signed.
    async fn attempt(&self, change: impl FnOnce(&mut Spec), spoil: impl FnOnce(String) -> String) -> Page {
        let mut browser = Browser::new();
        let (mut spec, relay_state) = self.begin(&mut browser).await;
        change(&mut spec);
        let xml = spoil(self.idp.response(&spec));
        self.deliver(&mut browser, &xml, &relay_state).await
    }

    async fn accepted(&self, what: &str, change: impl FnOnce(&mut Spec)) {
        let page = self.attempt(change, |xml| xml).await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/s/1"),
            "{what}: {:?}",
            self.rollcall.service.log().last()
        );
    }

    async fn refused(&self, what: &str, change: impl FnOnce(&mut Spec), spoil: impl FnOnce(String) -> String) {
        let page = self.attempt(change, spoil).await;
        assert_eq!(page.status, 403, "{what}: {}", page.location());
        assert!(!page.headers.contains_key("set-cookie"), "{what}");
    }

    fn groups(&self) -> serde_json::Value {
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
async fn genuine_responses_are_accepted_whatever_part_is_signed() {
    let stage = Stage::set_with(&[
        ("auth-saml-sp-attribute-email", "mail"),
        ("auth-saml-sp-attribute-name", "cn"),
        ("auth-saml-sp-attribute-posix-id", "uidNumber"),
    ])
    .await;
    stage
        .accepted("both", |spec| {
            spec.attributes += &attribute("mail", &["jane@example.org"]);
            spec.attributes += &(attribute("cn", &["Jane &amp; Doe"]) + &attribute("uidNumber", &["20123"]));
        })
        .await;
    let shown = stage
        .rollcall
        .command(&["user", "show", "jane", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&shown["displayName"], &shown["uid"]),
        (&json!("Jane & Doe"), &json!(20123))
    );
    assert_eq!(stage.groups(), json!(["eng", "ops"]));
    stage
        .accepted("assertion", |spec| spec.signed = Signed::Assertion)
        .await;
    stage.accepted("response", |spec| spec.signed = Signed::Response).await;
    stage.accepted("SHA-512", |spec| spec.algorithm = "rsa-sha512").await;
    stage
        .accepted("a clock that is two minutes ahead", |spec| {
            (spec.issued, spec.not_before, spec.not_on_or_after) = (120, 115, 300);
        })
        .await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn a_response_is_good_once_on_all_replicas_and_for_the_browser_that_asked() {
    let stage = Stage::set().await;
    let settings: Vec<(&str, &str)> = stage.settings.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let other = Rollcall::replica(&stage.rollcall.database, &settings);
    let mut browser = Browser::new();
    let (spec, relay_state) = stage.begin(&mut browser).await;
    let xml = stage.idp.response(&spec);
    let mut stranger = Browser::new();
    stage.begin(&mut stranger).await;
    assert_eq!(
        stage.deliver(&mut stranger, &xml, &relay_state).await.status,
        400,
        "another browser"
    );

    let (spec, relay_state) = stage.begin(&mut browser).await;
    let xml = stage.idp.response(&spec);
    let form = [
        ("SAMLResponse", STANDARD.encode(&xml)),
        ("RelayState", relay_state.clone()),
    ];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = browser.post(&format!("{}/saml/acs", other.url("api")), &form).await;
    assert_eq!(
        (page.status, page.location()),
        (303, "/s/1"),
        "begun on one replica, ended on the other"
    );
    assert_eq!(browser.get(&format!("{}/auth/verify", stage.url())).await.status, 200);
    assert_eq!(
        stage.deliver(&mut browser, &xml, &relay_state).await.status,
        400,
        "the same again"
    );

    let (mut again, relay_state) = stage.begin(&mut browser).await;
    again.assertion_id = spec.assertion_id;
    let page = stage
        .deliver(&mut browser, &stage.idp.response(&again), &relay_state)
        .await;
    assert_eq!(page.status, 400, "the same assertion in another response");
    assert!(page.body.contains("used already"));
    assert_eq!(
        stage.deliver(&mut browser, &xml, "unknown").await.status,
        400,
        "an unknown relay state"
    );
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn groups_absent_empty_listed_and_too_many() {
    let stage = Stage::set().await;
    let user = attribute("Username", &["jane"]);
    let overage = attribute(
        "http://schemas.microsoft.com/claims/groups.link",
        &["https://graph.example.org/x"],
    );
    for (attributes, after) in [
        (attribute("groups", &["eng", "ops"]), json!(["eng", "ops"])),
        (String::new(), json!(["eng", "ops"])),
        (overage, json!(["eng", "ops"])),
        (attribute("Groups", &["other"]), json!(["eng", "ops"])),
        (attribute("groups", &["Eng"]), json!(["eng"])),
        (attribute("groups", &[]), json!([])),
    ] {
        stage
            .accepted(&attributes, |spec| spec.attributes = format!("{user}{attributes}"))
            .await;
        assert_eq!(stage.groups(), after, "after {attributes}");
    }
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn the_subject_may_be_the_user_name_and_is_pinned() {
    let stage = Stage::set_with(&[("auth-saml-sp-attribute-username", "NameID")]).await;
    let format = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    let name_id = |value: &str| format!("<saml:NameID Format=\"{format}\">{value}</saml:NameID>");
    stage
        .accepted("NameID", |spec| spec.name_id = name_id("Jane@example.org"))
        .await;
    let verified = stage
        .rollcall
        .command(&["user", "show", "jane", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(verified["userName"], "Jane@example.org");
    stage
        .refused(
            "another subject with the same folded name",
            |spec| spec.name_id = name_id("jane@example.org"),
            |xml| xml,
        )
        .await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn metadata_without_a_key_for_signatures_stops_the_start() {
    let idp = IdentityProvider::new();
    for key_use in ["none", "encryption"] {
        let database = crate::harness::database::Database::create().await;
        let (uri, metadata) = (
            database.uri(crate::harness::database::Role::App),
            Metadata::new(&idp.metadata(key_use)),
        );
        let settings = [
            ("database-uri", uri.as_str()),
            ("auth-saml", "1"),
            ("auth-saml-metadata-path", metadata.path()),
        ];
        let log = Service::try_start(&settings).unwrap_err();
        assert!(log.contains("no key for signatures"), "{key_use}: {log}");
        database.finish().await;
    }
}

#[tokio::test]
async fn requests_may_go_by_post_and_our_metadata_says_who_we_are() {
    let stage = Stage::set_with(&[("auth-saml-idp-post-binding", "1")]).await;
    let page = Browser::new().get(&format!("{}/saml/login", stage.url())).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("form-action 'self' https://idp.example.org https:;"),
        "{policy}"
    );
    assert!(page.body.contains("action=\"https://idp.example.org/sso\"") && page.body.contains("name=\"SAMLRequest\""));
    let metadata = Browser::new().get(&format!("{}/saml/metadata", stage.url())).await;
    assert!(
        metadata
            .body
            .contains("entityID=\"http://rollcall.test/saml/metadata\"")
    );
    assert!(
        !metadata.body.contains("KeyDescriptor"),
        "no key, so nobody encrypts for us"
    );
    let metrics = Browser::new()
        .get(&format!("{}/metrics", stage.rollcall.service.url("ops")))
        .await;
    assert!(
        metrics
            .body
            .contains("rollcall_idp_certificate_expiry_timestamp_seconds{")
    );
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn many_at_once_a_quarter_of_them_tampered_with() {
    let stage = Stage::set().await;
    let client = async |client: usize| {
        for turn in 0..8 {
            let tampered = (client + turn).is_multiple_of(4);
            let change = |spec: &mut Spec| {
                spec.attributes = attribute("Username", &[&format!("user{client}")]);
                spec.name_id = spec.name_id.replace("s-1", &format!("s-{client}"));
            };
            let spoil = |xml: String| if tampered { xml.replace(">user", ">admin") } else { xml };
            let page = stage.attempt(change, spoil).await;
            assert_eq!(page.status, if tampered { 403 } else { 303 }, "{}", page.body);
        }
    };
    futures_util::future::join_all((0..8).map(client)).await;
    stage.rollcall.finish().await;
}
