//! The brake on deletions and deactivations, and its overrides.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::{Json, Type};

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;

/// How far the brake is for one actor.
#[derive(Debug, Clone, Serialize)]
pub struct BrakeState {
    /// The actor, as the audit log names him.
    pub actor: String,
    /// The name of his token.
    pub name: Option<String>,
    /// Users he has deleted or locked within the last hour.
    pub removals: i64,
    /// What he may remove per hour by a limit of his own; 0 for any number.
    pub own_limit: Option<i64>,
    /// What an override lets through per hour; 0 for any number.
    pub override_limit: Option<i64>,
    /// Until when it lasts.
    pub override_until: Option<Timestamp>,
}

impl Database {
    /// `api.brake_override`: lets `limit` removals an hour through for `minutes`; returns the actor. Raises
    /// `InvalidValue`, and `NotFound` for a token that nobody has.
    pub async fn brake_override(
        &self,
        actor: &str,
        limit: i64,
        minutes: i32,
        origin: &Origin,
    ) -> Result<String, Error> {
        let sql = "select api.brake_override($1, $2, pg_catalog.make_interval(mins => $3), $4)";
        let origin = Json(origin.value());
        let parameters = &[
            (&actor as _, Type::TEXT),
            (&limit as _, Type::INT8),
            (&minutes as _, Type::INT4),
            (&origin as _, Type::JSONB),
        ];
        let rows = self
            .write("brake_override", Repeat::Idempotent, sql, parameters)
            .await?;
        Ok(rows.first().map(|row| row.get(0)).unwrap_or_default())
    }

    /// `api.brake_limit_set`: gives an actor a limit of his own, or takes it away with `None`. Returns the actor and whether that was
    /// `create`, `change` or `keep`; with `dry_run` nothing is written. Raises `InvalidValue`, and `NotFound` for a token that nobody
    /// has.
    pub async fn brake_limit_set(
        &self,
        actor: &str,
        limit: Option<i64>,
        dry_run: bool,
        origin: &Origin,
    ) -> Result<(String, String), Error> {
        let sql = "select * from api.brake_limit_set($1, $2, $3, $4)";
        let origin = Json(origin.value());
        let parameters = &[
            (&actor as _, Type::TEXT),
            (&limit as _, Type::INT8),
            (&dry_run as _, Type::BOOL),
            (&origin as _, Type::JSONB),
        ];
        let rows = self
            .write("brake_limit_set", Repeat::Idempotent, sql, parameters)
            .await?;
        let row = rows.first();
        row.map(|row| (row.get("actor"), row.get("action")))
            .ok_or_else(|| Error::Internal("api.brake_limit_set gave no row".into()))
    }

    /// `api.brake_actors`: everybody who has removed users within the hour, or has an override or a limit of his own.
    pub async fn brake_state(&self) -> Result<Vec<BrakeState>, Error> {
        let rows = self
            .read("brake_actors", "select * from api.brake_actors()", &[])
            .await?;
        let states = rows.iter().map(|row| BrakeState {
            actor: row.get("actor"),
            name: row.get("name"),
            removals: row.get("removals"),
            own_limit: row.get("own_limit"),
            override_limit: row.get("override_limit"),
            override_until: row.get("override_until"),
        });
        Ok(states.collect())
    }
}
