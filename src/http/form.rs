//! Reading the form of a browser: media type, size, UTF-8.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, Limited};

use super::scim_request::form_pairs;

/// Why there is no form, in words that complete the name of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// Another media type.
    #[error("is no form")]
    NoForm,
    /// More bytes than are read, or the connection broke.
    #[error("is too large or ended early")]
    TooLarge,
    /// Other bytes than UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
}

/// The fields of a form (WHATWG URL §5.1).
#[derive(Debug)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form of at most `limit` bytes.
    pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Self, FormFault> {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(FormFault::NoForm);
        }
        let read = Limited::new(body, limit).collect().await;
        let bytes = read.map_err(|_| FormFault::TooLarge)?.to_bytes();
        let text = std::str::from_utf8(&bytes).map_err(|_| FormFault::NotUtf8)?;
        Ok(Self(form_pairs(text).collect()))
    }

    /// The only field of that name; `None` also when it comes twice.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    /// Every field of that name, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}
