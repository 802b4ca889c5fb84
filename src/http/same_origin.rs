//! Whether a browser says that a request comes from one of our own pages (Fetch Metadata, RFC 6454).

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who sent a request, as far as the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A page of ours, or the person himself.
    Ours,
    /// A page of another site, or one that hides where it is from.
    Foreign,
    /// It does not say: an old browser, or none at all.
    Unknown,
}

/// Who sent a request to the service at `base`.
pub fn sender(headers: &HeaderMap, base: &str) -> Sender {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return ours(site == "same-origin" || site == "none");
    }
    match headers.get(ORIGIN).map(|origin| origin.to_str()) {
        None => Sender::Unknown,
        Some(Ok(origin)) => ours(base == origin || base.starts_with(&format!("{origin}/"))),
        Some(Err(_)) => Sender::Foreign,
    }
}

fn ours(yes: bool) -> Sender {
    if yes { Sender::Ours } else { Sender::Foreign }
}
