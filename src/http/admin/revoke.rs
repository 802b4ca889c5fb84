//! `/admin/tokens/{id}/revoke`: asks first and says what follows, then does it.

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;

use super::change::Change;
use super::frame::{Failure, Frame, Section, answer};
use super::{Admin, Confirm, shown};
use crate::http::auth::redirect;
use crate::http::pages::page;
use crate::http::state::State;

const MISSING: Failure = Failure::Missing("There is no such token, or it is revoked.");

/// `GET /admin/tokens/{id}/revoke`.
pub async fn ask_revoke(Shared(state): Shared<State>, admin: Admin, Path(id): Path<String>) -> Response {
    let work = ask(&state, &admin, &id).await;
    answer(&state, &admin, Section::Tokens, work)
}

/// `POST /admin/tokens/{id}/revoke`.
pub async fn revoke(Shared(state): Shared<State>, Path(id): Path<String>, change: Change) -> Response {
    let work = set(&state, &change.admin, &id).await;
    answer(&state, &change.admin, Section::Tokens, work)
}

async fn ask(state: &State, admin: &Admin, id: &str) -> Result<Response, Failure> {
    let token = find(state, id).await?;
    let last = match (token.last_used_at, &token.last_used_from) {
        (Some(at), Some(from)) => format!("It was used last {} from {from}.", shown::time(at)),
        (Some(at), None) => format!("It was used last {}.", shown::time(at)),
        (None, _) => "It was never used.".to_owned(),
    };
    let mut consequences = vec![
        "Whoever uses it is refused within a second, by every replica.".to_owned(),
        last,
        format!("It may be used for: {}.", token.scopes.join(", ")),
        "Access tokens that it gave by OAuth 2.0 end with it.".to_owned(),
        "It cannot be brought back: make another one.".to_owned(),
    ];
    if token.scopes.iter().any(|scope| scope.starts_with("nss-")) {
        consequences.push("Nodes that have no other token go on with what they know, and hear nothing new.".to_owned());
    }
    let question = format!("Revoke {}?", token.name);
    let base = state.base_url.as_str();
    let confirm = Confirm {
        frame: Frame::new(state, admin, Section::Tokens),
        question: &question,
        consequences,
        action: format!("{base}/admin/tokens/{}/revoke", token.public_id),
        button: "Revoke",
        back: format!("{base}/admin/tokens"),
    };
    Ok(page(StatusCode::OK, &confirm, None))
}

async fn set(state: &State, admin: &Admin, id: &str) -> Result<Response, Failure> {
    let token = find(state, id).await?;
    let revoked = state.db.token_revoke(Some(&token.public_id), &admin.origin()).await?;
    if revoked.is_empty() {
        return Err(MISSING);
    }
    // This replica need not wait for its next look.
    let _ = state.tokens.refresh(&state.db).await;
    let target = format!("{}/admin/tokens?done=revoked", state.base_url);
    Ok(redirect(StatusCode::SEE_OTHER, &target))
}

async fn find(state: &State, id: &str) -> Result<crate::db::admin_pages::TokenLine, Failure> {
    if id.contains('\0') {
        return Err(MISSING);
    }
    state.db.admin_token(id).await?.ok_or(MISSING)
}
