//! Reading a SCIM request body: media type, size, depth, UTF-8, and that it is a JSON object.

mod lean;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use lean::Lean;
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::admission::{Door, Place};
use super::respond::Refused;
use super::state::State;
use crate::scim::error::ScimError;
use crate::scim::limits;

/// A body that has been read, with its place behind the door and among the large ones for as long as it is held.
pub struct Json {
    /// The object.
    pub object: Map<String, Value>,
    /// The text, for the request log.
    pub bytes: bytes::Bytes,
    _large: Option<OwnedSemaphorePermit>,
    _place: Place,
}

/// How much of `request-timeout` a body may take to arrive, its wait for a place included; the rest is for the work. The
/// answer is given while somebody waits for it, and a client that stalls keeps its place no longer.
const ARRIVAL: f64 = 0.8;

/// Reads the body of a request that changes something, of at most `limit` bytes. A body above `scim-body-limit` first takes one of
/// a few places. The door is passed once it has arrived: whoever sends slowly keeps no place from others.
///
/// Raises 503 when the wait for a place is over, 408 when the body does not arrive in time, 413 when it is too large.
pub async fn read(state: &State, headers: &HeaderMap, body: Body, limit: usize) -> Result<Json, Refused> {
    read_at(&state.admission.changes, state, headers, body, limit).await
}

/// The same for a request that searches (RFC 7644 §3.4.3).
pub async fn read_search(state: &State, headers: &HeaderMap, body: Body) -> Result<Json, Refused> {
    let limit = state.config.scim.body_limit;
    read_at(&state.admission.reads, state, headers, body, limit).await
}

/// The same at another door.
pub async fn read_at(
    door: &Door,
    state: &State,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Json, Refused> {
    check_media_type(headers)?;
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let usual = state.config.scim.body_limit;
    let is_large = limit > usual && announced.is_none_or(|length| length > usual);
    let deadline = Instant::now() + state.config.limits.request_timeout.mul_f64(ARRIVAL);
    let large = if is_large {
        let place = timeout_at(deadline, state.large_bodies.clone().acquire_owned()).await;
        Some(place.ok().and_then(Result::ok).ok_or_else(no_place)?)
    } else {
        None
    };
    let arrived = timeout_at(deadline, Limited::new(body, limit).collect()).await;
    let bytes = arrived
        .map_err(|_| ScimError::new(408, None, "the request body did not arrive in time"))?
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                too_large(limit)
            } else {
                ScimError::invalid_syntax("the request body ended early").into()
            }
        })?;
    let bytes = bytes.to_bytes();
    limits::check_values(&bytes, most_values(bytes.len(), limit > usual))?;
    // Before it is taken apart: who waits holds the text alone, and who is refused has cost little.
    let place = door.enter().await?;
    Ok(Json {
        object: parse(&bytes)?,
        bytes,
        _large: large,
        _place: place,
    })
}

/// Most JSON values that a body of `length` bytes may hold.
fn most_values(length: usize, may_be_large: bool) -> usize {
    if may_be_large {
        (length / limits::JSON_VALUE_BYTES).clamp(limits::JSON_VALUES, limits::LARGE_JSON_VALUES)
    } else {
        limits::JSON_VALUES
    }
}

fn no_place() -> Refused {
    Refused {
        error: ScimError::new(503, None, "too many large requests are being read; try again"),
        retry_after: Some(2),
    }
}

/// The object in `bytes`; raises `invalidSyntax` with the place of the fault.
pub fn parse(bytes: &[u8]) -> Result<Map<String, Value>, ScimError> {
    limits::check_depth(bytes)?;
    if std::str::from_utf8(bytes).is_err() {
        return Err(ScimError::invalid_syntax("the request body is not UTF-8"));
    }
    match serde_json::from_slice(bytes) {
        Ok(Lean(Value::Object(object))) => Ok(object),
        Ok(_) => Err(ScimError::invalid_syntax("the request body must be a JSON object")),
        Err(error) => Err(ScimError::invalid_syntax(format!(
            "the request body is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), ScimError> {
    let unsupported = |detail: &str| ScimError::new(415, None, detail);
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(unsupported("compressed request bodies are not supported"));
    }
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parts = value.split(';');
    let kind = parts.next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/scim+json") && !kind.eq_ignore_ascii_case("application/json") {
        return Err(unsupported(
            "the request body must be application/scim+json or application/json",
        ));
    }
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("charset") && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        {
            return Err(unsupported("the request body must be UTF-8"));
        }
    }
    Ok(())
}

fn too_large(limit: usize) -> Refused {
    ScimError::too_large(format!("the request body is larger than {limit} bytes")).into()
}
