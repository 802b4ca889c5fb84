//! Answers of the read API: the envelope, the refusals, and what is remembered for when no database answers.

use std::time::{Duration, Instant};

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use moka::sync::Cache;
use serde_json::json;
use uuid::Uuid;

use crate::db::nss::{Record, Source};
use crate::error::Error;
use crate::http::state::State;
use crate::telemetry::metrics::METRICS;

/// Most bytes of answers that are remembered for when no database answers.
const REMEMBERED_BYTES: u64 = 32 * 1024 * 1024;

/// How long an answer is remembered.
const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// `Cache-Control` of what was found (RFC 9111 §5.2.2).
const MAY_BE_KEPT: &str = "private, max-age=60, stale-if-error=86400";

/// The `max-age` in it: no node keeps an answer longer while the service can be asked, whatever its `cache-ttl-s`.
pub const MAX_AGE_SECONDS: i32 = 60;

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
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str, pub(super) String);

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

pub(super) fn unavailable() -> Refused {
    Refused(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "no database answers".into(),
    )
}

pub(super) fn bad_request(message: &str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, "bad_request", message.into())
}

/// A record from the database, else from memory, marked stale.
pub(super) fn record(
    state: &State,
    uri: &Uri,
    name: &str,
    fresh: Result<(Record, Source), Error>,
) -> Result<Response, Refused> {
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

pub(super) fn answer(name: &str, record: Record, source: Source) -> Response {
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
pub(super) fn found(parts: &[(&str, impl AsRef<str>)], source: Source) -> Response {
    let parts = || parts.iter().map(|(name, json)| (*name, json.as_ref()));
    let size: usize = parts().map(|(_, json)| json.len() + 32).sum();
    let mut body = String::with_capacity(size + 64);
    body.extend(["{\"age_ms\":", &source.age.as_millis().to_string()]);
    if source.stale {
        body.push_str(",\"stale\":true");
    }
    for (name, json) in parts().filter(|(_, json)| !json.is_empty()) {
        body.extend([",\"", name, "\":", json]);
    }
    body.push('}');
    let head = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, MAY_BE_KEPT)];
    (StatusCode::OK, head, body).into_response()
}

pub(super) fn text(id: Option<Uuid>) -> String {
    id.map(|id| format!("\"{id}\"")).unwrap_or_default()
}

pub(super) fn gone() -> Refused {
    Refused(
        StatusCode::GONE,
        "cursor_gone",
        "start afresh from /nss/v1/snapshot".into(),
    )
}
