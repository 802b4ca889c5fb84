//! How much write-ahead log a PostgreSQL has written: what an operation makes it remember.

use anyhow::Context;
use tokio_postgres::{Client, NoTls};

/// A server whose log is watched; nothing, when none was asked for.
#[derive(Debug, Default)]
pub struct Wal(Option<Client>);

impl Wal {
    /// Connects when there is an address (libpq's form). Raises what keeps it from doing so.
    pub async fn watch(uri: Option<&str>) -> anyhow::Result<Self> {
        let Some(uri) = uri else { return Ok(Self(None)) };
        let (client, connection) = tokio_postgres::connect(uri, NoTls)
            .await
            .context("cannot connect to the PostgreSQL whose log is to be watched")?;
        // It ends when its client is dropped; what fails in it fails the queries too.
        tokio::spawn(connection);
        Ok(Self(Some(client)))
    }

    /// Bytes written so far.
    pub async fn written(&self) -> anyhow::Result<Option<i64>> {
        let Some(client) = &self.0 else { return Ok(None) };
        let sql = "select (pg_current_wal_insert_lsn() - '0/0')::bigint";
        Ok(Some(client.query_one(sql, &[]).await?.get(0)))
    }
}
