//! `/auth/verify`: forward-auth for nginx, Traefik, Envoy and `HAProxy`; by session on the API listener, by the headers of a
//! signing-in proxy on the proxy listener.

use axum::extract::{FromRequestParts, State as Shared};
use axum::http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::listener::Peer;
use super::login::{Visit, percent_encode};
use super::observe::RequestId;
use super::state::State;
use crate::db::Origin;
use crate::login::return_path::checked;
use crate::login::sessions::NoSession;
use crate::login::{self, Reason, Refusal, SignedIn};
use crate::telemetry::metrics::METRICS;

/// The header from which Workbench takes the user with `auth-proxy=1`.
pub const USERNAME: HeaderName = HeaderName::from_static("x-rstudio-username");

/// The POSIX user id.
const UID: HeaderName = HeaderName::from_static("x-rollcall-uid");

/// The SCIM id.
const USER_ID: HeaderName = HeaderName::from_static("x-rollcall-user-id");

/// The path that the browser asked for, as Traefik and Envoy say it.
const ASKED_PATH: [&str; 2] = ["x-forwarded-uri", "x-envoy-original-path"];

/// `/auth/verify` on the API listener, by any method, as Envoy asks with the browser's: 200 with the user's headers, or
/// 401. With `?redirect`, a browser without a
/// session is sent to the sign-in page (302), for proxies that pass the answer on.
pub async fn verify(Shared(state): Shared<State>, visit: Visit, headers: HeaderMap) -> Response {
    let found = match &visit.session {
        Some(id) => state.sessions.get(id, &state.db).await,
        None => Err(NoSession::Over),
    };
    match found {
        Ok(session) => {
            count("allowed");
            let id = session.user_id.hyphenated().to_string();
            allowed(&session.posix_name, session.uid, &id)
        }
        Err(NoSession::CannotKnow) => {
            count("unavailable");
            unavailable()
        }
        Err(NoSession::Over) => {
            count("signed_out");
            if visit.query("redirect").is_some() {
                let asked = ASKED_PATH.iter().find_map(|name| headers.get(*name)?.to_str().ok());
                let target = match asked.and_then(checked) {
                    Some(path) => format!("{}/sign-in?return={}", state.base_url, percent_encode(path)),
                    None => format!("{}/sign-in", state.base_url),
                };
                return redirect(StatusCode::FOUND, &target);
            }
            refused(StatusCode::UNAUTHORIZED)
        }
    }
}

/// `/auth/verify` on the proxy listener: signs the person in whom the headers name, each time anew, and answers like
/// the other. 401 to strangers and without a name, 400 to doubled or disguised headers, 403 to who may not sign in.
pub async fn verify_headers(Shared(state): Shared<State>, named: Named) -> Response {
    match sign_in(&state, &named).await {
        Ok(signed_in) => {
            count("allowed");
            let id = signed_in.user.id.hyphenated().to_string();
            allowed(&signed_in.user.posix_name, signed_in.user.uid, &id)
        }
        Err(refusal) => {
            count(if refusal.retry_after.is_some() {
                "unavailable"
            } else {
                "signed_out"
            });
            answer_to(&refusal)
        }
    }
}

/// What a request on the proxy listener says of a person.
pub struct Named {
    assertion: Result<login::Assertion, Refusal>,
    pub(super) origin: Origin,
}

impl FromRequestParts<State> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let Some(headers) = &state.proxy_headers else {
            return Err(StatusCode::NOT_FOUND.into_response());
        };
        let peer = parts
            .extensions
            .get::<Peer>()
            .and_then(|peer| peer.0)
            .map(|address| address.ip());
        let fields: Vec<(&str, &[u8])> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        Ok(Self {
            assertion: headers.assertion(peer, &fields),
            origin: Origin {
                actor: "login:headers".to_owned(),
                path: "login",
                request_id: request_id.unwrap_or_default(),
                address: peer.map(|address| address.to_string()),
            },
        })
    }
}

/// Signs the person in whom the headers name.
pub(super) async fn sign_in(state: &State, named: &Named) -> Result<SignedIn, Refusal> {
    match &named.assertion {
        Ok(assertion) => login::sign_in(&state.db, &state.login_rules, &state.sign_ins, assertion, &named.origin).await,
        Err(refusal) => {
            refusal.note(login::Method::Headers.as_str(), &named.origin.request_id);
            Err(refusal.clone())
        }
    }
}

/// The bare answer to a refusal, for proxies: 400, 401, 403 or 503.
pub(super) fn answer_to(refusal: &Refusal) -> Response {
    match refusal.reason {
        Reason::UntrustedProxy | Reason::UserName => refused(StatusCode::UNAUTHORIZED),
        Reason::MalformedHeaders | Reason::MalformedGroups => refused(StatusCode::BAD_REQUEST),
        Reason::Unavailable | Reason::Internal => unavailable(),
        _ => refused(StatusCode::FORBIDDEN),
    }
}

fn allowed(posix_name: &str, uid: i64, user_id: &str) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match (HeaderValue::from_str(posix_name), HeaderValue::from_str(user_id)) {
        (Ok(posix_name), Ok(user_id)) => {
            headers.insert(USERNAME, posix_name);
            headers.insert(UID, HeaderValue::from(uid));
            headers.insert(USER_ID, user_id);
            response
        }
        // A site's own rule for names may allow what no header can carry.
        _ => refused(StatusCode::FORBIDDEN),
    }
}

fn refused(status: StatusCode) -> Response {
    (status, [(CACHE_CONTROL, "no-store")]).into_response()
}

fn unavailable() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(CACHE_CONTROL, "no-store"), (RETRY_AFTER, "2")],
    )
        .into_response()
}

fn count(outcome: &str) {
    METRICS.forward_auth.with_label_values(&[outcome]).inc();
}

/// A redirect that no cache keeps.
pub(super) fn redirect(status: StatusCode, target: &str) -> Response {
    let mut response = refused(status);
    match HeaderValue::from_str(target) {
        Ok(target) => {
            response.headers_mut().insert(LOCATION, target);
            response
        }
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
