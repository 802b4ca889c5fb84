//! A sign-in under way: remembered in the database for ten minutes, bound to the browser by a cookie, good for one end on
//! any replica.

use std::time::Duration;

use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Visit;
use super::cookies::Cookie;
use crate::http::state::State;
use crate::login::sessions::{hash_of, random_id};
use crate::login::{Reason, Refusal};

/// How long a person may take at the provider.
const LIFETIME: Duration = Duration::from_mins(10);

/// Characters of a browser's cookie.
const COOKIE_CHARACTERS: usize = 43;

/// Longest state that is looked up, in bytes.
const STATE_BYTES: usize = 512;

/// Remembers a sign-in that is known by `state` and makes `response` carry the cookie that binds it to the browser.
pub async fn begin<T: Serialize>(
    service: &State,
    visit: &Visit,
    cookie: Cookie,
    provider: &str,
    state: &str,
    detail: &T,
    mut response: Response,
) -> Result<Response, Refusal> {
    let is_https = service.base_url.is_https();
    // One id for all sign-ins that the browser begins at the same time, in several tabs for example.
    let kept = cookie
        .read(visit.headers(), is_https)
        .filter(|id| id.len() == COOKIE_CHARACTERS);
    let browser = kept.unwrap_or_else(random_id);
    let detail = serde_json::to_value(detail)
        .map_err(|error| Refusal::new(Reason::Internal, format!("a sign-in cannot be remembered: {error}")))?;
    service
        .db
        .login_begin(hash_of(state), hash_of(&browser), provider, &detail, LIFETIME)
        .await?;
    cookie.set(response.headers_mut(), &browser, LIFETIME, is_https);
    Ok(response)
}

/// Takes the sign-in known by `state` away. Raises `unknown_transaction` when there is none, it is another browser's, was
/// ended before, or is too old.
pub async fn finish<T: DeserializeOwned>(
    service: &State,
    visit: &Visit,
    cookie: Cookie,
    provider: &str,
    state: Option<&str>,
) -> Result<T, Refusal> {
    let unknown = |detail: &str| Refusal::new(Reason::UnknownTransaction, detail);
    let state = state.filter(|state| !state.is_empty() && state.len() <= STATE_BYTES);
    let state = state.ok_or_else(|| unknown("the state is missing, doubled or very long"))?;
    let browser = cookie
        .read(visit.headers(), service.base_url.is_https())
        .ok_or_else(|| unknown("the browser has no cookie of a sign-in"))?;
    let detail = service
        .db
        .login_finish(hash_of(state), hash_of(&browser), provider)
        .await?;
    let detail = detail.ok_or_else(|| unknown("the state is unknown, another browser's, used before or too old"))?;
    serde_json::from_value(detail)
        .map_err(|error| Refusal::new(Reason::Internal, format!("a sign-in cannot be read back: {error}")))
}
