//! What a PostgreSQL has done: write-ahead log and rows, from its own counters; what an operation costs it besides CPU.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, NoTls};

/// A database whose counters are watched; nothing, when none was asked for.
#[derive(Debug, Default)]
pub struct Watched(Option<Client>);

/// Counters since the server began, or what an operation added to them.
///
/// A connection reports its rows once a second at most: over a few seconds their number is right to some percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Bytes of write-ahead log, of the whole server.
    pub wal_bytes: f64,
    /// Rows inserted, updated and deleted.
    pub rows_written: f64,
    /// Rows that scans of indexes and tables have fetched.
    pub rows_read: f64,
    /// Transactions, committed or not.
    pub transactions: f64,
}

impl Watched {
    /// Connects when there is an address (libpq's form). Raises what keeps it from doing so.
    pub async fn connect(uri: Option<&str>) -> anyhow::Result<Self> {
        let Some(uri) = uri else { return Ok(Self(None)) };
        let (client, connection) = tokio_postgres::connect(uri, NoTls)
            .await
            .context("cannot connect to the PostgreSQL that is to be watched")?;
        // It ends when its client is dropped; what fails in it fails the queries too.
        tokio::spawn(connection);
        Ok(Self(Some(client)))
    }

    /// The counters now; `None` when nothing is watched.
    pub async fn work(&self) -> anyhow::Result<Option<Work>> {
        let Some(client) = &self.0 else { return Ok(None) };
        let sql = "select (pg_current_wal_insert_lsn() - '0/0')::float8, (tup_inserted + tup_updated + tup_deleted)::float8, \
                   tup_fetched::float8, (xact_commit + xact_rollback)::float8 \
                   from pg_stat_database where datname = current_database()";
        let row = client.query_one(sql, &[]).await?;
        Ok(Some(Work {
            wal_bytes: row.get(0),
            rows_written: row.get(1),
            rows_read: row.get(2),
            transactions: row.get(3),
        }))
    }
}

impl Work {
    /// What each of `count` operations has added since `before`.
    pub fn per_operation(&self, before: &Self, count: f64) -> Self {
        let each = |now: f64, then: f64| ((now - then) / count.max(1.0) * 1_000.0).round() / 1_000.0;
        Self {
            wal_bytes: each(self.wal_bytes, before.wal_bytes),
            rows_written: each(self.rows_written, before.rows_written),
            rows_read: each(self.rows_read, before.rows_read),
            transactions: each(self.transactions, before.transactions),
        }
    }

    /// Its parts by name, for tables.
    pub fn parts(&self) -> BTreeMap<&'static str, f64> {
        BTreeMap::from([
            ("wal_bytes", self.wal_bytes),
            ("rows_written", self.rows_written),
            ("rows_read", self.rows_read),
            ("transactions", self.transactions),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_costs_the_difference_by_the_number() {
        let before = Work {
            wal_bytes: 1_000.0,
            ..Work::default()
        };
        let after = Work {
            wal_bytes: 3_000.0,
            rows_written: 8.0,
            ..Work::default()
        };
        let each = after.per_operation(&before, 4.0);
        assert_eq!((each.wal_bytes, each.rows_written, each.rows_read), (500.0, 2.0, 0.0));
    }
}
