//! `POST /oauth/token`: OAuth 2.0 client credentials (RFC 6749 §4.4), with a token's public id and secret as client.

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Limited};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::authenticate::{Caller, Refusal};
use super::scim_request::form_pairs;
use super::state::State;
use crate::db::Origin;
use crate::db::tokens::TokenDraft;
use crate::error::Error;
use crate::tokens::{NewToken, PREFIX, Scope};

/// How long an access token is valid; it ends with its parent before that.
const LIFETIME: SignedDuration = SignedDuration::from_mins(60);

/// Longest form, in bytes.
const MAX_FORM: usize = 8 * 1024;

/// A refusal in the words of RFC 6749 §5.2.
struct OAuthError(StatusCode, &'static str, &'static str);

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let Self(status, code, description) = self;
        let body = json!({"error": code, "error_description": description}).to_string();
        let mut response = (
            status,
            [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")],
            body,
        )
            .into_response();
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="rollcall""#));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

const INVALID_REQUEST: fn(&'static str) -> OAuthError =
    |text| OAuthError(StatusCode::BAD_REQUEST, "invalid_request", text);
const INVALID_CLIENT: OAuthError = OAuthError(
    StatusCode::UNAUTHORIZED,
    "invalid_client",
    "client_id or client_secret is not valid",
);
const UNAVAILABLE: OAuthError = OAuthError(
    StatusCode::SERVICE_UNAVAILABLE,
    "temporarily_unavailable",
    "the database does not answer",
);

/// `POST /oauth/token`.
pub async fn token(Shared(state): Shared<State>, headers: HeaderMap, body: Body) -> Response {
    match lend(&state, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn lend(state: &State, headers: &HeaderMap, body: Body) -> Result<Response, OAuthError> {
    let form = read_form(headers, body).await?;
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if field("grant_type") != Some("client_credentials") {
        let text = "only grant_type=client_credentials is offered";
        return Err(OAuthError(StatusCode::BAD_REQUEST, "unsupported_grant_type", text));
    }
    let (id, secret) = match basic(headers)? {
        Some(pair) => pair,
        None => match (field("client_id"), field("client_secret")) {
            (Some(id), Some(secret)) => (id.to_owned(), secret.to_owned()),
            _ => return Err(INVALID_REQUEST("client_id and client_secret are missing")),
        },
    };
    let id = id.strip_prefix(PREFIX).unwrap_or(&id);
    let caller = match state.tokens.by_secret(id, &secret, &state.db).await {
        // A loan that renews itself would outlive the revocation of its parent.
        Ok(caller) if caller.is_loan => return Err(INVALID_CLIENT),
        Ok(caller) => caller,
        Err(Refusal::CannotKnow) => return Err(UNAVAILABLE),
        Err(Refusal::Unauthorized) => return Err(INVALID_CLIENT),
    };
    if state.rate_limit.admit(&caller.token).is_err() {
        return Err(OAuthError(
            StatusCode::TOO_MANY_REQUESTS,
            "temporarily_unavailable",
            "too many requests",
        ));
    }
    let scopes = granted(&caller, field("scope"))?;
    let token = NewToken::generate();
    let name = format!("access token of {id}");
    let draft = TokenDraft {
        name: &name,
        scopes: &scopes,
        dialect: caller.dialect.as_str(),
        parent: Some(id),
        expires_at: Some(Timestamp::now() + LIFETIME),
    };
    let origin = Origin {
        actor: format!("token:{id}"),
        path: "oauth",
        request_id: String::new(),
        address: None,
    };
    state
        .db
        .token_create(&token, &draft, &origin)
        .await
        .map_err(|error| match error {
            Error::Unavailable { .. } => UNAVAILABLE,
            other => {
                tracing::error!(error = %other, "an access token could not be stored");
                OAuthError(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "the service has met a defect",
                )
            }
        })?;
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let body = json!({
        "access_token": token.reveal(), "token_type": "Bearer", "expires_in": LIFETIME.as_secs(), "scope": words.join(" "),
    });
    let head = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, head, body.to_string()).into_response())
}

async fn read_form(headers: &HeaderMap, body: Body) -> Result<Vec<(String, String)>, OAuthError> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(INVALID_REQUEST("the body must be application/x-www-form-urlencoded"));
    }
    let bytes = Limited::new(body, MAX_FORM)
        .collect()
        .await
        .map_err(|_| INVALID_REQUEST("the body is too large"))?;
    let bytes = bytes.to_bytes();
    let text = std::str::from_utf8(&bytes).map_err(|_| INVALID_REQUEST("the body is not UTF-8"))?;
    let form: Vec<_> = form_pairs(text).collect();
    let twice = form
        .iter()
        .enumerate()
        .any(|(at, (key, _))| form.iter().skip(at + 1).any(|(other, _)| other == key));
    if twice {
        return Err(INVALID_REQUEST("a parameter is given twice"));
    }
    Ok(form)
}

/// Client id and secret of HTTP Basic (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let fault = || INVALID_REQUEST("the Authorization header is not HTTP Basic");
    let (scheme, encoded) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(fault)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(fault());
    }
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| fault())?;
    let text = String::from_utf8(bytes).map_err(|_| fault())?;
    let (id, secret) = text.split_once(':').ok_or_else(fault)?;
    Ok(Some((id.to_owned(), secret.to_owned())))
}

/// The scopes asked for, all of them the parent's; all of the parent's when none is asked for. Scopes that are not ours
/// are what some clients always send, and are passed over.
fn granted(caller: &Caller, asked: Option<&str>) -> Result<Vec<Scope>, OAuthError> {
    let ours: Vec<Scope> = asked
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    if ours.is_empty() {
        return Ok(caller.scopes.to_vec());
    }
    if ours.iter().any(|scope| !caller.scopes.contains(scope)) {
        return Err(OAuthError(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "the client does not have that scope",
        ));
    }
    Ok(ours)
}
