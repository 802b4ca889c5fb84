//! `/nss/v1`: what nodes read (nss/CONTRACT.md).

mod answer;
mod feed;
mod nodes;
mod query;

use axum::extract::{OriginalUri, Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

pub use answer::LastAnswers;
pub use answer::MAX_AGE_SECONDS;
use answer::{Refused, answer, bad_request, found, gone, record, text, unavailable};
pub use feed::FeedAnswers;
pub use nodes::Nodes;
use query::{Phase, Query, parse_phase, parse_position, print_position};

use super::authenticate::{Caller, Refusal};
use super::listener::Peer;
use super::state::State;
use crate::tokens::Scope;

/// Lets a request in if its token may read for nodes.
pub async fn admit(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer(None));
    match state.tokens.authenticate(request.headers(), peer, &state.db).await {
        Ok(caller) if caller.may(&[Scope::NssUser, Scope::NssAdmin]) => {
            state.nodes.note(request.headers(), peer);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(_) => Refused(
            StatusCode::FORBIDDEN,
            "forbidden",
            "this token lacks the scope nss-user".into(),
        )
        .into_response(),
        Err(Refusal::CannotKnow) => unavailable().into_response(),
        Err(Refusal::Unauthorized) => {
            let message = "the bearer token is missing, unknown, expired or revoked";
            let mut response = Refused(StatusCode::UNAUTHORIZED, "unauthorized", message.into()).into_response();
            let challenge = axum::http::HeaderValue::from_static(r#"Bearer realm="rollcall""#);
            response
                .headers_mut()
                .insert(axum::http::header::WWW_AUTHENTICATE, challenge);
            response
        }
    }
}

/// `GET /passwd`.
pub async fn passwd(Shared(state): Shared<State>, OriginalUri(uri): OriginalUri) -> Response {
    respond(async {
        let query = Query::parse(&uri, &["name", "uid", "after", "limit"])?;
        if let Some(key) = query.key("uid")? {
            let fresh = state.db.nss_passwd(&key).await;
            record(&state, &uri, "passwd", fresh)
        } else {
            let (page, source) = state.db.nss_users_page(query.after()?, query.limit()?, false).await?;
            Ok(found(&[("entries", page.entries), ("next", text(page.next))], source))
        }
    })
    .await
}

/// `GET /group`.
pub async fn group(Shared(state): Shared<State>, OriginalUri(uri): OriginalUri) -> Response {
    respond(async {
        let query = Query::parse(&uri, &["name", "gid", "after", "limit"])?;
        if let Some(key) = query.key("gid")? {
            let fresh = state.db.nss_group(&key).await;
            return record(&state, &uri, "group", fresh);
        }
        let (phase, after) = query.phase()?;
        if phase == Phase::Groups {
            let (page, source) = state.db.nss_groups_page(after, query.limit()?, true).await?;
            let next = page.next.map(|id| format!("\"g{id}\"")).unwrap_or_default();
            return Ok(found(&[("entries", page.entries), ("next", next)], source));
        }
        let (page, source) = state.db.nss_users_page(after, query.limit()?, false).await?;
        let next = page.next.map_or_else(|| "\"g\"".to_owned(), |id| format!("\"u{id}\""));
        Ok(found(&[("entries", page.private_groups), ("next", next)], source))
    })
    .await
}

/// `GET /shadow`.
pub async fn shadow(
    Shared(state): Shared<State>,
    OriginalUri(uri): OriginalUri,
    axum::Extension(caller): axum::Extension<Caller>,
) -> Response {
    respond(async {
        if !caller.may(&[Scope::NssAdmin]) {
            let message = "this token lacks the scope nss-admin";
            return Err(Refused(StatusCode::FORBIDDEN, "forbidden", message.into()));
        }
        let query = Query::parse(&uri, &["name"])?;
        let (shadow, source) = state.db.nss_shadow(query.name()?).await?;
        Ok(answer("shadow", shadow, source))
    })
    .await
}

/// `GET /initgroups`.
pub async fn initgroups(Shared(state): Shared<State>, OriginalUri(uri): OriginalUri) -> Response {
    respond(async {
        let query = Query::parse(&uri, &["name"])?;
        let fresh = state.db.nss_initgroups(query.name()?).await;
        record(&state, &uri, "initgroups", fresh)
    })
    .await
}

/// `GET /user`: the login bundle.
pub async fn user(
    Shared(state): Shared<State>,
    OriginalUri(uri): OriginalUri,
    axum::Extension(caller): axum::Extension<Caller>,
) -> Response {
    respond(async {
        let query = Query::parse(&uri, &["name", "uid"])?;
        let key = query
            .key("uid")?
            .ok_or_else(|| bad_request("give one of name and uid"))?;
        if caller.may(&[Scope::NssAdmin]) {
            let (user, source) = state.db.nss_user(&key, true).await?;
            return Ok(answer("user", user, source));
        }
        let fresh = state.db.nss_user(&key, false).await;
        record(&state, &uri, "user", fresh)
    })
    .await
}

/// `GET /snapshot`: users with their private groups, then groups. The cursor of the feed is taken before the first page
/// and travels in `next`.
pub async fn snapshot(Shared(state): Shared<State>, OriginalUri(uri): OriginalUri) -> Response {
    respond(async {
        let query = Query::parse(&uri, &["after", "limit"])?;
        let (position, place) = match query.get("after") {
            None => (state.db.nss_feed_position().await?.0, "u".to_owned()),
            Some(text) => {
                let (cursor, place) = text.split_once('~').ok_or_else(gone)?;
                (parse_position(cursor).ok_or_else(gone)?, place.to_owned())
            }
        };
        let (phase, after) = parse_phase(&place).ok_or_else(gone)?;
        let limit = query.limit()?;
        let cursor = print_position(position);
        let next_in = |phase: char, id: Option<Uuid>| {
            format!(
                "\"{cursor}~{phase}{}\"",
                id.map(|id| id.to_string()).unwrap_or_default()
            )
        };
        let (users, groups, next, source) = match phase {
            Phase::Users => {
                let (page, source) = state.db.nss_users_page(after, limit, true).await?;
                let next = page
                    .next
                    .map_or_else(|| next_in('g', None), |id| next_in('u', Some(id)));
                (page.entries, page.private_groups, next, source)
            }
            Phase::Groups => {
                let (page, source) = state.db.nss_groups_page(after, limit, false).await?;
                let next = page.next.map(|id| next_in('g', Some(id))).unwrap_or_default();
                ("[]".to_owned(), page.entries, next, source)
            }
        };
        let parts = [
            ("epoch", format!("\"{}\"", position.epoch)),
            ("cursor", format!("\"{cursor}\"")),
            ("users", users),
            ("groups", groups),
            ("next", next),
        ];
        Ok(found(&parts, source))
    })
    .await
}

/// `GET /changes`.
pub async fn changes(Shared(state): Shared<State>, OriginalUri(uri): OriginalUri) -> Response {
    respond(async {
        let query = Query::parse(&uri, &["since", "limit"])?;
        let since = query.get("since").ok_or_else(|| bad_request("since is missing"))?;
        let position = parse_position(since).ok_or_else(gone)?;
        let answer = state.feed_answers.since(&state.db, position, query.limit()?).await?;
        let changes = answer.changes.as_ref().ok_or_else(gone)?;
        let parts = [
            ("epoch", &*format!("\"{}\"", changes.position.epoch)),
            ("cursor", &format!("\"{}\"", print_position(changes.position))),
            ("more", if changes.more { "true" } else { "false" }),
            ("changes", &changes.changes),
        ];
        Ok(found(&parts, answer.source()))
    })
    .await
}

async fn respond(work: impl Future<Output = Result<Response, Refused>>) -> Response {
    work.await.unwrap_or_else(IntoResponse::into_response)
}
