//! Answers: SCIM documents, SCIM errors, and the one table from `Error` to them.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::Error;
use crate::scim::error::{ScimError, ScimType};
use crate::telemetry::metrics::METRICS;

/// The media type of SCIM (RFC 7644 §8.1).
pub const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// An answer other than success, with what HTTP needs beside the SCIM error body.
#[derive(Debug)]
pub struct Refused {
    /// Status, `scimType` and detail.
    pub error: ScimError,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
}

/// What was answered, for the request log: put into the answer's extensions.
#[derive(Debug, Clone)]
pub struct Reason {
    /// `scimType`.
    pub scim_type: Option<&'static str>,
    /// The detail.
    pub detail: String,
}

impl From<ScimError> for Refused {
    fn from(error: ScimError) -> Self {
        Self {
            error,
            retry_after: None,
        }
    }
}

/// The one table from what the layers below raise to a SCIM error.
impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let mut retry_after = None;
        let with = |status, scim_type: Option<ScimType>, text: String| ScimError::new(status, scim_type, text);
        let about = |message: &str, subject: &str| {
            if subject.is_empty() {
                message.to_owned()
            } else {
                format!("{subject}: {message}")
            }
        };
        let error = match error {
            Error::Taken { message, subject } | Error::Reserved { message, subject } => {
                with(409, Some(ScimType::Uniqueness), about(&message, &subject))
            }
            Error::InUse { .. } => with(409, None, text),
            Error::NotFound { .. } => with(404, None, text),
            Error::VersionMismatch { .. } => with(412, None, text),
            Error::Contended => {
                retry_after = Some(1);
                with(503, None, text)
            }
            Error::PoolExhausted { .. } => with(507, None, text),
            Error::InvalidCursor => with(400, Some(ScimType::InvalidCursor), text),
            Error::InvalidValue { message, subject } | Error::DanglingReference { message, subject } => {
                with(400, Some(ScimType::InvalidValue), about(&message, &subject))
            }
            Error::Brake { .. } => {
                retry_after = Some(600);
                with(429, None, text)
            }
            Error::TooMuchWork => with(400, Some(ScimType::TooMany), text),
            Error::Unavailable { retry_after: pause } => {
                retry_after = Some(pause.as_secs().max(1));
                with(503, None, text)
            }
            Error::Internal(reason) => {
                tracing::error!(%reason, "a request failed");
                with(
                    500,
                    None,
                    "the service has met a defect; its log says more under the request id".into(),
                )
            }
        };
        Self { error, retry_after }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let keyword = self.error.scim_type.map(ScimType::as_str);
        METRICS
            .scim_errors
            .with_label_values(&[keyword.unwrap_or("none")])
            .inc();
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = scim(status, &self.error.body());
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(r#"Bearer realm="rollcall", error="invalid_token""#),
            );
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Reason {
            scim_type: keyword,
            detail: self.error.detail,
        });
        response
    }
}

/// An answer with a SCIM body.
pub fn scim(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => scim_bytes(status, bytes),
        Err(error) => Refused::from(Error::Internal(error.to_string())).into_response(),
    }
}

/// An answer whose SCIM body is ready.
pub fn scim_bytes(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(CONTENT_TYPE, SCIM_JSON)], body.into()).into_response()
}

/// Adds `ETag` and, for what was created, `Location` (RFC 7644 §3.1, §3.14).
pub fn mark(headers: &mut HeaderMap, etag: &str, location: Option<&str>) {
    if let Ok(value) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, value);
    }
    if let Some(value) = location.and_then(|location| HeaderValue::from_str(location).ok()) {
        headers.insert(LOCATION, value);
    }
}
