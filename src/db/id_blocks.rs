//! Blocks of numbers that are kept for something else.

use serde::Serialize;
use tokio_postgres::types::{Json, Type};

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;

/// A block of numbers that is not given by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdBlock {
    /// Its lowest number.
    pub first: i64,
    /// Its highest number.
    pub last: i64,
    /// Whether its numbers are refused to whoever asks for one, too.
    pub hard: bool,
    /// For people.
    pub reason: String,
    /// Whether the site made it; the others ship.
    pub by_site: bool,
}

impl Database {
    /// `api.id_blocks`: every block, by number.
    pub async fn id_blocks(&self) -> Result<Vec<IdBlock>, Error> {
        let rows = self.read("id_blocks", "select * from api.id_blocks()", &[]).await?;
        let blocks = rows.iter().map(|row| IdBlock {
            first: row.get("first"),
            last: row.get("last"),
            hard: row.get("hard"),
            reason: row.get("reason"),
            by_site: row.get("by_site"),
        });
        Ok(blocks.collect())
    }

    /// `api.id_block_reserve`: keeps a block for the site. Returns `create`, `change` or `keep`; with `dry_run` nothing is written.
    /// Raises `InvalidValue` (no such range, one that overlaps another) and `Taken` (a hard one with numbers that somebody holds).
    pub async fn id_block_reserve(&self, block: &IdBlock, dry_run: bool, origin: &Origin) -> Result<String, Error> {
        let sql = "select api.id_block_reserve($1, $2, $3, $4, $5, $6)";
        let origin = Json(origin.value());
        let parameters = &[
            (&block.first as _, Type::INT8),
            (&block.last as _, Type::INT8),
            (&block.hard as _, Type::BOOL),
            (&block.reason as _, Type::TEXT),
            (&dry_run as _, Type::BOOL),
            (&origin as _, Type::JSONB),
        ];
        let rows = self
            .write("id_block_reserve", Repeat::Idempotent, sql, parameters)
            .await?;
        Ok(rows.first().map(|row| row.get(0)).unwrap_or_default())
    }

    /// `api.id_block_release`: gives a block of the site back. Raises `NotFound`.
    pub async fn id_block_release(&self, first: i64, last: i64, origin: &Origin) -> Result<(), Error> {
        let sql = "select api.id_block_release($1, $2, $3)";
        let origin = Json(origin.value());
        let parameters = &[
            (&first as _, Type::INT8),
            (&last as _, Type::INT8),
            (&origin as _, Type::JSONB),
        ];
        self.write("id_block_release", Repeat::Never, sql, parameters).await?;
        Ok(())
    }
}
