//! `GET /proxy/login`: a session for whom the headers of a signing-in proxy name.

use axum::extract::State as Shared;
use axum::response::Response;

use super::{Person, Visit, open_session};
use crate::http::auth::{self, Named};
use crate::http::state::State;

/// `GET /proxy/login?return=PATH` on the proxy listener.
pub async fn login(Shared(state): Shared<State>, named: Named, visit: Visit) -> Response {
    let signed_in = match auth::sign_in(&state, &named).await {
        Ok(signed_in) => signed_in,
        Err(refusal) => return auth::answer_to(&refusal),
    };
    let who = Person {
        user_id: signed_in.user.id,
        provider: "headers",
        subject: None,
        provider_session: None,
    };
    let opened = open_session(&state, &visit, &who, visit.only("return")).await;
    opened.unwrap_or_else(|refusal| {
        refusal.note("headers", &visit.request_id);
        auth::answer_to(&refusal)
    })
}
