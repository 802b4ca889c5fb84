//! The nodes that ask the read API, and how long each may show what it was told.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::{Json, Type};

use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;

/// A node as it was seen last.
#[derive(Debug, Clone, Serialize)]
pub struct NodeSight {
    /// Its host name, as it says itself.
    pub name: String,
    /// For how many seconds its caches keep an answer; none where it follows the change feed.
    pub cache_ttl_s: Option<i32>,
    /// When it asked.
    pub at: Timestamp,
    /// From which address.
    pub from: String,
}

impl Database {
    /// `api.nodes_note`: who has asked, a batch at a time. A replica that knows no primary tells nobody.
    pub async fn nodes_note(&self, sights: &[NodeSight]) -> Result<(), Error> {
        if !self.has_primary {
            return Ok(());
        }
        // In a transaction of its own, which the role `read` may write in too.
        self.long_write(
            "nodes_note",
            Repeat::Idempotent,
            self.settings.statement_timeout,
            "select api.nodes_note($1)",
            &[(&Json(sights), Type::JSONB)],
        )
        .await?;
        Ok(())
    }

    /// `api.node_list`: the nodes of the last seven days, by name.
    pub async fn node_list(&self) -> Result<Vec<NodeSight>, Error> {
        let rows = self
            .trailing_read("node_list", "select * from api.node_list()", &[])
            .await?;
        Ok(rows
            .iter()
            .map(|row| NodeSight {
                name: row.get("name"),
                cache_ttl_s: row.get("cache_ttl_s"),
                at: row.get("seen_at"),
                from: row.get("seen_from"),
            })
            .collect())
    }
}
