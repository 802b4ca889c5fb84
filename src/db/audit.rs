//! Who causes a change, and reading back what was changed.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::pool::Database;
use crate::error::Error;

/// Who causes a change, by which way: `p_audit` of the contract.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The token's public id, the sign-in provider, or the operating system's user of the command line.
    pub actor: String,
    /// `scim`, `login`, `cli` or `import`.
    pub path: &'static str,
    /// The request's id, for finding its log lines.
    pub request_id: String,
    /// The address the request came from.
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
#[derive(Debug, Clone, serde::Serialize)]
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
    /// The address it came from.
    pub origin: Option<String>,
    /// Ids and technical fields before and after; never personal values.
    pub detail: Value,
}

/// Which entries of the audit log.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this resource alone.
    pub subject: Option<Uuid>,
    /// Of this actor alone.
    pub actor: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// With a lower number than this.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i32,
}

impl Database {
    /// `api.audit_list`: entries, newest first.
    pub async fn audit_list(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, Error> {
        let rows = self
            .read(
                "audit_list",
                "select * from api.audit_list($1, $2, $3, $4, $5)",
                &[
                    (&filter.subject, Type::UUID),
                    (&filter.actor, Type::TEXT),
                    (&filter.since, Type::TIMESTAMPTZ),
                    (&filter.before, Type::INT8),
                    (&filter.limit, Type::INT4),
                ],
            )
            .await?;
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
}
