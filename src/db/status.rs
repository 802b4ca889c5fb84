//! What a service needs to know of its database: role, lag, schema, headroom; and its housekeeping.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::{Json, Type};

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;

/// The state of the server behind a pool.
#[derive(Debug, Clone)]
pub struct ServerStatus {
    /// Whether it is a standby.
    pub in_recovery: bool,
    /// Seconds it trails; `None` when it does not or cannot tell.
    pub lag: Option<f64>,
    /// Its clock.
    pub at: Timestamp,
    /// `server_version_num`.
    pub server_version: i32,
}

/// An account of a machine.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LocalAccount {
    /// `user` or `group`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its uid or gid.
    pub number: u32,
}

/// A local account that meets a user or group.
#[derive(Debug, Clone)]
pub struct Collision {
    /// `user` or `group`.
    pub kind: String,
    /// The name of the local account.
    pub name: String,
    /// Its uid or gid.
    pub number: i64,
    /// What is the same: `name`, `number` or `both`.
    pub same: String,
    /// Name and number of whom it meets.
    pub held_by: String,
}

/// Which schema a database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaState {
    /// Number of the newest migration.
    pub version: i32,
    /// Hash of the functions.
    pub functions_hash: String,
}

/// How many numbers a pool can still give.
#[derive(Debug, Clone)]
pub struct Headroom {
    /// `user` or `group`.
    pub pool: String,
    /// Numbers left.
    pub remaining: i64,
    /// Numbers in the whole pool.
    pub size: i64,
}

/// What the last look at the server that trailing reads go to has shown.
#[derive(Debug, Default)]
pub(super) struct Seen(RwLock<Option<Arc<ServerStatus>>>);

impl Seen {
    fn get(&self) -> Option<Arc<ServerStatus>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, status: Option<ServerStatus>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = status.map(Arc::new);
    }
}

const STATUS: &str = "select in_recovery, extract(epoch from lag)::float8 as lag, at, server_version from api.status()";

impl Database {
    /// `api.status` of the primary.
    pub async fn primary_status(&self) -> Result<ServerStatus, Error> {
        status(&self.read("status", STATUS, &[]).await?)
    }

    /// `api.status` of the server that trailing reads go to.
    pub async fn read_status(&self) -> Result<ServerStatus, Error> {
        status(&self.trailing_read("status", STATUS, &[]).await?)
    }

    /// Looks how that server is, and how far it trails when it is a standby; called every second. Within two seconds it has answered,
    /// or it does not.
    pub async fn observe_reads(&self) {
        let looked = self.quick_trailing_read("status", STATUS, &[]).await;
        let seen = looked.and_then(|rows| status(&rows)).ok();
        if self.has_standby() {
            // A primary behind database-read-uri, right after a failover, trails nothing.
            self.lag.set(seen.as_ref().map(|status| status.lag.unwrap_or(0.0)));
        }
        self.seen.note(seen);
    }

    /// What the last look ([`observe_reads`](Self::observe_reads)) has shown; `None` when it had no answer.
    pub fn last_read_status(&self) -> Option<Arc<ServerStatus>> {
        self.seen.get()
    }

    /// `api.schema_state`, or `None` when there is no schema yet.
    pub async fn schema_state(&self) -> Result<Option<SchemaState>, Error> {
        let there = self
            .trailing_read(
                "schema_state",
                "select pg_catalog.to_regprocedure('api.schema_state()') is not null",
                &[],
            )
            .await?;
        if !there.first().is_some_and(|row| row.get(0)) {
            return Ok(None);
        }
        let rows = self
            .trailing_read(
                "schema_state",
                "select version, functions_hash from api.schema_state()",
                &[],
            )
            .await?;
        Ok(rows.first().and_then(|row| {
            Some(SchemaState {
                version: row.get::<_, Option<i32>>(0)?,
                functions_hash: row.get::<_, Option<String>>(1)?,
            })
        }))
    }

    /// `api.schema_breaking`: the newest migration that the releases before it cannot work with; 0 for none.
    pub async fn schema_breaking(&self) -> Result<i32, Error> {
        let rows = self
            .trailing_read("schema_breaking", "select api.schema_breaking()", &[])
            .await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// `api.id_headroom` under the settings of this replica.
    pub async fn id_headroom(&self) -> Result<Vec<Headroom>, Error> {
        let rows = self
            .trailing_read(
                "id_headroom",
                "select pool, remaining, size from api.id_headroom($1)",
                &[(&Json(self.options.value()), Type::JSONB)],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| Headroom {
                pool: row.get(0),
                remaining: row.get(1),
                size: row.get(2),
            })
            .collect())
    }

    /// `api.id_follow_epoch`: lets the allocator notice a restored or promoted database; returns its epoch.
    pub async fn id_follow_epoch(&self) -> Result<i64, Error> {
        let rows = self
            .write(
                "id_follow_epoch",
                Repeat::Idempotent,
                "select api.id_follow_epoch()",
                &[],
            )
            .await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// `api.id_reseed`: skips `count` numbers of both pools.
    pub async fn id_reseed(&self, count: i64, origin: &Origin) -> Result<(), Error> {
        self.write(
            "id_reseed",
            Repeat::Never,
            "select api.id_reseed($1, $2)",
            &[(&count, Type::INT8), (&Json(&origin.value()), Type::JSONB)],
        )
        .await?;
        Ok(())
    }

    /// `api.maintain`: one round of housekeeping.
    pub async fn maintain(&self) -> Result<(), Error> {
        self.write(
            "maintain",
            Repeat::Idempotent,
            "select api.maintain($1)",
            &[(&Json(self.options.value()), Type::JSONB)],
        )
        .await?;
        Ok(())
    }

    /// `api.doctor`: what the database says of itself.
    pub async fn doctor(&self) -> Result<Value, Error> {
        let rows = self.read("doctor", "select api.doctor()", &[]).await?;
        Ok(rows.first().map_or(Value::Null, |row| row.get(0)))
    }

    /// `api.doctor_collisions`: which of these local accounts meet live users or groups.
    pub async fn doctor_collisions(&self, accounts: &[LocalAccount]) -> Result<Vec<Collision>, Error> {
        let accounts = serde_json::to_value(accounts).map_err(|error| Error::Internal(error.to_string()))?;
        let sql = "select * from api.doctor_collisions($1)";
        let rows = self
            .read("doctor_collisions", sql, &[(&Json(&accounts), Type::JSONB)])
            .await?;
        let collisions = rows.iter().map(|row| Collision {
            kind: row.get("kind"),
            name: row.get("name"),
            number: row.get("number"),
            same: row.get("same"),
            held_by: row.get("held_by"),
        });
        Ok(collisions.collect())
    }

    /// `api.check_invariants`: what is not as it must be, as (violation, subject).
    pub async fn check_invariants(&self) -> Result<Vec<(String, String)>, Error> {
        let rows = self
            .read("check_invariants", "select * from api.check_invariants()", &[])
            .await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

fn status(rows: &[tokio_postgres::Row]) -> Result<ServerStatus, Error> {
    let row = rows
        .first()
        .ok_or_else(|| Error::Internal("api.status gave no row".into()))?;
    Ok(ServerStatus {
        in_recovery: row.get("in_recovery"),
        lag: row.get("lag"),
        at: row.get("at"),
        server_version: row.get("server_version"),
    })
}
