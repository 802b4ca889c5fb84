//! What every SCIM request passes: token, scope, rate, and the log of requests; and the answers for endpoints that are none.

use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, OriginalUri, Path, Request, State as Shared};
use axum::http::header::{ACCEPT, AGE, HeaderName, HeaderValue, WARNING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::authenticate::{Caller, Refusal};
use super::listener::Peer;
use super::observe::RequestId;
use super::respond::{Reason, Refused};
use super::state::State;
use crate::db::requests::Request as LoggedRequest;
use crate::db::{Origin, trail};
use crate::error::Error;
use crate::scim::error::{ScimError, without_strings};
use crate::scim::version::Precondition;
use crate::telemetry::metrics::METRICS;
use crate::tokens::Scope;

/// Lets a request in if its token may, notes it in the request log, and hands the caller to the handler.
pub async fn admit(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer(None));
    let caller = match state.tokens.authenticate(request.headers(), peer, &state.db).await {
        Ok(caller) => caller,
        Err(Refusal::Unauthorized) => {
            return refuse(401, "The bearer token is missing, unknown, expired or revoked.").into_response();
        }
        Err(Refusal::CannotKnow) => return Refused::from(Error::unavailable()).into_response(),
    };
    let noted = state.request_log.is_on().then(|| Noted::of(&request));
    let token = caller.token.to_string();
    let response = if let Err(refused) = check(&state, &caller, &request) {
        refused.into_response()
    } else {
        request.extensions_mut().insert(caller);
        work(&state, request, next).await
    };
    if let Some(noted) = noted {
        state.request_log.note(noted.answered(token, &response, started));
    }
    response
}

/// Lets the handler work. A request with a body passes the door when that has arrived (`body.rs`), any other one now.
async fn work(state: &State, request: Request, next: Next) -> Response {
    let door = match *request.method() {
        Method::GET | Method::HEAD => Some(&state.admission.reads),
        Method::DELETE => Some(&state.admission.changes),
        _ => None,
    };
    let _place = match door {
        None => None,
        Some(door) => match door.enter().await {
            Ok(place) => Some(place),
            Err(full) => return Refused::from(full).into_response(),
        },
    };
    if is_read(&request) {
        marked(trail::may_trail(next.run(request)).await)
    } else {
        state.db.as_one_change(next.run(request)).await
    }
}

/// Whether a request only reads: by its method, or as `POST …/.search` (RFC 7644 §3.4.3).
fn is_read(request: &Request) -> bool {
    match *request.method() {
        Method::GET | Method::HEAD => true,
        Method::POST => request.uri().path().ends_with("/.search"),
        _ => false,
    }
}

/// Marks an answer that a standby gave because no primary answers (RFC 7234 §5.5.1, Warning 110). That a resource is not there is
/// nothing a standby can know.
fn marked((mut response, age): (Response, Option<Duration>)) -> Response {
    let Some(age) = age else { return response };
    if response.status() == StatusCode::NOT_FOUND {
        return Refused::from(Error::unavailable()).into_response();
    }
    let head = response.headers_mut();
    head.insert(WARNING, HeaderValue::from_static("110 rollcall \"Response is Stale\""));
    head.insert(AGE, HeaderValue::from(age.as_secs()));
    response
}

fn check(state: &State, caller: &Caller, request: &Request) -> Result<(), Refused> {
    if !caller.may(&[Scope::Scim, Scope::Admin]) {
        return Err(refuse(403, "The token has no scope for SCIM: it needs \"scim\"."));
    }
    if !state.config.provisioning.enabled {
        return Err(refuse(
            403,
            "Provisioning is switched off (user-provisioning-enabled=0).",
        ));
    }
    if let Err(pause) = state.rate_limit.admit(&caller.token) {
        METRICS.rate_limited.with_label_values(&["api"]).inc();
        let mut refused = refuse(429, "The token has sent too many requests.");
        refused.retry_after = Some(pause.as_secs() + 1);
        return Err(refused);
    }
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("*/*");
    if !accepts_json(accept) {
        return Err(refuse(
            406,
            "The answer is application/scim+json, which the Accept header excludes.",
        ));
    }
    Ok(())
}

/// Whether an `Accept` header admits SCIM's media type or JSON (RFC 9110 §12.5.1); unreadable ones do.
fn accepts_json(accept: &str) -> bool {
    accept.trim().is_empty()
        || accept.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|parameter| {
                parameter
                    .strip_prefix("q=")
                    .or_else(|| parameter.strip_prefix("Q="))
                    .and_then(|weight| weight.parse::<f32>().ok())
                    .is_some_and(|weight| weight <= 0.0)
            });
            !refused
                && matches!(
                    kind.as_str(),
                    "*/*" | "application/*" | "application/json" | "application/scim+json"
                )
        })
}

fn refuse(status: u16, detail: &str) -> Refused {
    ScimError::new(status, None, detail).into()
}

/// What the request log keeps of a request before it is answered.
struct Noted {
    method: Method,
    target: String,
    request_id: String,
}

/// The shape of a request's body, put into the answer's extensions by whoever has read it.
#[derive(Debug, Clone)]
pub struct BodyShape(pub Option<String>);

impl Noted {
    fn of(request: &Request) -> Self {
        let uri = request
            .extensions()
            .get::<OriginalUri>()
            .map_or(request.uri(), |original| &original.0);
        let target = match uri.query() {
            None => uri.path().to_owned(),
            Some(query) => format!("{}?{}", uri.path(), redact_query(query)),
        };
        let request_id = request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        Self {
            method: request.method().clone(),
            target,
            request_id,
        }
    }

    fn answered(self, token: String, response: &Response, started: Instant) -> LoggedRequest {
        let reason = response.extensions().get::<Reason>();
        LoggedRequest {
            token,
            at: Timestamp::now(),
            request_id: self.request_id,
            method: self.method.to_string(),
            target: self.target.chars().take(2_000).collect(),
            status: response.status().as_u16(),
            scim_type: reason.and_then(|reason| reason.scim_type).map(str::to_owned),
            detail: reason.map(|reason| reason.detail.clone()),
            duration_us: i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX),
            body: response
                .extensions()
                .get::<BodyShape>()
                .and_then(|shape| shape.0.clone()),
        }
    }
}

/// A query string without what may be names and addresses of people: the values in its filter, the sort key in its cursor, and all
/// that is no parameter of ours. Control characters are blanked: the database keeps no NUL.
fn redact_query(query: &str) -> String {
    const SHOWN: [&str; 6] = [
        "startIndex",
        "count",
        "sortBy",
        "sortOrder",
        "attributes",
        "excludedAttributes",
    ];
    let pair = |(key, value): (String, String)| {
        let is = |name: &&str| key.eq_ignore_ascii_case(name);
        let value = match value.as_str() {
            "" => String::new(),
            text if SHOWN.iter().any(is) => text.to_owned(),
            text if is(&"filter") => without_strings(text),
            _ => "…".to_owned(),
        };
        format!("{key}={value}").replace(char::is_control, " ")
    };
    form_pairs(query).map(pair).collect::<Vec<_>>().join("&")
}

/// The decoded pairs of a query string; `+` is a space.
pub fn form_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(key), percent_decode(value))
    })
}

/// Decodes percent escapes and `+`; broken escapes stay as they are, bytes that are not UTF-8 become U+FFFD.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits = bytes.get(at..at + 2).and_then(|pair| std::str::from_utf8(pair).ok());
                match digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                    Some(value) => {
                        decoded.push(value);
                        at += 2;
                    }
                    None => decoded.push(b'%'),
                }
            }
            other => decoded.push(other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The last segment of a path, percent-decoded. One that is no text names nothing: 404, as a SCIM error.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(no_such_endpoint().await),
        }
    }
}

/// What a handler needs of a request beside its body.
pub struct Context {
    /// Who asks.
    pub caller: Caller,
    /// For the audit log.
    pub origin: Origin,
    /// `If-Match`.
    pub if_match: Option<Precondition>,
    /// `If-None-Match`.
    pub if_none_match: Option<Precondition>,
    /// The decoded query string.
    pub query: Vec<(String, String)>,
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(|| Error::Internal("a SCIM handler without a caller".into()))?;
        let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0);
        let request_id = parts
            .extensions
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        Ok(Self {
            origin: Origin {
                actor: format!("token:{}", caller.token),
                path: "scim",
                request_id,
                address: peer.map(|address| address.ip().to_string()),
            },
            if_match: precondition(&parts.headers, &axum::http::header::IF_MATCH)?,
            if_none_match: precondition(&parts.headers, &axum::http::header::IF_NONE_MATCH)?,
            query: parts
                .uri
                .query()
                .map(|query| form_pairs(query).collect())
                .unwrap_or_default(),
            caller,
        })
    }
}

fn precondition(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Precondition>, Refused> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    // A list may stand in several header lines (RFC 9110 §5.3).
    let lines: Result<Vec<&str>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    let lines = lines.map_err(|_| refuse(400, "A precondition header is not plain text."))?;
    Ok(Some(Precondition::parse(&lines.join(","))?))
}

impl Context {
    /// Raises 412 when `If-Match` excludes the version.
    pub fn admit_version(&self, version: i64) -> Result<(), ScimError> {
        match &self.if_match {
            Some(condition) if !condition.allows(version) => Err(ScimError::precondition_failed(
                "The resource has another version than If-Match names.",
            )),
            _ => Ok(()),
        }
    }
}

/// 404 for every path that is no endpoint.
pub async fn no_such_endpoint() -> Refused {
    refuse(404, "There is no such endpoint.")
}

/// 405.
pub async fn method_not_allowed() -> Refused {
    refuse(405, "The endpoint does not offer this method.")
}
