//! Moving in: staging the rows of a file, looking at them as a whole, applying them batch by batch.

mod headroom;
mod rivals;
mod staging;

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use super::statement::Parameters;
use crate::error::Error;
use crate::scim::schema::ResourceType;
use crate::transfer::{Fault, Nesting};

pub use rivals::{Overtaken, Slice};
pub use staging::Batch;

/// How long one batch may take.
const BATCH_LIMIT: Duration = Duration::from_mins(1);

/// How long the look at a whole file may take: a minute for a million rows, with room for a slow machine.
const CHECK_LIMIT: Duration = Duration::from_mins(30);

/// Most faults that a second look at records lists.
pub const REPORTED_FAULTS: i32 = 1_000;

/// What was staged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Staged {
    /// Records.
    pub rows: i64,
    /// Those that are in the database already.
    pub present: i64,
    /// Those with a number in a range that others may use.
    pub soft: i64,
    /// Memberships, of groups.
    pub memberships: i64,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Applied {
    /// The last record looked at; `None` when none was left.
    pub last: Option<i64>,
    /// How many were looked at.
    pub seen: i64,
    /// How many were created.
    pub created: i64,
    /// How many groups got further members.
    pub changed: i64,
}

/// The faults that rows of the contract tell, and how many there are in all.
fn faults(rows: &[Row]) -> (Vec<Fault>, u64) {
    let total = rows.first().map_or(0, |row| row.get::<_, i64>("total"));
    (
        rows.iter().map(fault).collect(),
        u64::try_from(total).unwrap_or_default(),
    )
}

fn fault(row: &Row) -> Fault {
    let line = u64::try_from(row.get::<_, i64>("line")).unwrap_or_default();
    let value: Option<String> = row.get("value");
    let reason: String = row.get("reason");
    Fault::of_value(line, row.get("attribute"), &value.unwrap_or_default(), reason)
}

impl Database {
    /// `api.import_begin`: opens an import under an id made by the caller.
    pub async fn import_begin(&self, import: Uuid, origin: &Origin) -> Result<(), Error> {
        let sql = "select api.import_begin($1, $2)";
        let origin = Json(origin.value());
        self.batch("import_begin", sql, &[(&import, Type::UUID), (&origin, Type::JSONB)])
            .await?;
        Ok(())
    }

    /// `api.import_stage`: stages a batch. Members would be staged twice by a repetition, which is harmless.
    pub async fn import_stage(&self, import: Uuid, batch: &Batch) -> Result<(), Error> {
        let rows = Json(batch);
        let sql = "select api.import_stage($1, $2)";
        self.batch("import_stage", sql, &[(&import, Type::UUID), (&rows, Type::JSONB)])
            .await?;
        Ok(())
    }

    /// `api.import_users_check` or `api.import_groups_check`: what stands against the staged rows, at most `most`, and how many
    /// there are in all. `skip_unknown`: members that are nobody are no fault.
    pub async fn import_check(
        &self,
        import: Uuid,
        resource: ResourceType,
        skip_unknown: bool,
        most: i32,
    ) -> Result<(Vec<Fault>, u64), Error> {
        let options = Json(self.options.value());
        let mut parameters: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> = vec![(&import, Type::UUID)];
        let (op, sql) = match resource {
            ResourceType::User => ("import_users_check", "select * from api.import_users_check($1, $2, $3)"),
            ResourceType::Group => {
                parameters.push((&skip_unknown, Type::BOOL));
                (
                    "import_groups_check",
                    "select * from api.import_groups_check($1, $2, $3, $4)",
                )
            }
        };
        parameters.push((&options, Type::JSONB));
        parameters.push((&most, Type::INT4));
        let rows = self
            .long_write(op, Repeat::Idempotent, CHECK_LIMIT, sql, &parameters)
            .await?;
        Ok(faults(&rows))
    }

    /// `api.import_users_differences` or `api.import_groups_differences`: what those who are there have otherwise than the
    /// staged rows say, at most `most`, and how many there are in all.
    pub async fn import_differences(
        &self,
        import: Uuid,
        resource: ResourceType,
        most: i32,
    ) -> Result<(Vec<Fault>, u64), Error> {
        let options = Json(self.options.value());
        let mut parameters: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> = vec![(&import, Type::UUID)];
        let sql = match resource {
            ResourceType::User => {
                parameters.push((&options, Type::JSONB));
                "select * from api.import_users_differences($1, $2, $3)"
            }
            ResourceType::Group => "select * from api.import_groups_differences($1, $2)",
        };
        parameters.push((&most, Type::INT4));
        let rows = self
            .long_write("import_differences", Repeat::Idempotent, CHECK_LIMIT, sql, &parameters)
            .await?;
        Ok(faults(&rows))
    }

    /// `api.import_unknown_members`: members of staged groups who are nobody, at most `most`, and how many there are in all.
    pub async fn import_unknown_members(&self, import: Uuid, most: i32) -> Result<(Vec<Fault>, u64), Error> {
        let parameters: Parameters<'_> = &[(&import, Type::UUID), (&most, Type::INT4)];
        let sql = "select * from api.import_unknown_members($1, $2)";
        let rows = self
            .long_write(
                "import_unknown_members",
                Repeat::Idempotent,
                CHECK_LIMIT,
                sql,
                parameters,
            )
            .await?;
        Ok(faults(&rows))
    }

    /// `api.import_nesting`: which staged group holds which.
    pub async fn import_nesting(&self, import: Uuid) -> Result<Vec<Nesting>, Error> {
        let sql = "select * from api.import_nesting($1)";
        let parameters: Parameters<'_> = &[(&import, Type::UUID)];
        let rows = self
            .long_write("import_nesting", Repeat::Idempotent, CHECK_LIMIT, sql, parameters)
            .await?;
        Ok(rows
            .iter()
            .map(|row| Nesting {
                group: row.get("number"),
                line: u64::try_from(row.get::<_, i64>("line")).unwrap_or_default(),
                name: row.get("name"),
                member: row.get("member"),
            })
            .collect())
    }

    /// `api.import_users_count` or `api.import_groups_count`.
    pub async fn import_count(&self, import: Uuid, resource: ResourceType) -> Result<Staged, Error> {
        let sql = match resource {
            ResourceType::User => {
                "select rows, present, soft, 0::bigint as memberships from api.import_users_count($1)"
            }
            ResourceType::Group => "select * from api.import_groups_count($1)",
        };
        let parameters: Parameters<'_> = &[(&import, Type::UUID)];
        let rows = self
            .long_write("import_count", Repeat::Idempotent, CHECK_LIMIT, sql, parameters)
            .await?;
        Ok(rows.first().map_or_else(Staged::default, |row| Staged {
            rows: row.get("rows"),
            present: row.get("present"),
            soft: row.get("soft"),
            memberships: row.get("memberships"),
        }))
    }

    /// `api.import_users_apply`: the next `count` users after the record `after`; `asked`: those who bring a uid.
    pub async fn import_users_apply(
        &self,
        import: Uuid,
        after: i64,
        count: i32,
        asked: bool,
        origin: &Origin,
    ) -> Result<Applied, Error> {
        let sql = "select * from api.import_users_apply($1, $2, $3, $4, $5, $6)";
        self.apply("import_users_apply", sql, import, after, count, asked, origin)
            .await
    }

    /// `api.import_groups_apply`: the next `count` groups after the record `after`; `nested`: the second walk.
    pub async fn import_groups_apply(
        &self,
        import: Uuid,
        after: i64,
        count: i32,
        nested: bool,
        origin: &Origin,
    ) -> Result<Applied, Error> {
        let sql = "select * from api.import_groups_apply($1, $2, $3, $4, $5, $6)";
        self.apply("import_groups_apply", sql, import, after, count, nested, origin)
            .await
    }

    /// `api.import_end`: throws the staged rows away.
    pub async fn import_end(&self, import: Uuid) -> Result<(), Error> {
        let parameters: Parameters<'_> = &[(&import, Type::UUID)];
        let sql = "select api.import_end($1)";
        self.long_write("import_end", Repeat::Idempotent, CHECK_LIMIT, sql, parameters)
            .await?;
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "private; the two functions of the contract have the same six"
    )]
    async fn apply(
        &self,
        op: &'static str,
        sql: &str,
        import: Uuid,
        after: i64,
        count: i32,
        choice: bool,
        origin: &Origin,
    ) -> Result<Applied, Error> {
        let (options, origin) = (Json(self.options.value()), Json(origin.value()));
        let rows = self
            .batch(
                op,
                sql,
                &[
                    (&import, Type::UUID),
                    (&after, Type::INT8),
                    (&count, Type::INT4),
                    (&choice, Type::BOOL),
                    (&options, Type::JSONB),
                    (&origin, Type::JSONB),
                ],
            )
            .await?;
        Ok(rows.first().map_or_else(Applied::default, |row| Applied {
            last: row.get("last"),
            seen: row.get("seen"),
            created: row.get("created"),
            changed: row.try_get("changed").unwrap_or_default(),
        }))
    }

    async fn batch(&self, op: &'static str, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Error> {
        self.long_write(op, Repeat::Idempotent, BATCH_LIMIT, sql, parameters)
            .await
    }
}
