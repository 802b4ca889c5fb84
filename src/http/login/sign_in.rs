//! `GET /sign-in`: straight to the provider when there is one, a choice when there are several.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Visit, pages, percent_encode};
use crate::http::auth::redirect;
use crate::http::pages::page;
use crate::http::state::State;
use crate::login::return_path::or_root;

/// `GET /sign-in?return=PATH`. With `stay`, a single provider is shown, not gone to: after an error or a sign-out the
/// browser would be back at once.
pub async fn show(Shared(state): Shared<State>, visit: Visit) -> Response {
    let return_path = or_root(visit.only("return"));
    if let Some(id) = &visit.session
        && visit.query("stay").is_none()
        && state.sessions.get(id, &state.db).await.is_ok()
    {
        return redirect(StatusCode::SEE_OTHER, return_path);
    }
    let ways = ways(&state, return_path);
    let status = match ways.as_slice() {
        [] => StatusCode::NOT_FOUND,
        [(target, _)] if visit.query("stay").is_none() => return redirect(StatusCode::SEE_OTHER, target),
        _ => StatusCode::OK,
    };
    let choice = pages::Choice {
        base: state.base_url.as_str(),
        title: "Sign in",
        ways: &ways,
    };
    page(status, &choice, None)
}

/// Where each way begins, and what it is called.
fn ways(state: &State, return_path: &str) -> Vec<(String, &'static str)> {
    let (base, suffix) = (&state.base_url, format!("?return={}", percent_encode(return_path)));
    let mut ways = Vec::new();
    if state.config.openid.enabled {
        ways.push((format!("{base}/openid/login{suffix}"), "Sign in with OpenID Connect"));
    }
    if state.config.saml.enabled {
        ways.push((format!("{base}/saml/login{suffix}"), "Sign in with SAML"));
    }
    if state.config.access.proxy
        && let Some(address) = &state.config.access.proxy_sign_in_url
    {
        ways.push((address.clone(), "Sign in at your organisation"));
    }
    ways
}
