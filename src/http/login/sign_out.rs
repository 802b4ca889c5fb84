//! `/sign-out`: ends the session, here at once and on every replica within a second.

use axum::extract::State as Shared;
use axum::http::header::{HeaderName, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Visit, cookies, pages};
use crate::http::auth::redirect;
use crate::http::state::State;
use crate::login::{Reason, Refusal};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// `GET /sign-out`: asks. A link on another site must not sign anybody out.
pub async fn ask(Shared(state): Shared<State>) -> Response {
    let main = format!(
        "<form method=\"post\" action=\"{}/sign-out\">\n<p><button class=\"button\" type=\"submit\">Sign out</button></p>\n\
         </form>\n",
        pages::escape(state.base_url.as_str())
    );
    let provider = state.openid.as_ref().map(|openid| openid.origin());
    pages::page(
        StatusCode::OK,
        state.base_url.as_str(),
        "Sign out",
        &main,
        provider.as_deref(),
    )
}

/// `POST /sign-out`: ends the session, and sends the browser to the provider's own end of session when it offers one.
pub async fn leave(Shared(state): Shared<State>, visit: Visit) -> Response {
    let base = state.base_url.as_str();
    if is_cross_site(visit.headers(), base) {
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

/// Whether a browser says that another site's page sent the request (Fetch Metadata, RFC 6454).
fn is_cross_site(headers: &HeaderMap, base: &str) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else {
        return headers.contains_key(ORIGIN);
    };
    base != origin && !base.starts_with(&format!("{origin}/"))
}
