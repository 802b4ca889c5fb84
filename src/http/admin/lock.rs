//! `/admin/users/{id}/lock` and `…/unlock`: asks first and says what follows, then does it.

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;

use super::change::Change;
use super::frame::{Failure, Frame, Section, answer};
use super::{Admin, Confirm, shown, user};
use crate::http::auth::redirect;
use crate::http::pages::page;
use crate::http::state::State;
use crate::scim::user::UserRow;

const OWN: &str = "You cannot lock yourself: it would end this session. Another administrator or the command line can.";

/// `GET /admin/users/{id}/lock`.
pub async fn ask_lock(Shared(state): Shared<State>, admin: Admin, Path(id): Path<String>) -> Response {
    let work = ask(&state, &admin, &id, true).await;
    answer(&state, &admin, Section::Users, work)
}

/// `GET /admin/users/{id}/unlock`.
pub async fn ask_unlock(Shared(state): Shared<State>, admin: Admin, Path(id): Path<String>) -> Response {
    let work = ask(&state, &admin, &id, false).await;
    answer(&state, &admin, Section::Users, work)
}

/// `POST /admin/users/{id}/lock`.
pub async fn lock(Shared(state): Shared<State>, Path(id): Path<String>, change: Change) -> Response {
    let work = set(&state, &change.admin, &id, true).await;
    answer(&state, &change.admin, Section::Users, work)
}

/// `POST /admin/users/{id}/unlock`.
pub async fn unlock(Shared(state): Shared<State>, Path(id): Path<String>, change: Change) -> Response {
    let work = set(&state, &change.admin, &id, false).await;
    answer(&state, &change.admin, Section::Users, work)
}

async fn ask(state: &State, admin: &Admin, id: &str, locked: bool) -> Result<Response, Failure> {
    let user = user::find(state, id).await?;
    if locked && user.id == admin.id {
        return Err(Failure::Refused(OWN));
    }
    let verb = if locked { "Lock" } else { "Unlock" };
    let consequences = if locked {
        let (sessions, _) = state.db.admin_user_sessions(user.id).await?;
        of_lock(&user, sessions)
    } else {
        of_unlock(&user)
    };
    let question = format!("{verb} {}?", user.posix_name);
    let back = format!("{}/admin/users/{}", state.base_url, user.id);
    let confirm = Confirm {
        frame: Frame::new(state, admin, Section::Users),
        question: &question,
        consequences,
        action: format!("{back}/{}", verb.to_lowercase()),
        button: verb,
        back,
    };
    Ok(page(StatusCode::OK, &confirm, None))
}

async fn set(state: &State, admin: &Admin, id: &str, locked: bool) -> Result<Response, Failure> {
    let user = user::find(state, id).await?;
    if locked && user.id == admin.id {
        return Err(Failure::Refused(OWN));
    }
    let origin = admin.origin();
    state.db.user_set_flags(user.id, None, Some(locked), &origin).await?;
    // This replica need not wait for its next look at sessions that have ended.
    let _ = state.sessions.refresh(&state.db).await;
    let word = if locked { "locked" } else { "unlocked" };
    let target = format!("{}/admin/users/{}?done={word}", state.base_url, user.id);
    Ok(redirect(StatusCode::SEE_OTHER, &target))
}

fn of_lock(user: &UserRow, sessions: i64) -> Vec<String> {
    let mut consequences = vec![
        format!("He cannot sign in any more. Sessions that end within a second: {sessions}."),
        "On nodes his account expires: no login by password or key. Processes and jobs that run go on.".to_owned(),
        format!(
            "Nothing is deleted: uid {}, his groups and his files stay his.",
            user.uid
        ),
        "It counts for the brake on deletions, if one is set.".to_owned(),
    ];
    consequences.extend(undone(user));
    consequences
}

fn of_unlock(user: &UserRow) -> Vec<String> {
    let mut consequences = vec![
        "He can sign in again, on nodes too as soon as they have heard of it.".to_owned(),
        "Sessions that the lock has ended do not come back.".to_owned(),
    ];
    consequences.extend(undone(user));
    consequences
}

/// The provider owns the state of a user that it has given an externalId.
fn undone(user: &UserRow) -> Option<String> {
    let is_owned = !shown::text(&user.doc, "externalId").is_empty();
    is_owned.then(|| "An identity provider owns this user: its next sync may undo it.".to_owned())
}
