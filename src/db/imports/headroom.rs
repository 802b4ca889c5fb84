//! Whether the pool has a number for every staged record that brings none.

use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use crate::db::call::Repeat;
use crate::db::pool::Database;
use crate::error::Error;
use crate::scim::schema::ResourceType;
use crate::transfer::Fault;

impl Database {
    /// `api.import_headroom`: the fault of a file that wants more numbers than the pool has left, at its first record without one.
    pub async fn import_headroom(&self, import: Uuid, resource: ResourceType) -> Result<Option<Fault>, Error> {
        let (attribute, setting) = match resource {
            ResourceType::User => ("posixUserId", "user-provisioning-max-uid"),
            ResourceType::Group => ("posixGroupId", "group-provisioning-max-gid"),
        };
        let is_users = resource == ResourceType::User;
        let options = Json(self.options.value());
        let parameters = &[
            (&import as _, Type::UUID),
            (&is_users as _, Type::BOOL),
            (&options as _, Type::JSONB),
        ];
        let sql = "select * from api.import_headroom($1, $2, $3)";
        let rows = self
            .long_write(
                "import_headroom",
                Repeat::Idempotent,
                super::CHECK_LIMIT,
                sql,
                parameters,
            )
            .await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (wanted, remaining): (i64, i64) = (row.get("wanted"), row.get::<_, i64>("remaining").max(0));
        let line = u64::try_from(row.get::<_, i64>("line")).unwrap_or_default();
        let reason = format!("{wanted} records bring no number, and the pool has {remaining} left: raise {setting}");
        Ok((wanted > remaining).then(|| Fault::of_value(line, attribute, "", reason)))
    }
}
