//! Groups: one Rust function per SQL function.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use super::users::count_allocation;
use crate::error::Error;
use crate::fold::KEY_VERSION;
use crate::posix;
use crate::scim::group::{GroupDraft, GroupRow};

/// Lists of members longer than this are written in a transaction with a longer statement time-out.
const LONG_LIST: usize = 2_000;

/// How long such a write may take.
const LONG_WRITE: Duration = Duration::from_secs(25);

/// A group after a write, and whether the write changed anything.
#[derive(Debug)]
pub struct Written {
    /// The group as it is now, without members.
    pub group: GroupRow,
    /// Whether anything was written.
    pub changed: bool,
}

/// A change of a group's members.
#[derive(Debug, Clone, Default)]
pub struct MembersUpdate {
    /// Those who join, or all there are to be with `replace`.
    pub add: Vec<Uuid>,
    /// Those who leave.
    pub remove: Vec<Uuid>,
    /// Whether the members become exactly `add`.
    pub replace: bool,
}

impl Database {
    /// `api.group_create`: creates the group under an id made by the caller; repeating it is harmless.
    pub async fn group_create(
        &self,
        id: Uuid,
        draft: &GroupDraft,
        members: &[Uuid],
        origin: &Origin,
    ) -> Result<Written, Error> {
        let mut value = draft_value(id, draft);
        value["posix_name_derived"] = posix::derive_group_name(&draft.display_name).into();
        let sql = "select * from api.group_create($1, $2, $3, $4)";
        let (value, origin, options) = (Json(&value), Json(origin.value()), Json(self.options.value()));
        let parameters: super::statement::Parameters<'_> = &[
            (&value, Type::JSONB),
            (&members, Type::UUID_ARRAY),
            (&options, Type::JSONB),
            (&origin, Type::JSONB),
        ];
        let outcome = self.write_members("group_create", members.len(), sql, parameters).await;
        count_allocation("group", &outcome);
        written(&outcome?)
    }

    /// `api.group_get`: a live group without its members.
    pub async fn group_get(&self, id: Uuid) -> Result<Option<GroupRow>, Error> {
        let rows = self
            .read("group_get", "select * from api.group_get($1)", &[(&id, Type::UUID)])
            .await?;
        rows.first().map(group_row).transpose()
    }

    /// `api.group_find`: the id behind a displayName (folded) or a POSIX name.
    pub async fn group_find(&self, display_name_key: &str, posix_name: &str) -> Result<Option<Uuid>, Error> {
        let rows = self
            .read(
                "group_find",
                "select api.group_find($1, $2)",
                &[(&display_name_key, Type::TEXT), (&posix_name, Type::TEXT)],
            )
            .await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    /// `api.group_update`: attributes (when a draft is given) and members in one transaction, if the group still has
    /// the `expected` version.
    pub async fn group_update(
        &self,
        id: Uuid,
        expected: Option<i64>,
        draft: Option<&GroupDraft>,
        members: &MembersUpdate,
        origin: &Origin,
    ) -> Result<Written, Error> {
        let value = draft.map(|draft| Json(draft_value(id, draft)));
        let (origin, options) = (Json(origin.value()), Json(self.options.value()));
        let parameters: super::statement::Parameters<'_> = &[
            (&id, Type::UUID),
            (&expected, Type::INT8),
            (&value, Type::JSONB),
            (&members.add, Type::UUID_ARRAY),
            (&members.remove, Type::UUID_ARRAY),
            (&members.replace, Type::BOOL),
            (&options, Type::JSONB),
            (&origin, Type::JSONB),
        ];
        let size = if members.replace {
            LONG_LIST + 1
        } else {
            members.add.len() + members.remove.len()
        };
        let sql = "select * from api.group_update($1, $2, $3, $4, $5, $6, $7, $8)";
        written(&self.write_members("group_update", size, sql, parameters).await?)
    }

    /// `api.primary_group_of`: whose primary group the one with this gid is, for people.
    pub async fn primary_group_of(&self, gid: i64) -> Result<Option<String>, Error> {
        let sql = "select api.primary_group_of($1)";
        let rows = self.read("primary_group_of", sql, &[(&gid, Type::INT8)]).await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    /// `api.group_delete`: removes the group from SCIM and retires its gid. Raises `Error::InUse` when it is somebody's primary group.
    pub async fn group_delete(&self, id: Uuid, expected: Option<i64>, origin: &Origin) -> Result<(), Error> {
        self.delete_group("select api.group_delete($1, $2, $3)", id, expected, origin)
            .await
    }

    /// `api.group_delete_forced`: the same, whosever primary group it is.
    pub async fn group_delete_forced(&self, id: Uuid, expected: Option<i64>, origin: &Origin) -> Result<(), Error> {
        self.delete_group("select api.group_delete_forced($1, $2, $3)", id, expected, origin)
            .await
    }

    async fn delete_group(&self, sql: &str, id: Uuid, expected: Option<i64>, origin: &Origin) -> Result<(), Error> {
        let origin = Json(origin.value());
        let parameters: super::statement::Parameters<'_> =
            &[(&id, Type::UUID), (&expected, Type::INT8), (&origin, Type::JSONB)];
        self.write_members("group_delete", LONG_LIST + 1, sql, parameters)
            .await?;
        Ok(())
    }

    async fn write_members(
        &self,
        op: &'static str,
        size: usize,
        sql: &str,
        parameters: super::statement::Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        if size > LONG_LIST {
            self.long_write(op, Repeat::Idempotent, LONG_WRITE, sql, parameters)
                .await
        } else {
            self.write(op, Repeat::Idempotent, sql, parameters).await
        }
    }
}

/// `p_group` of the contract.
fn draft_value(id: Uuid, draft: &GroupDraft) -> Value {
    json!({
        "id": id,
        "display_name_key": draft.display_name_key,
        "key_version": KEY_VERSION,
        "external_id": draft.external_id,
        "posix_name": draft.posix_name,
        "gid": draft.gid,
        "doc": draft.doc,
        "doc_key": draft.doc_key,
    })
}

fn written(rows: &[Row]) -> Result<Written, Error> {
    let row = rows
        .first()
        .ok_or_else(|| Error::Internal("a write of a group gave no row".into()))?;
    Ok(Written {
        group: group_row(row)?,
        changed: row.get("changed"),
    })
}

/// Reads the columns that every function and view of groups has in common.
pub(super) fn group_row(row: &Row) -> Result<GroupRow, Error> {
    Ok(GroupRow {
        id: row.get("id"),
        doc: row
            .get::<_, Option<Value>>("doc")
            .ok_or_else(|| Error::Internal("a group came without document".into()))?,
        posix_name: row.get("posix_name"),
        gid: row.get("gid"),
        created: row.get("created"),
        last_modified: row.get("last_modified"),
        version: row.get("version"),
    })
}
