//! The POSIX group that mirrors the administrators.

use serde_json::json;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;
use crate::fold::{KEY_VERSION, fold};

impl Database {
    /// `api.admin_group_set`: makes the group of that POSIX name follow the administrators from now on, `None` no group.
    /// Writes nothing when all is as it should be. Returns how many users joined or left it. Raises a name that is taken.
    pub async fn admin_group_set(&self, posix_name: Option<&str>, origin: &Origin) -> Result<i64, Error> {
        let group = posix_name.map(|name| {
            Json(json!({
                "id": Uuid::now_v7(),
                "display_name_key": fold(name),
                "posix_name": name,
                "doc": {"displayName": name},
                "doc_key": {"displayName": fold(name)},
                "key_version": KEY_VERSION,
            }))
        });
        let rows = self
            .write(
                "admin_group_set",
                Repeat::Idempotent,
                "select api.admin_group_set($1, $2, $3)",
                &[
                    (&group, Type::JSONB),
                    (&Json(self.options.value()), Type::JSONB),
                    (&Json(origin.value()), Type::JSONB),
                ],
            )
            .await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }
}
