//! A provider of OpenID Connect that misbehaves on request, with real keys and signatures.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The client that Rollcall is.
pub const CLIENT: &str = "rollcall";

/// What an endpoint does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It answers.
    Proper,
    /// It redirects to the discovery document.
    Redirects,
    /// It never answers.
    Hangs,
    /// It answers with 10 MB.
    Floods,
    /// It answers 500.
    Fails,
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// ES256 by the current key.
    Proper,
    /// `alg: none`.
    None,
    /// HS256 with the public key as the secret.
    PublicKeyAsSecret,
    /// A bit of the signature is turned.
    Broken,
    /// By a key that nobody publishes.
    Stranger,
}

/// How the provider behaves; each test changes what it is about.
pub struct Behaviour {
    /// Claims of the ID token beyond the standard ones; they win over those. `null` removes a claim.
    pub claims: Value,
    /// Fields of the token's header; `null` removes one.
    pub header: Value,
    /// How tokens are signed.
    pub signing: Signing,
    /// The token endpoint.
    pub token: Manner,
    /// The userinfo answer; `null`: there is no such endpoint.
    pub userinfo: Value,
    /// Its media type.
    pub userinfo_type: &'static str,
    /// Fields of the discovery document that differ.
    pub discovery: Value,
    /// The keys; the last one signs.
    pub keys: Vec<Key>,
    /// Whether keys are published with their `kid`.
    pub with_key_ids: bool,
}

/// A key of the provider.
#[derive(Clone)]
pub struct Key {
    id: String,
    pair: Arc<EcdsaKeyPair>,
}

impl Key {
    /// A fresh one.
    pub fn new(id: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Self {
            id: id.to_owned(),
            pair: Arc::new(pair),
        }
    }

    fn published(&self, with_id: bool) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (
            URL_SAFE_NO_PAD.encode(&point[1..33]),
            URL_SAFE_NO_PAD.encode(&point[33..]),
        );
        let mut key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "x": x, "y": y});
        if with_id {
            key["kid"] = self.id.as_str().into();
        }
        key
    }
}

struct Shared {
    issuer: String,
    behaviour: Mutex<Behaviour>,
    /// Nonce and code challenge of the authorization under way.
    pending: Mutex<(String, String)>,
}

/// The provider, for as long as it is held.
pub struct Provider {
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Provider {
    /// A provider that behaves.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            issuer,
            behaviour: Mutex::new(Behaviour {
                claims: json!({}),
                header: json!({}),
                signing: Signing::Proper,
                token: Manner::Proper,
                userinfo: Value::Null,
                userinfo_type: "application/json",
                discovery: json!({}),
                keys: vec![Key::new("first")],
                with_key_ids: true,
            }),
            pending: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, task }
    }

    /// Its issuer URL.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// How it behaves from now on.
    pub fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        lock(&self.shared.behaviour)
    }

    /// What a person does there: agrees. Takes the authorization request, returns the query of the callback.
    pub fn agree(&self, authorization: &reqwest::Url) -> String {
        assert!(
            authorization
                .as_str()
                .starts_with(&format!("{}/authorize?", self.issuer()))
        );
        let parameter = |name: &str| {
            let found = authorization.query_pairs().find(|(key, _)| key == name);
            found
                .unwrap_or_else(|| panic!("no {name} in {authorization}"))
                .1
                .into_owned()
        };
        assert_eq!(parameter("response_type"), "code");
        assert_eq!(parameter("client_id"), CLIENT);
        assert_eq!(parameter("code_challenge_method"), "S256");
        *lock(&self.shared.pending) = (parameter("nonce"), parameter("code_challenge"));
        format!("code=c0de&state={}", parameter("state"))
    }

    /// A token with exactly these claims.
    pub fn token(&self, claims: &Value) -> String {
        sign(&self.behaviour(), claims)
    }

    /// The claims that every token has.
    pub fn standard_claims(&self) -> Value {
        let now = Timestamp::now().as_second();
        json!({"iss": self.issuer(), "aud": CLIENT, "sub": "s-1", "iat": now, "exp": now + 300})
    }
}

fn merge(base: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(key);
        } else {
            base[key] = value.clone();
        }
    }
}

fn sign(behaviour: &Behaviour, claims: &Value) -> String {
    let key = behaviour.keys.last().unwrap();
    let algorithm = match behaviour.signing {
        Signing::None => "none",
        Signing::PublicKeyAsSecret => "HS256",
        _ => "ES256",
    };
    let mut header = json!({"alg": algorithm, "kid": key.id, "typ": "JWT"});
    merge(&mut header, &behaviour.header);
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(&header), encode(claims));
    let random = SystemRandom::new();
    let signature = match behaviour.signing {
        Signing::None => Vec::new(),
        Signing::PublicKeyAsSecret => {
            let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.pair.public_key().as_ref());
            ring::hmac::sign(&secret, text.as_bytes()).as_ref().to_vec()
        }
        Signing::Stranger => Key::new(&key.id)
            .pair
            .sign(&random, text.as_bytes())
            .unwrap()
            .as_ref()
            .to_vec(),
        Signing::Proper => key.pair.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
        Signing::Broken => {
            let mut signature = key.pair.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec();
            signature[10] ^= 1;
            signature
        }
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn json_answer(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    let behaviour = lock(&shared.behaviour);
    let mut document = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    });
    if !behaviour.userinfo.is_null() {
        document["userinfo_endpoint"] = format!("{issuer}/userinfo").into();
    }
    merge(&mut document, &behaviour.discovery);
    json_answer(&document)
}

async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    let behaviour = lock(&shared.behaviour);
    let keys: Vec<Value> = behaviour
        .keys
        .iter()
        .map(|key| key.published(behaviour.with_key_ids))
        .collect();
    json_answer(&json!({"keys": keys}))
}

async fn misbehave(manner: Manner, shared: &Shared) -> Option<Response> {
    match manner {
        Manner::Proper => None,
        Manner::Redirects => {
            let target = format!("{}/.well-known/openid-configuration", shared.issuer);
            Some((StatusCode::FOUND, [(header::LOCATION, target)]).into_response())
        }
        Manner::Hangs => {
            tokio::time::sleep(Duration::from_mins(10)).await;
            None
        }
        Manner::Floods => Some(([(header::CONTENT_TYPE, "application/json")], vec![b' '; 10_000_000]).into_response()),
        Manner::Fails => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

async fn token(State(shared): State<Arc<Shared>>, form: String) -> Response {
    let manner = lock(&shared.behaviour).token;
    if let Some(response) = misbehave(manner, &shared).await {
        return response;
    }
    let url = reqwest::Url::parse(&format!("http://x/?{form}")).unwrap();
    let field = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (nonce, challenge) = lock(&shared.pending).clone();
    // RFC 7636 §4.6.
    if URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier"))) != challenge || field("code") != "c0de" {
        return (StatusCode::BAD_REQUEST, json_answer(&json!({"error": "invalid_grant"}))).into_response();
    }
    let behaviour = lock(&shared.behaviour);
    let now = Timestamp::now().as_second();
    let at_hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(b"access")[..16]);
    let mut claims = json!({"iss": shared.issuer, "aud": CLIENT, "sub": "s-1", "iat": now, "exp": now + 300,
        "nonce": nonce, "at_hash": at_hash, "preferred_username": "jane", "email": "jane@example.org",
        "name": "Jane Doe", "groups": ["eng", "ops"]});
    merge(&mut claims, &behaviour.claims);
    let answer = json!({"access_token": "access", "token_type": "Bearer", "expires_in": 300,
        "id_token": sign(&behaviour, &claims)});
    json_answer(&answer)
}

async fn userinfo(State(shared): State<Arc<Shared>>) -> Response {
    let behaviour = lock(&shared.behaviour);
    (
        [(header::CONTENT_TYPE, behaviour.userinfo_type)],
        behaviour.userinfo.to_string(),
    )
        .into_response()
}
