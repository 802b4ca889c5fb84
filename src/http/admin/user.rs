//! `GET /admin/users/{id}` and below: a user with memberships, and his time line.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Admin;
use super::frame::{Failure, Frame, Section, answer};
use super::shown::{self, Attribute};
use crate::db::HistoryEntry;
use crate::db::admin_pages::Membership;
use crate::http::pages::page;
use crate::http::state::State;
use crate::scim::user::UserRow;

/// Memberships on a page.
const PAGE: i32 = 100;

/// How far back a time line may go, in days; the first unless said otherwise.
const DAYS: [i64; 4] = [7, 30, 90, 365];

/// Most entries of a time line.
const MOST_ENTRIES: i32 = 500;

#[derive(Template)]
#[template(path = "admin/user.html")]
struct User<'a> {
    frame: Frame<'a>,
    id: Uuid,
    posix_name: &'a str,
    locked: bool,
    done: Option<&'static str>,
    attributes: Vec<Attribute>,
    memberships: Vec<Membership>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/history.html")]
struct History<'a> {
    frame: Frame<'a>,
    id: Uuid,
    name: &'a str,
    choices: &'static [i64],
    days: i64,
    entries: Vec<HistoryEntry>,
    is_cut: bool,
}

/// `GET /admin/users/{id}?after=ID`.
pub async fn show(Shared(state): Shared<State>, admin: Admin, Path(id): Path<String>) -> Response {
    let work = view(&state, &admin, &id).await;
    answer(&state, &admin, Section::Users, work)
}

/// `GET /admin/users/{id}/history?days=N`.
pub async fn history(Shared(state): Shared<State>, admin: Admin, Path(id): Path<String>) -> Response {
    let work = view_history(&state, &admin, &id).await;
    answer(&state, &admin, Section::Users, work)
}

/// The live user of an id from a path.
pub(super) async fn find(state: &State, id: &str) -> Result<UserRow, Failure> {
    let missing = || Failure::Missing("There is no such user. `rollcall user history` knows deleted ones.");
    let id: Uuid = id.parse().map_err(|_| missing())?;
    state.db.user_get(id, false).await?.ok_or_else(missing)
}

async fn view(state: &State, admin: &Admin, id: &str) -> Result<Response, Failure> {
    let user = find(state, id).await?;
    let after = admin.visit.only("after").and_then(|after| after.parse().ok());
    let (mut memberships, (sessions, last_seen)) = tokio::try_join!(
        state
            .db
            .admin_memberships(user.id, after.unwrap_or(Uuid::nil()), PAGE + 1),
        state.db.admin_user_sessions(user.id),
    )?;
    let base = state.base_url.as_str();
    let next = super::cut(&mut memberships, PAGE)
        .map(|last| format!("{base}/admin/users/{}?after={}", user.id, last.group.id));
    // Said only when it is so, whatever a link says.
    let done = match admin.visit.only("done") {
        Some("locked") if user.locked => Some("The user is locked."),
        Some("unlocked") if !user.locked => Some("The user is unlocked."),
        _ => None,
    };
    let sessions = match last_seen {
        Some(at) => format!("{sessions}, the last used {}", shown::time(at)),
        None => "none".to_owned(),
    };
    let owner = if shown::text(&user.doc, "externalId").is_empty() {
        "nobody outside"
    } else {
        "an identity provider, by SCIM"
    };
    let shell = user.shell.clone();
    let attributes = shown::present([
        ("userName", shown::text(&user.doc, "userName").to_owned()),
        ("displayName", shown::text(&user.doc, "displayName").to_owned()),
        ("E-mail", shown::addresses(&user.doc)),
        ("uid", user.uid.to_string()),
        ("Primary gid", user.primary_gid.to_string()),
        ("Home directory", user.home.clone()),
        (
            "Login shell",
            shell.unwrap_or_else(|| state.config.provisioning.login_shell.clone()),
        ),
        ("Administrator", if user.admin { "yes" } else { "no" }.to_owned()),
        ("Open sessions", sessions),
        (
            "Last sign-in",
            user.last_sign_in.map_or_else(|| "never".to_owned(), shown::time),
        ),
        ("Owned by", owner.to_owned()),
        ("externalId", shown::text(&user.doc, "externalId").to_owned()),
        ("SCIM id", user.id.to_string()),
        ("Made", shown::time(user.created)),
        ("Changed", shown::time(user.last_modified)),
    ]);
    let user = User {
        frame: Frame::new(state, admin, Section::Users),
        id: user.id,
        posix_name: &user.posix_name,
        locked: user.locked,
        done,
        attributes,
        memberships,
        next,
    };
    Ok(page(StatusCode::OK, &user, None))
}

async fn view_history(state: &State, admin: &Admin, id: &str) -> Result<Response, Failure> {
    let user = find(state, id).await?;
    let asked: Option<i64> = admin.visit.only("days").and_then(|days| days.parse().ok());
    let days = asked.filter(|days| DAYS.contains(days)).unwrap_or(DAYS[0]);
    let since = Timestamp::now()
        .checked_sub(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut entries = state.db.user_history(user.id, since, MOST_ENTRIES).await?;
    entries.reverse();
    let history = History {
        frame: Frame::new(state, admin, Section::Users),
        id: user.id,
        name: &user.posix_name,
        choices: &DAYS,
        days,
        is_cut: i32::try_from(entries.len()).is_ok_and(|count| count >= MOST_ENTRIES),
        entries,
    };
    Ok(page(StatusCode::OK, &history, None))
}
