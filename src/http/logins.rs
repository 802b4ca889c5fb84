//! `POST /api/v1/logins`: a trusted front end hands in an assertion that it has verified itself.

mod members;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State as Shared};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use members::Members;

use super::authenticate::{Caller, Refusal as NotLetIn};
use super::body;
use super::listener::Peer;
use super::observe::RequestId;
use super::respond::Refused;
use super::state::State;
use crate::db::Origin;
use crate::login::{self, Assertion, Claims, Groups, Method, Reason, Refusal, SignedIn};
use crate::telemetry::metrics::METRICS;
use crate::tokens::Scope;

/// Its path, as the router has it.
pub(super) const ROUTE: &str = "/api/v1/logins";

/// Largest body, in bytes.
const BODY_BYTES: usize = 512 * 1024;

/// Longest name of a provider, in bytes.
const PROVIDER_BYTES: usize = 255;

/// How far ahead a clock may be by which an assertion was made: what comes from further ahead would make all of the person's next
/// ones too old.
const SKEW: Duration = Duration::from_mins(1);

/// The fields of the body.
const FIELDS: [&str; 10] = [
    "userName",
    "provider",
    "subject",
    "issuedAt",
    "displayName",
    "email",
    "posixUserId",
    "posixUserName",
    "homeDirectory",
    "groups",
];

/// The answer of success. A type and not a JSON value: this is said ten thousand times a second.
#[derive(Serialize)]
struct Shown<'a> {
    user: ShownUser<'a>,
    changed: bool,
    created: bool,
    updated: bool,
    groups: ShownGroups<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownUser<'a> {
    id: Uuid,
    user_name: &'a str,
    posix_user_name: &'a str,
    posix_user_id: i64,
    posix_group_id: i64,
    home_directory: &'a str,
    login_shell: Option<&'a str>,
    admin: bool,
}

#[derive(Serialize)]
struct ShownGroups<'a> {
    added: &'a [String],
    removed: &'a [String],
    created: i32,
}

/// An answer other than success: status, machine word, text, seconds until another try.
struct Problem(StatusCode, &'static str, String, Option<u64>);

/// A refusal by what surrounds the request: 503 when its time is over, 500 for a defect.
pub(super) fn refuse(status: u16, detail: &str, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = if status == StatusCode::SERVICE_UNAVAILABLE {
        Reason::Unavailable
    } else {
        Reason::Internal
    };
    Problem(status, reason.as_str(), detail.to_owned(), retry_after).into_response()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, reason, detail, retry_after) = self;
        let mut response = answer(status, &json!({"error": reason, "detail": detail}));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Bearer realm="rollcall", error="invalid_token""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.reason {
            Reason::UserName | Reason::Attribute | Reason::MalformedGroups => StatusCode::BAD_REQUEST,
            Reason::Taken | Reason::Stale => StatusCode::CONFLICT,
            Reason::PoolExhausted => StatusCode::INSUFFICIENT_STORAGE,
            Reason::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::FORBIDDEN,
        };
        let detail = match refusal.reason {
            Reason::Internal => "the service has met a defect; its log says more under the request id".to_owned(),
            _ => refusal.detail,
        };
        let retry_after = refusal.retry_after.map(|pause| pause.as_secs().max(1));
        Self(status, refusal.reason.as_str(), detail, retry_after)
    }
}

/// `POST /api/v1/logins` (scope `login`): provisions the person and answers with the user and what changed.
pub async fn create(
    Shared(state): Shared<State>,
    request_id: Option<Extension<RequestId>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let peer = peer.map_or(Peer(None), |Extension(peer)| peer);
    let request_id = request_id.map(|Extension(id)| id.0).unwrap_or_default();
    match accept(&state, request_id, peer, &headers, body).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn accept(
    state: &State,
    request_id: String,
    peer: Peer,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let caller = authenticate(state, headers, peer).await?;
    let door = &state.admission.sign_ins;
    let body = body::read_at(door, state, headers, body, BODY_BYTES)
        .await
        .map_err(problem)?;
    let assertion = assertion(&body.bytes, body.object)?;
    let origin = Origin {
        actor: format!("token:{}", caller.token),
        path: "login",
        request_id,
        address: peer.0.map(|address| address.ip().to_string()),
    };
    let signed_in = login::sign_in(&state.db, &state.login_rules, &state.sign_ins, &assertion, &origin).await?;
    Ok(answer(StatusCode::OK, &shown(&signed_in)))
}

async fn authenticate(state: &State, headers: &HeaderMap, peer: Peer) -> Result<Caller, Problem> {
    let caller = state.tokens.authenticate(headers, peer, &state.db).await;
    let caller = caller.map_err(|refusal| match refusal {
        NotLetIn::Unauthorized => {
            let text = "The bearer token is missing, unknown, expired or revoked.";
            Problem(StatusCode::UNAUTHORIZED, "unauthorized", text.into(), None)
        }
        NotLetIn::CannotKnow => Problem::from(Refusal::from(crate::error::Error::unavailable())),
    })?;
    if !caller.may(&[Scope::Login, Scope::Admin]) {
        let text = "The token needs the scope \"login\".";
        return Err(Problem(StatusCode::FORBIDDEN, "insufficient_scope", text.into(), None));
    }
    if let Err(pause) = state.rate_limit.admit(&caller.token) {
        METRICS.rate_limited.with_label_values(&["api"]).inc();
        let text = "The token has sent too many requests.";
        let retry_after = Some(pause.as_secs() + 1);
        return Err(Problem(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            text.into(),
            retry_after,
        ));
    }
    Ok(caller)
}

/// Reads the body, `object` in `bytes`. Unknown fields are refused, and fields that are there twice: a misspelt `groups` must not
/// mean "unknown", nor a second one something else than the first.
fn assertion(bytes: &[u8], mut object: Map<String, Value>) -> Result<Assertion, Problem> {
    if let Some(name) = object.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let name: String = name.chars().take(64).collect();
        return Err(bad(format!("unknown field {name:?}; known are {}", FIELDS.join(", "))));
    }
    if let Ok(Members(count)) = serde_json::from_slice(bytes)
        && count > object.len()
    {
        return Err(bad("a field is there twice".to_owned()));
    }
    let groups = object.remove("groups");
    let text = |name: &str| {
        login::claim_text(object.get(name))
            .map_err(|_| bad(format!("\"{name}\" is neither text nor a whole number of 64 bits")))
    };
    let provider = text("provider")?.unwrap_or_else(|| "default".to_owned());
    if provider.len() > PROVIDER_BYTES {
        return Err(bad(format!("\"provider\" is longer than {PROVIDER_BYTES} bytes")));
    }
    let issued_at = text("issuedAt")?
        .map(|at| {
            at.parse::<Timestamp>()
                .map_err(|_| bad("\"issuedAt\" is no time of RFC 3339".to_owned()))
        })
        .transpose()?;
    if issued_at.is_some_and(|at| at > Timestamp::now() + SKEW) {
        return Err(bad(format!(
            "\"issuedAt\" lies more than {} seconds ahead",
            SKEW.as_secs()
        )));
    }
    Ok(Assertion {
        method: Method::Api,
        provider: format!("api:{provider}"),
        user_name: text("userName")?.ok_or_else(|| bad("\"userName\" is missing".to_owned()))?,
        subject: text("subject")?,
        issued_at,
        claims: Claims {
            display_name: text("displayName")?,
            email: text("email")?,
            posix_id: text("posixUserId")?,
            posix_name: text("posixUserName")?,
            home: text("homeDirectory")?,
        },
        groups: Groups::from_claim(groups)?,
    })
}

fn bad(detail: String) -> Problem {
    Problem(StatusCode::BAD_REQUEST, "invalid_request", detail, None)
}

/// What is wrong with a body, in the words of this endpoint.
fn problem(refused: Refused) -> Problem {
    let status = StatusCode::from_u16(refused.error.status).unwrap_or(StatusCode::BAD_REQUEST);
    Problem(status, "invalid_request", refused.error.detail, refused.retry_after)
}

fn shown(signed_in: &SignedIn) -> Shown<'_> {
    let (user, change) = (&signed_in.user, &signed_in.change);
    Shown {
        user: ShownUser {
            id: user.id,
            user_name: &signed_in.user_name,
            posix_user_name: &user.posix_name,
            posix_user_id: user.uid,
            posix_group_id: user.primary_gid,
            home_directory: &user.home,
            login_shell: user.shell.as_deref(),
            admin: user.admin,
        },
        changed: !change.is_empty(),
        created: change.created,
        updated: change.updated,
        groups: ShownGroups {
            added: &change.added,
            removed: &change.removed,
            created: change.groups_created,
        },
    }
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let head = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    // Text and numbers: nothing in it can fail.
    (status, head, serde_json::to_vec(body).unwrap_or_default()).into_response()
}
