//! `GET /admin/groups/{id}`: a group and its members, a page at a time.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use super::Admin;
use super::frame::{Failure, Frame, Section, answer};
use super::shown::{self, Attribute};
use crate::db::admin_pages::{MemberLine, Membership};
use crate::http::pages::page;
use crate::http::state::State;

/// Members on a page.
const PAGE: i32 = 100;

/// Members are counted no further than this.
const MOST_COUNTED: i32 = 100_000;

/// Groups shown that a group is itself in.
const MOST_MEMBERSHIPS: i32 = 100;

#[derive(Template)]
#[template(path = "admin/group.html")]
struct Group<'a> {
    frame: Frame<'a>,
    display_name: &'a str,
    attributes: Vec<Attribute>,
    members: Vec<MemberLine>,
    memberships: Vec<Membership>,
    next: Option<String>,
}

/// `GET /admin/groups/{id}?after=ID`.
pub async fn show(Shared(state): Shared<State>, admin: Admin, Path(id): Path<String>) -> Response {
    let work = view(&state, &admin, &id).await;
    answer(&state, &admin, Section::Groups, work)
}

async fn view(state: &State, admin: &Admin, id: &str) -> Result<Response, Failure> {
    let missing = || Failure::Missing("There is no such group.");
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let group = state.db.group_get(id).await?.ok_or_else(missing)?;
    let after = admin.visit.only("after").and_then(|after| after.parse().ok());
    let after = after.unwrap_or(Uuid::nil());
    let (mut members, count, memberships) = tokio::try_join!(
        state.db.admin_members(id, after, PAGE + 1),
        state.db.admin_members_count(id, MOST_COUNTED + 1),
        state.db.admin_memberships(id, Uuid::nil(), MOST_MEMBERSHIPS),
    )?;
    let base = state.base_url.as_str();
    let next = super::cut(&mut members, PAGE).map(|last| format!("{base}/admin/groups/{id}?after={}", last.id));
    let count = if count > i64::from(MOST_COUNTED) {
        format!("more than {MOST_COUNTED}")
    } else {
        count.to_string()
    };
    let attributes = shown::present([
        ("POSIX name", group.posix_name.clone()),
        ("gid", group.gid.to_string()),
        ("Members", count),
        ("externalId", shown::text(&group.doc, "externalId").to_owned()),
        ("SCIM id", id.to_string()),
        ("Made", shown::time(group.created)),
        ("Changed", shown::time(group.last_modified)),
    ]);
    let group = Group {
        frame: Frame::new(state, admin, Section::Groups),
        display_name: shown::text(&group.doc, "displayName"),
        attributes,
        members,
        memberships,
        next,
    };
    Ok(page(StatusCode::OK, &group, None))
}
