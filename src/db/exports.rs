//! Moving out: pages of users, groups and members in the order in which files have them, all of one moment.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::pool::{self, Database};
use super::sqlstate::{self, Verdict};
use super::statement::Parameters;
use crate::error::Error;
use crate::transfer::{GroupLine, MemberName, UserLine};

/// How long whoever takes the file may let the next page wait; PostgreSQL ends the reading then.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The database as it was at one moment: who changes between two pages is neither missing nor there twice.
#[derive(Debug)]
pub struct Moment {
    /// Taken out of the pool, and inside a transaction until it is dropped.
    connection: ClientWrapper,
    patience: Duration,
}

impl Database {
    /// The primary as it is now. Raises `Error::Unavailable` when it does not answer.
    pub async fn moment(&self) -> Result<Moment, Error> {
        let connection = Object::take(pool::take(&self.primary).await?);
        let begin = format!(
            "begin isolation level repeatable read read only; set local idle_in_transaction_session_timeout = {}",
            LONGEST_PAUSE.as_millis()
        );
        let moment = Moment {
            connection,
            patience: self.settings.statement_timeout,
        };
        moment.within(moment.connection.batch_execute(&begin)).await?;
        Ok(moment)
    }
}

impl Moment {
    async fn read(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Error> {
        self.within(self.connection.query_typed(sql, parameters)).await
    }

    /// Nothing is tried again: another connection would see another moment.
    async fn within<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        let outcome = tokio::time::timeout(self.patience, work).await;
        outcome
            .map_err(|_| Error::unavailable())?
            .map_err(|error| match sqlstate::judge(&error) {
                Verdict::Refused(error) => error,
                Verdict::Retry { .. } | Verdict::Ambiguous => {
                    tracing::warn!(reason = %pool::describe(&error), "an export has lost its connection");
                    Error::unavailable()
                }
            })
    }

    /// `api.export_users`: at most `limit` users after the uid `after`.
    pub async fn users(&self, after: i64, limit: i32) -> Result<Vec<UserLine>, Error> {
        let sql = "select * from api.export_users($1, $2)";
        let parameters = &[(&after as _, Type::INT8), (&limit as _, Type::INT4)];
        let rows = self.read(sql, parameters).await?;
        let lines = rows.iter().map(|row| UserLine {
            id: row.get("id"),
            doc: document(row.get("doc")),
            posix_name: row.get("posix_name"),
            uid: row.get("uid"),
            gid: row.get("primary_gid"),
            private_group: row.get("private_group"),
            home: row.get("home"),
            shell: row.get("shell"),
            gecos: row.get("gecos"),
            admin: row.get("admin"),
            locked: row.get("locked"),
        });
        Ok(lines.collect())
    }

    /// `api.export_groups`: at most `limit` groups after the gid `after`, with private groups when asked for.
    pub async fn groups(&self, after: i64, limit: i32, private: bool) -> Result<Vec<GroupLine>, Error> {
        let sql = "select * from api.export_groups($1, $2, $3)";
        let parameters = &[
            (&after as _, Type::INT8),
            (&limit as _, Type::INT4),
            (&private as _, Type::BOOL),
        ];
        let rows = self.read(sql, parameters).await?;
        let lines = rows.iter().map(|row| GroupLine {
            id: row.get("id"),
            doc: document(row.get("doc")),
            posix_name: row.get("posix_name"),
            gid: row.get("gid"),
        });
        Ok(lines.collect())
    }

    /// `api.export_members`: at most `limit` direct members of a group after the last one that was read, if any.
    pub async fn members(&self, group: Uuid, after: Option<&MemberName>, limit: i32) -> Result<Vec<MemberName>, Error> {
        let (is_group, number) = after.map_or((false, -1), |member| (member.is_group, member.number));
        let sql = "select * from api.export_members($1, $2, $3, $4)";
        let parameters = &[
            (&group as _, Type::UUID),
            (&is_group as _, Type::BOOL),
            (&number as _, Type::INT8),
            (&limit as _, Type::INT4),
        ];
        let rows = self.read(sql, parameters).await?;
        let members = rows.iter().map(|row| MemberName {
            id: row.get("id"),
            name: row.get::<_, Option<String>>("posix_name").unwrap_or_default(),
            number: row.get::<_, Option<i64>>("number").unwrap_or_default(),
            is_group: row.get("is_group"),
        });
        Ok(members.collect())
    }

    /// `api.export_member_names`: the POSIX names of the users that a group holds at any depth, sorted.
    pub async fn member_names(&self, group: Uuid) -> Result<Vec<String>, Error> {
        let sql = "select api.export_member_names($1)";
        let rows = self.read(sql, &[(&group, Type::UUID)]).await?;
        let names = rows.first().map(|row| row.get::<_, Value>(0)).unwrap_or_default();
        let names = names.as_array().into_iter().flatten();
        Ok(names.filter_map(|name| Some(name.as_str()?.to_owned())).collect())
    }
}

fn document(doc: Option<Value>) -> Map<String, Value> {
    match doc {
        Some(Value::Object(document)) => document,
        _ => Map::new(),
    }
}
