//! The last SCIM requests of each token, redacted, for `rollcall scim log`.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

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
    /// Its number; later requests have higher ones.
    pub id: i64,
    /// The token's name, as far as it is still known.
    pub token_name: Option<String>,
    /// The request.
    #[serde(flatten)]
    pub request: Request,
}

/// Which requests; what is `None` does not filter.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RequestFilter {
    /// Of this token alone: its public id or name.
    pub token: Option<String>,
    /// Whether only refused ones.
    pub failed: bool,
    /// Whether only those that were not refused.
    pub succeeded: bool,
    /// With this HTTP status alone.
    pub status: Option<u16>,
    /// About this user or group alone; of a user also what created him, and what was refused and names him.
    pub user: Option<Uuid>,
    /// Refused ones that name this userName, folded, also when nobody has it; with `user`, either.
    pub user_name_key: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    /// With a higher number than this.
    pub after: Option<i64>,
    /// With a lower number than this.
    pub before: Option<i64>,
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

    /// `api.requests_find`: at most `limit` requests, newest first.
    pub async fn requests_find(&self, filter: &RequestFilter, limit: i32) -> Result<Vec<NotedRequest>, Error> {
        let filter = serde_json::to_value(filter).map_err(|error| Error::Internal(error.to_string()))?;
        let sql = "select * from api.requests_find($1, $2)";
        let parameters = &[(&Json(&filter) as _, Type::JSONB), (&limit as _, Type::INT4)];
        let rows = self.read("requests_find", sql, parameters).await?;
        Ok(rows
            .iter()
            .map(|row| NotedRequest {
                id: row.get("id"),
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
