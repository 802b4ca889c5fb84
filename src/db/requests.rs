//! The last SCIM requests of each token, redacted, for `rollcall scim log`.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::{Json, Type};

use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;

/// One answered request. Nothing in it is personal: values of the body and of the query are left out.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// The token's public id.
    pub token: String,
    /// When it was answered.
    pub at: Timestamp,
    /// Its id, as in the log and in the answer's head.
    pub request_id: String,
    /// HTTP method.
    pub method: String,
    /// Path and redacted query.
    pub target: String,
    /// HTTP status.
    pub status: u16,
    /// `scimType` of the error.
    pub scim_type: Option<String>,
    /// The exact detail given to the client.
    pub detail: Option<String>,
    /// How long it took, in microseconds.
    pub duration_us: i64,
    /// The shape of the body, without its values.
    pub body: Option<String>,
}

/// A noted request with the name of its token.
#[derive(Debug, Clone, Serialize)]
pub struct NotedRequest {
    /// The token's name, as far as it is still known.
    pub token_name: Option<String>,
    /// The request.
    #[serde(flatten)]
    pub request: Request,
}

impl Database {
    /// `api.requests_note`: appends a batch and keeps the newest `keep` of each token.
    pub async fn requests_note(&self, requests: &[Request], keep: u32) -> Result<(), Error> {
        let value = serde_json::to_value(requests).map_err(|error| Error::Internal(error.to_string()))?;
        let keep = i32::try_from(keep).unwrap_or(i32::MAX);
        self.write(
            "requests_note",
            Repeat::Never,
            "select api.requests_note($1, $2)",
            &[(&Json(&value), Type::JSONB), (&keep, Type::INT4)],
        )
        .await?;
        Ok(())
    }

    /// `api.requests_list`: newest first; of one token (public id or name), failed ones alone, at most `limit`.
    pub async fn requests_list(
        &self,
        token: Option<&str>,
        failed: bool,
        limit: i32,
    ) -> Result<Vec<NotedRequest>, Error> {
        let rows = self
            .read(
                "requests_list",
                "select * from api.requests_list($1, $2, $3)",
                &[(&token, Type::TEXT), (&failed, Type::BOOL), (&limit, Type::INT4)],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| NotedRequest {
                token_name: row.get("token_name"),
                request: Request {
                    token: row.get("token"),
                    at: row.get("at"),
                    request_id: row.get("request_id"),
                    method: row.get("method"),
                    target: row.get("target"),
                    status: u16::try_from(row.get::<_, i16>("status")).unwrap_or_default(),
                    scim_type: row.get("scim_type"),
                    detail: row.get("detail"),
                    duration_us: row.get("duration_us"),
                    body: row.get("body"),
                },
            })
            .collect())
    }
}
