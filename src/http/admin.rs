//! The administrators' pages: who may see them. One file per page below, all of it HTML that works without a script.

mod change;
mod frame;
mod group;
mod groups;
mod lock;
mod overview;
mod place;
mod revoke;
mod shown;
mod tokens;
mod user;
mod users;

pub use group::show as group;
pub use groups::list as groups;
pub use lock::{ask_lock, ask_unlock, lock, unlock};
pub use overview::show as overview;
pub use revoke::{ask_revoke, revoke};
pub use tokens::{create as create_token, list as tokens};
pub use user::{history, show as user};
pub use users::list as users;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::auth::redirect;
use super::login::pages::Message;
use super::login::{Visit, percent_encode};
use super::pages::{page, style as style_sheet};
use super::state::{Shared, State};
use crate::db::Origin;
use crate::error::Error;
use crate::login::return_path::checked;
use crate::login::sessions::{NoSession, form_token, hash_of};

/// `GET /admin.css`.
pub async fn style() -> Response {
    style_sheet(include_str!("pages/admin.css"))
}

/// An administrator with a session, found anew in the database for every page and every change. What a handler takes who
/// may be seen by administrators alone.
pub struct Admin {
    /// His SCIM id.
    id: Uuid,
    /// His userName.
    name: String,
    /// What the forms of his session carry.
    form_token: String,
    /// His request.
    visit: Visit,
}

impl Admin {
    /// For the audit log: he, by way of the pages.
    fn origin(&self) -> Origin {
        Origin {
            actor: format!("user:{}", self.id),
            path: "web",
            request_id: self.visit.request_id.clone(),
            address: self.visit.address.clone(),
        }
    }
}

/// The question before a change, with what follows from it.
#[derive(Template)]
#[template(path = "admin/confirm.html")]
struct Confirm<'a> {
    frame: frame::Frame<'a>,
    question: &'a str,
    consequences: Vec<String>,
    /// Where the form goes.
    action: String,
    /// What its button says.
    button: &'a str,
    /// Where one goes who does not want it.
    back: String,
}

/// Cuts off the row that was read only to know whether there is a next page, and gives the one that it begins behind.
fn cut<T>(rows: &mut Vec<T>, page: i32) -> Option<&T> {
    let page = usize::try_from(page).unwrap_or_default();
    if rows.len() <= page {
        return None;
    }
    rows.truncate(page);
    rows.last()
}

/// Whether there are such pages: they are switched on, and somebody can sign in.
fn is_offered(state: &Shared) -> bool {
    let config = &state.config;
    config.access.admin_pages && (config.openid.enabled || config.saml.enabled || config.access.proxy)
}

impl FromRequestParts<State> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, state)
            .await
            .unwrap_or_else(|never| match never {});
        if !is_offered(state) {
            let text = "The administrators' pages are switched off, or no way to sign in is set up.";
            return Err(refused(state, &visit, StatusCode::NOT_FOUND, "Not here", text));
        }
        let Some(id) = &visit.session else {
            return Err(sign_in(state, &visit, parts, false));
        };
        match state.sessions.get(id, &state.db).await {
            Ok(_) => {}
            Err(NoSession::Over) => return Err(sign_in(state, &visit, parts, false)),
            Err(NoSession::CannotKnow) => return Err(unavailable(state, &visit)),
        }
        match state.db.admin_session(hash_of(id)).await {
            Ok(Some(user)) if user.admin => Ok(Self {
                id: user.id,
                name: user.user_name,
                form_token: form_token(id),
                visit,
            }),
            Ok(Some(_)) => {
                let text = "These pages are for administrators. Your account is none.";
                Err(refused(state, &visit, StatusCode::FORBIDDEN, "Not allowed", text))
            }
            // The session has ended a moment ago and the sign-in page may not know it yet: it must not send him back at once.
            Ok(None) => Err(sign_in(state, &visit, parts, true)),
            Err(Error::Unavailable { .. }) => Err(unavailable(state, &visit)),
            Err(error) => {
                tracing::error!(%error, request_id = visit.request_id, "an administrator's session could not be looked up");
                let text = "The service has met a defect; its log says more.";
                Err(refused(
                    state,
                    &visit,
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "A defect",
                    text,
                ))
            }
        }
    }
}

/// To the sign-in page and back here. What was sent by a form is not carried out and not kept: a page says so.
fn sign_in(state: &State, visit: &Visit, parts: &Parts, stay: bool) -> Response {
    let base = state.base_url.as_str();
    // The path as the browser knows it: `public-url` may have one of its own in front.
    let authority = base.find("://").map_or(0, |at| at + 3);
    let prefix = base
        .get(authority..)
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    let asked = parts.uri.path_and_query().map_or("/admin", |path| path.as_str());
    let back = format!("{}{asked}", prefix.unwrap_or_default());
    let back = checked(&back).map_or_else(|| format!("{}/admin", prefix.unwrap_or_default()), str::to_owned);
    let stay = if stay { "&stay=1" } else { "" };
    let target = format!("{base}/sign-in?return={}{stay}", percent_encode(&back));
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return redirect(StatusCode::SEE_OTHER, &target);
    }
    let message = Message {
        base,
        title: "Signed out",
        text: "Your session is over. Nothing was changed.",
        way: Some((target, "Sign in again")),
        request_id: &visit.request_id,
    };
    page(StatusCode::UNAUTHORIZED, &message, None)
}

/// A page for who is not let in.
fn refused(state: &State, visit: &Visit, status: StatusCode, title: &str, text: &str) -> Response {
    let base = state.base_url.as_str();
    let way = (status == StatusCode::FORBIDDEN).then(|| (format!("{base}/sign-out"), "Sign out"));
    let message = Message {
        base,
        title,
        text,
        way,
        request_id: &visit.request_id,
    };
    page(status, &message, None)
}

fn unavailable(state: &State, visit: &Visit) -> Response {
    let text = "The database does not answer at the moment. Please try again in a minute.";
    let mut response = refused(state, visit, StatusCode::SERVICE_UNAVAILABLE, "Not now", text);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
