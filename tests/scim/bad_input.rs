//! What no well-behaved client sends: a precise error, nothing changed, the service alive, its memory bounded.

mod bodies;
mod connections;
mod large_bodies;
mod media_types;
mod operations;

use reqwest::Method;

use crate::harness::client::{Answer, Scim};

/// POST of bytes that need not be JSON.
async fn post(scim: &Scim, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = scim
        .request(Method::POST, path)
        .header("content-type", "application/scim+json")
        .body(body);
    scim.send(request).await
}
