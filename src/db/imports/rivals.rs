//! Records of an import that somebody else was before, between the look at the file and their turn.

use std::collections::BTreeSet;

use tokio_postgres::types::{Json, ToSql, Type};
use uuid::Uuid;

use super::{REPORTED_FAULTS, fault};
use crate::db::call::Repeat;
use crate::db::pool::Database;
use crate::error::Error;
use crate::scim::schema::ResourceType;
use crate::transfer::Fault;

/// Which staged records: `count` behind the record `after`.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// The record before the first.
    pub after: i64,
    /// How many; `None`: all the rest.
    pub count: Option<i32>,
}

impl Slice {
    /// Everything that is staged.
    pub const ALL: Self = Self { after: 0, count: None };
}

/// What stands against some records now, at most [`REPORTED_FAULTS`] lines of it.
#[derive(Debug, Default)]
pub struct Overtaken {
    /// The records, by their number in the file.
    pub numbers: Vec<i64>,
    /// Why, with their lines.
    pub faults: Vec<Fault>,
}

impl Database {
    /// `api.import_users_recheck` or `api.import_groups_recheck`: what stands against records that stood free when the file was
    /// looked at.
    pub async fn import_recheck(&self, import: Uuid, resource: ResourceType, slice: Slice) -> Result<Overtaken, Error> {
        let options = Json(self.options.value());
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (&import, Type::UUID),
            (&slice.after, Type::INT8),
            (&slice.count, Type::INT4),
            (&options, Type::JSONB),
            (&REPORTED_FAULTS, Type::INT4),
        ];
        let sql = match resource {
            ResourceType::User => "select * from api.import_users_recheck($1, $2, $3, $4, $5)",
            ResourceType::Group => "select * from api.import_groups_recheck($1, $2, $3, $4, $5)",
        };
        let rows = self
            .long_write(
                "import_recheck",
                Repeat::Idempotent,
                super::CHECK_LIMIT,
                sql,
                &parameters,
            )
            .await?;
        let numbers: BTreeSet<i64> = rows.iter().map(|row| row.get("number")).collect();
        Ok(Overtaken {
            numbers: numbers.into_iter().collect(),
            faults: rows.iter().map(fault).collect(),
        })
    }

    /// `api.import_drop`: takes records out of what is staged.
    pub async fn import_drop(&self, import: Uuid, numbers: &[i64]) -> Result<(), Error> {
        let sql = "select api.import_drop($1, $2)";
        self.batch(
            "import_drop",
            sql,
            &[(&import, Type::UUID), (&numbers, Type::INT8_ARRAY)],
        )
        .await?;
        Ok(())
    }
}
