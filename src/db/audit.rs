//! Who causes a change, and reading back what was changed.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::pool::Database;
use crate::error::Error;

/// Who causes a change, by which way: `p_audit` of the contract.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The token's public id, the sign-in provider, the operating system's user of the command line, or the SCIM id of an
    /// administrator at the pages.
    pub actor: String,
    /// `scim`, `login`, `cli`, `import`, `bootstrap` or `web`.
    pub path: &'static str,
    /// The request's id, for finding its log lines.
    pub request_id: String,
    /// The address the request came from; on the command line `sudo-uid:N`, the uid that sudo's environment claims.
    pub address: Option<String>,
}

impl Origin {
    /// `p_audit` of one write: made once before its first attempt, so that a repetition is known by its id.
    pub(super) fn value(&self) -> Value {
        json!({"actor": self.actor, "path": self.path, "request_id": self.request_id, "origin": self.address,
            "write": Uuid::now_v7()})
    }
}

/// One line of the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct AuditEntry {
    /// Its number; later entries have higher ones.
    pub id: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: String,
    /// By which way.
    pub path: String,
    /// `create`, `update`, `lock`, `unlock`, `delete`, `revoke` or `reseed`.
    pub action: String,
    /// `user`, `group`, `token` or `ids`.
    pub resource: String,
    /// The resource's id.
    pub subject: Option<Uuid>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// The address it came from, or `sudo-uid:N`.
    pub origin: Option<String>,
    /// Ids and technical fields before and after; never personal values.
    pub detail: Value,
}

/// Which entries of the audit log; what is `None` does not filter.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditFilter {
    /// Of this resource alone.
    pub subject: Option<Uuid>,
    /// Of this actor alone.
    pub actor: Option<String>,
    /// By this way alone: `scim`, `login`, `cli`, `import` or `web`.
    pub path: Option<String>,
    /// Of this kind alone, as `delete`.
    pub action: Option<String>,
    /// About this kind of resource alone.
    pub resource: Option<String>,
    /// Of this request alone.
    pub request_id: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    /// With a higher number than this.
    pub after: Option<i64>,
    /// With a lower number than this.
    pub before: Option<i64>,
}

/// One entry of a user's time line.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// From where it is known: `scim`, `login`, `cli`, `import` or `web`.
    pub source: String,
    /// What happened.
    pub what: String,
    /// Who caused it.
    pub actor: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// Ids and technical fields; never personal values.
    pub detail: Value,
}

impl Database {
    /// `api.audit_find`: at most `limit` entries, newest first.
    pub async fn audit_find(&self, filter: &AuditFilter, limit: i32) -> Result<Vec<AuditEntry>, Error> {
        let filter = serde_json::to_value(filter).map_err(|error| Error::Internal(error.to_string()))?;
        let sql = "select * from api.audit_find($1, $2)";
        let parameters = &[(&Json(&filter) as _, Type::JSONB), (&limit as _, Type::INT4)];
        let rows = self.read("audit_find", sql, parameters).await?;
        Ok(rows
            .iter()
            .map(|row| AuditEntry {
                id: row.get("id"),
                at: row.get("at"),
                actor: row.get("actor"),
                path: row.get("path"),
                action: row.get("action"),
                resource: row.get("resource"),
                subject: row.get("subject"),
                request_id: row.get("request_id"),
                origin: row.get("origin"),
                detail: row.get("detail"),
            })
            .collect())
    }

    /// `api.user_history`: what has happened to a user since a time, oldest first, at most the newest `limit` entries.
    pub async fn user_history(&self, id: Uuid, since: Timestamp, limit: i32) -> Result<Vec<HistoryEntry>, Error> {
        let sql = "select * from api.user_history($1, $2, $3)";
        let parameters = &[
            (&id as _, Type::UUID),
            (&since as _, Type::TIMESTAMPTZ),
            (&limit as _, Type::INT4),
        ];
        let rows = self.read("user_history", sql, parameters).await?;
        let entries = rows.iter().map(|row| HistoryEntry {
            at: row.get("at"),
            source: row.get("source"),
            what: row.get("what"),
            actor: row.get("actor"),
            request_id: row.get("request_id"),
            detail: row.get("detail"),
        });
        Ok(entries.collect())
    }

    /// `api.user_find_former`: the id behind a userName (folded) or a POSIX name, of a deleted user too.
    pub async fn user_find_former(&self, user_name_key: &str, posix_name: &str) -> Result<Option<Uuid>, Error> {
        let sql = "select api.user_find_former($1, $2)";
        let parameters = &[(&user_name_key as _, Type::TEXT), (&posix_name as _, Type::TEXT)];
        let rows = self.read("user_find_former", sql, parameters).await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }
}
