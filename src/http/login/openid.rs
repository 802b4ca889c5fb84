//! `/openid/…`: sign-in by OpenID Connect, and the provider's notices of logout.

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Visit, cookies, let_in, pages, transaction};
use crate::db::sessions::Ending;
use crate::http::auth::redirect;
use crate::http::form::Form;
use crate::http::state::State;
use crate::login::openid::{Ended, OpenId, Pending};
use crate::login::return_path::or_root;
use crate::login::{Method, Reason, Refusal};

/// Largest form of a logout notice, in bytes.
const FORM_BYTES: usize = 64 * 1024;

const METHOD: Method = Method::OpenId;

/// `GET /openid/login?return=PATH`: to the provider.
pub async fn login(Shared(state): Shared<State>, visit: Visit) -> Response {
    let Some(openid) = state.openid.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    begin(&state, &visit, &openid)
        .await
        .unwrap_or_else(|refusal| refuse(&state, &visit, &refusal))
}

async fn begin(state: &State, visit: &Visit, openid: &OpenId) -> Result<Response, Refusal> {
    let beginning = openid.begin(or_root(visit.only("return"))).await?;
    let response = redirect(StatusCode::SEE_OTHER, &beginning.url);
    let (name, pending) = (openid.name(), &beginning.pending);
    transaction::begin(
        state,
        visit,
        cookies::OPENID,
        &name,
        &beginning.state,
        pending,
        response,
    )
    .await
}

/// `GET /openid/callback`: back from the provider.
pub async fn callback(Shared(state): Shared<State>, visit: Visit) -> Response {
    let Some(openid) = state.openid.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (ended, return_path) = match end(&state, &visit, &openid).await {
        Ok(ended) => ended,
        Err(refusal) => return refuse(&state, &visit, &refusal),
    };
    let session = ended.provider_session.as_deref();
    match let_in(&state, &visit, &ended.assertion, session, Some(&return_path)).await {
        Ok(response) => response,
        Err(refusal) => pages::refused(state.base_url.as_str(), &refusal, &visit.request_id),
    }
}

async fn end(state: &State, visit: &Visit, openid: &OpenId) -> Result<(Ended, String), Refusal> {
    let name = openid.name();
    let pending: Pending = transaction::finish(state, visit, cookies::OPENID, &name, visit.only("state")).await?;
    if visit.query("error").is_some() {
        return Err(Refusal::new(
            Reason::ProviderRefused,
            "the provider answered with an error",
        ));
    }
    let return_path = pending.return_path.clone();
    let code = visit.only("code").unwrap_or_default();
    Ok((openid.end(code, visit.only("iss"), pending).await?, return_path))
}

/// `POST /openid/backchannel-logout`: ends sessions that the provider says are over (Back-Channel Logout §2.5 – §2.8).
pub async fn backchannel_logout(Shared(state): Shared<State>, _: Visit, headers: HeaderMap, body: Body) -> Response {
    let Some(openid) = state.openid.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let status = match end_sessions(&state, &openid, &headers, body).await {
        Ok(count) => {
            tracing::info!(sessions = count, "the provider has ended sessions");
            StatusCode::OK
        }
        Err(refusal) if refusal.retry_after.is_some() => StatusCode::SERVICE_UNAVAILABLE,
        Err(refusal) => {
            tracing::warn!(detail = refusal.detail, "a logout notice was refused");
            let body = json!({"error": "invalid_request"}).to_string();
            return (StatusCode::BAD_REQUEST, [(CACHE_CONTROL, "no-store")], body).into_response();
        }
    };
    (status, [(CACHE_CONTROL, "no-store")]).into_response()
}

async fn end_sessions(state: &State, openid: &OpenId, headers: &HeaderMap, body: Body) -> Result<i64, Refusal> {
    let bad = |detail: &str| Refusal::new(Reason::InvalidAssertion, detail);
    let form = Form::read(headers, body, FORM_BYTES).await;
    let form = form.map_err(|fault| bad(&format!("the notice {fault}")))?;
    let token = form.all("logout_token").next();
    let notice = openid
        .logout_notice(token.ok_or_else(|| bad("there is no logout_token"))?)
        .await?;
    let name = openid.name();
    let ending = Ending {
        provider: Some(&name),
        subject: Some(&notice.subject),
        provider_session: notice.provider_session.as_deref(),
        ..Ending::default()
    };
    let count = state.db.session_end(&ending).await?;
    // This replica need not wait for its next look.
    let _ = state.sessions.refresh(&state.db).await;
    Ok(count)
}

fn refuse(state: &State, visit: &Visit, refusal: &Refusal) -> Response {
    refusal.note(METHOD.as_str(), &visit.request_id);
    pages::refused(state.base_url.as_str(), refusal, &visit.request_id)
}
