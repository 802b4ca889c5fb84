//! `/saml/…`: sign-in by SAML 2.0.

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{Visit, cookies, let_in, pages, transaction};
use crate::http::auth::redirect;
use crate::http::form::Form;
use crate::http::pages::page;
use crate::http::state::State;
use crate::login::return_path::or_root;
use crate::login::saml::{Ended, Outgoing, Pending, RESPONSE_BYTES, Saml};
use crate::login::sessions::random_id;
use crate::login::{Method, Reason, Refusal};

/// Largest form, in bytes: base64 and percent escapes on top of the XML.
const FORM_BYTES: usize = 3 * RESPONSE_BYTES;

/// `GET /saml/metadata`: what the identity provider needs to know of us.
pub async fn metadata(Shared(state): Shared<State>) -> Response {
    let Some(saml) = &state.saml else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let head = [
        (CONTENT_TYPE, "application/samlmetadata+xml"),
        (CACHE_CONTROL, "max-age=3600"),
    ];
    (head, saml.metadata()).into_response()
}

/// `GET /saml/login?return=PATH`: to the provider.
pub async fn login(Shared(state): Shared<State>, visit: Visit) -> Response {
    let Some(saml) = state.saml.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    begin(&state, &visit, &saml)
        .await
        .unwrap_or_else(|refusal| refuse(&state, &visit, &refusal))
}

async fn begin(state: &State, visit: &Visit, saml: &Saml) -> Result<Response, Refusal> {
    let relay_state = random_id();
    let (outgoing, pending) = saml.begin(&relay_state, or_root(visit.only("return")))?;
    let response = match outgoing {
        Outgoing::Redirect(url) => redirect(StatusCode::SEE_OTHER, &url),
        Outgoing::Post {
            location,
            request,
            relay_state,
        } => {
            let form = pages::Post {
                base: state.base_url.as_str(),
                title: "Sign in",
                location: &location,
                request: &request,
                relay_state: &relay_state,
            };
            page(StatusCode::OK, &form, origin(&location).as_deref())
        }
    };
    let name = saml.name()?;
    transaction::begin(state, visit, cookies::SAML, &name, &relay_state, &pending, response).await
}

/// Scheme, host and port of an address.
fn origin(address: &str) -> Option<String> {
    let url = reqwest::Url::parse(address).ok()?;
    Some(url.origin().ascii_serialization())
}

/// `POST /saml/acs`: back from the provider.
pub async fn acs(Shared(state): Shared<State>, visit: Visit, headers: HeaderMap, body: Body) -> Response {
    let Some(saml) = state.saml.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (ended, return_path) = match end(&state, &visit, &saml, &headers, body).await {
        Ok(ended) => ended,
        Err(refusal) => return refuse(&state, &visit, &refusal),
    };
    let session = ended.provider_session.as_deref();
    match let_in(&state, &visit, &ended.assertion, session, Some(&return_path)).await {
        Ok(response) => response,
        Err(refusal) => pages::refused(state.base_url.as_str(), &refusal, &visit.request_id),
    }
}

async fn end(
    state: &State,
    visit: &Visit,
    saml: &Saml,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Ended, String), Refusal> {
    let bad = |detail: &str| Refusal::new(Reason::InvalidAssertion, detail);
    let form = Form::read(headers, body, FORM_BYTES).await;
    let form = form.map_err(|fault| bad(&format!("the response {fault}")))?;
    let name = saml.name()?;
    let pending: Pending = transaction::finish(state, visit, cookies::SAML, &name, form.only("RelayState")).await?;
    let response = form.only("SAMLResponse");
    let response = response.ok_or_else(|| bad("the form has no SAMLResponse, or two"))?;
    let ended = saml.end(&state.db, response, &pending).await?;
    Ok((ended, pending.return_path))
}

fn refuse(state: &State, visit: &Visit, refusal: &Refusal) -> Response {
    refusal.note(Method::Saml.as_str(), &visit.request_id);
    pages::refused(state.base_url.as_str(), refusal, &visit.request_id)
}
