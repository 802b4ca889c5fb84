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
    pages::page(StatusCode::OK, state.base_url.as_str(), "Sign out", &main, None)
}

/// `POST /sign-out`.
pub async fn leave(Shared(state): Shared<State>, visit: Visit) -> Response {
    let base = state.base_url.as_str();
    if is_cross_site(visit.headers(), base) {
        let refusal = Refusal::new(Reason::UnknownTransaction, "sign-out was asked for by another site");
        return pages::refused(base, &refusal, &visit.request_id);
    }
    if let Some(id) = &visit.session
        && let Err(error) = state.sessions.end(id, &state.db).await
    {
        return pages::refused(base, &error.into(), &visit.request_id);
    }
    let target = format!("{base}/sign-in?stay=1");
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
