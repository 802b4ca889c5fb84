//! `/sign-out`: ends the session, here at once and on every replica within a second.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Visit, cookies, pages};
use crate::http::auth::redirect;
use crate::http::pages::page;
use crate::http::same_origin::{Sender, sender};
use crate::http::state::State;
use crate::login::{Reason, Refusal};

/// `GET /sign-out`: asks. A link on another site must not sign anybody out.
pub async fn ask(Shared(state): Shared<State>) -> Response {
    let question = pages::SignOut {
        base: state.base_url.as_str(),
        title: "Sign out",
    };
    let provider = state.openid.as_ref().map(|openid| openid.origin());
    page(StatusCode::OK, &question, provider.as_deref())
}

/// `POST /sign-out`: ends the session, and sends the browser to the provider's own end of session when it offers one.
pub async fn leave(Shared(state): Shared<State>, visit: Visit) -> Response {
    let base = state.base_url.as_str();
    if sender(visit.headers(), base) == Sender::Foreign {
        let refusal = Refusal::new(Reason::UnknownTransaction, "sign-out was asked for by another site");
        return pages::refused(base, &refusal, &visit.request_id);
    }
    let provider = match &visit.session {
        None => None,
        Some(id) => {
            // Who vouched for the person decides whether there is a session to end elsewhere too.
            let session = state.sessions.get(id, &state.db).await.ok();
            if let Err(error) = state.sessions.end(id, &state.db).await {
                return pages::refused(base, &error.into(), &visit.request_id);
            }
            session.map(|session| session.provider.clone())
        }
    };
    let signed_out = format!("{base}/sign-in?stay=1");
    let elsewhere = match state.openid.as_ref().filter(|openid| provider == Some(openid.name())) {
        Some(openid) => openid.logout_url(&signed_out).await,
        None => None,
    };
    let target = elsewhere.unwrap_or(signed_out);
    let mut response = redirect(StatusCode::SEE_OTHER, &target);
    cookies::SESSION.clear(response.headers_mut(), state.base_url.is_https());
    response
}
