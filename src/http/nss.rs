//! `/nss/v1`: what nodes read (nss/CONTRACT.md).

use std::time::{Duration, Instant};

use axum::extract::{OriginalUri, Request, State as Shared};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use moka::sync::Cache;
use serde_json::json;
use uuid::Uuid;

use super::authenticate::{Caller, Refusal};
use super::listener::Peer;
use super::scim_request::form_pairs;
use super::state::State;
use crate::db::nss::{Key, Position, Record, Source};
use crate::error::Error;
use crate::telemetry::metrics::METRICS;
use crate::tokens::Scope;

/// Records on a page when the node does not say.
const DEFAULT_LIMIT: i32 = 1_000;

/// Most records on a page.
const MAX_LIMIT: i32 = 5_000;

/// Most bytes of answers that are remembered for when no database answers.
const REMEMBERED_BYTES: u64 = 32 * 1024 * 1024;

/// How long an answer is remembered.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// Longest name that is looked up, in bytes.
const MAX_NAME: usize = 255;

/// What nodes were told last: single records that were found, never shadow entries.
pub struct LastAnswers(Cache<String, (Instant, String)>);

impl LastAnswers {
    /// Remembers nothing yet.
    #[expect(clippy::new_without_default, reason = "it is made once, and says so")]
    pub fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(REMEMBERED_BYTES)
                .weigher(|key: &String, (_, body): &(Instant, String)| {
                    u32::try_from(key.len() + body.len() + 128).unwrap_or(u32::MAX)
                })
                .time_to_live(REMEMBERED_FOR)
                .build(),
        )
    }
}

/// A refusal in the contract's words.
struct Refused(StatusCode, &'static str, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, word, message) = self;
        let body = json!({"error": word, "message": message}).to_string();
        let mut response = (status, [(CONTENT_TYPE, "application/json")], body).into_response();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response
                .headers_mut()
                .insert(RETRY_AFTER, axum::http::HeaderValue::from_static("2"));
        }
        response
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable { .. } | Error::TooMuchWork => unavailable(),
            other => {
                tracing::error!(error = %other, "a node's read failed");
                Self(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "unavailable",
                    "the service has met a defect".into(),
                )
            }
        }
    }
}

fn unavailable() -> Refused {
    Refused(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "no database answers".into(),
    )
}

fn bad_request(message: &str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, "bad_request", message.into())
}

/// Lets a request in if its token may read for nodes.
pub async fn admit(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer(None));
    match state.tokens.authenticate(request.headers(), peer, &state.db).await {
        Ok(caller) if caller.may(&[Scope::NssUser, Scope::NssAdmin]) => {
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
        let (changes, source) = state.db.nss_changes(position, query.limit()?).await?;
        let changes = changes.ok_or_else(gone)?;
        let parts = [
            ("epoch", format!("\"{}\"", changes.position.epoch)),
            ("cursor", format!("\"{}\"", print_position(changes.position))),
            ("more", changes.more.to_string()),
            ("changes", changes.changes),
        ];
        Ok(found(&parts, source))
    })
    .await
}

async fn respond(work: impl Future<Output = Result<Response, Refused>>) -> Response {
    work.await.unwrap_or_else(IntoResponse::into_response)
}

/// A record from the database, else from memory, marked stale.
fn record(state: &State, uri: &Uri, name: &str, fresh: Result<(Record, Source), Error>) -> Result<Response, Refused> {
    let key = uri.path_and_query().map_or("", |target| target.as_str());
    match fresh {
        Ok((record, source)) => {
            match &record {
                Some(record) => state
                    .last_answers
                    .0
                    .insert(key.to_owned(), (Instant::now(), record.clone())),
                None => state.last_answers.0.invalidate(key),
            }
            Ok(answer(name, record, source))
        }
        Err(Error::Unavailable { .. } | Error::TooMuchWork) => {
            let remembered = state.last_answers.0.get(key);
            let result = if remembered.is_some() { "stale" } else { "miss" };
            METRICS.cache_requests.with_label_values(&["nss", result]).inc();
            let (told_at, record) = remembered.ok_or_else(unavailable)?;
            Ok(answer(
                name,
                Some(record),
                Source {
                    age: told_at.elapsed(),
                    stale: true,
                },
            ))
        }
        Err(other) => Err(other.into()),
    }
}

fn answer(name: &str, record: Record, source: Source) -> Response {
    if let Some(record) = record {
        found(&[(name, record)], source)
    } else {
        let body = format!("{{\"error\":\"not_found\",\"age_ms\":{}}}", source.age.as_millis());
        let head = [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "private, max-age=5, stale-if-error=5"),
        ];
        (StatusCode::NOT_FOUND, head, body).into_response()
    }
}

/// The envelope around parts that are JSON already; empty parts are left out.
fn found(parts: &[(&str, String)], source: Source) -> Response {
    let size: usize = parts.iter().map(|(_, json)| json.len() + 32).sum();
    let mut body = String::with_capacity(size + 64);
    body.extend(["{\"age_ms\":", &source.age.as_millis().to_string()]);
    if source.stale {
        body.push_str(",\"stale\":true");
    }
    for (name, json) in parts.iter().filter(|(_, json)| !json.is_empty()) {
        body.extend([",\"", name, "\":", json]);
    }
    body.push('}');
    let head = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "private, max-age=60, stale-if-error=86400"),
    ];
    (StatusCode::OK, head, body).into_response()
}

fn text(id: Option<Uuid>) -> String {
    id.map(|id| format!("\"{id}\"")).unwrap_or_default()
}

fn gone() -> Refused {
    Refused(
        StatusCode::GONE,
        "cursor_gone",
        "start afresh from /nss/v1/snapshot".into(),
    )
}

fn print_position(position: Position) -> String {
    format!("{}.{}.{}", position.epoch, position.id, position.ordinal)
}

fn parse_position(text: &str) -> Option<Position> {
    let mut parts = text.split('.');
    let position = Position {
        epoch: parts.next()?.parse().ok()?,
        id: parts.next()?.parse().ok()?,
        ordinal: parts.next()?.parse().ok()?,
    };
    (parts.next().is_none() && position.id >= 0 && position.ordinal >= 0).then_some(position)
}

/// Which of the two tables a walk is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Users,
    Groups,
}

fn parse_phase(text: &str) -> Option<(Phase, Option<Uuid>)> {
    let (phase, id) = match text.split_at_checked(1)? {
        ("u", id) => (Phase::Users, id),
        ("g", id) => (Phase::Groups, id),
        _ => return None,
    };
    let id = if id.is_empty() { None } else { Some(id.parse().ok()?) };
    Some((phase, id))
}

/// A decoded query string with known names, each given once.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(uri: &Uri, known: &[&str]) -> Result<Self, Refused> {
        let pairs: Vec<_> = form_pairs(uri.query().unwrap_or_default()).collect();
        let stray = pairs.iter().enumerate().any(|(at, (key, _))| {
            !known.contains(&key.as_str()) || pairs.iter().skip(at + 1).any(|(other, _)| other == key)
        });
        if stray {
            return Err(bad_request("unknown or repeated parameter"));
        }
        Ok(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn name(&self) -> Result<&str, Refused> {
        match self.get("name") {
            Some(name) if !name.is_empty() && name.len() <= MAX_NAME && !name.contains('\0') => Ok(name),
            _ => Err(bad_request("name must have 1 to 255 bytes")),
        }
    }

    /// The one key that is given; `None` for an enumeration.
    fn key(&self, number: &str) -> Result<Option<Key>, Refused> {
        match (self.get("name"), self.get(number)) {
            (Some(_), Some(_)) => Err(bad_request(&format!("give one of name and {number}"))),
            (Some(_), None) => Ok(Some(Key::Name(self.name()?.to_owned()))),
            (None, Some(digits)) => {
                let plain = !digits.is_empty() && digits.len() <= 10 && digits.bytes().all(|b| b.is_ascii_digit());
                let value = if plain { digits.parse().ok() } else { None };
                Ok(Some(Key::Number(
                    value.ok_or_else(|| bad_request(&format!("{number} must be a number")))?,
                )))
            }
            (None, None) => Ok(None),
        }
    }

    fn after(&self) -> Result<Option<Uuid>, Refused> {
        let parse = |text: &str| text.parse().map_err(|_| bad_request("after is not of this service"));
        self.get("after").map(parse).transpose()
    }

    fn phase(&self) -> Result<(Phase, Option<Uuid>), Refused> {
        let parse = |text| parse_phase(text).ok_or_else(|| bad_request("after is not of this service"));
        self.get("after").map_or(Ok((Phase::Users, None)), parse)
    }

    fn limit(&self) -> Result<i32, Refused> {
        match self.get("limit").map(str::parse::<u32>) {
            None => Ok(DEFAULT_LIMIT),
            Some(Ok(limit)) if limit > 0 => Ok(i32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
            _ => Err(bad_request("limit must be a number above 0")),
        }
    }
}
