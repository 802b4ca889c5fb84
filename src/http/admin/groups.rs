//! `GET /admin/groups`: finding a group.

use askama::Template;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;

use super::Admin;
use super::frame::{Failure, Frame, Section, answer};
use super::place;
use crate::db::admin_pages::GroupLine;
use crate::http::login::percent_encode;
use crate::http::pages::page;
use crate::http::state::State;

/// Groups on a page.
const PAGE: i32 = 50;

/// Attributes that a search goes through: displayName, POSIX name, gid.
const STAGES: i32 = 3;

#[derive(Template)]
#[template(path = "admin/groups.html")]
struct Groups<'a> {
    frame: Frame<'a>,
    q: &'a str,
    rows: Vec<GroupLine>,
    next: Option<String>,
}

/// `GET /admin/groups?q=TEXT&after=PLACE`.
pub async fn list(Shared(state): Shared<State>, admin: Admin) -> Response {
    let work = view(&state, &admin).await;
    answer(&state, &admin, Section::Groups, work)
}

async fn view(state: &State, admin: &Admin) -> Result<Response, Failure> {
    let wanted = place::wanted(admin.visit.only("q"));
    let from = place::decode(admin.visit.only("after"), STAGES);
    let found = state.db.admin_groups_find(&wanted, &from, PAGE).await?;
    let base = state.base_url.as_str();
    let next = found.next.as_ref().map(|next| {
        let (q, after) = (percent_encode(&wanted.text), place::encode(next));
        format!("{base}/admin/groups?q={q}&after={after}")
    });
    let groups = Groups {
        frame: Frame::new(state, admin, Section::Groups),
        q: &wanted.text,
        rows: found.rows,
        next,
    };
    Ok(page(StatusCode::OK, &groups, None))
}
