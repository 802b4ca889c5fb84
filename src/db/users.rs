//! Users: one Rust function per SQL function, and the read–change–compare-and-swap loop of PUT and PATCH.

use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::audit::Origin;
use super::call::Repeat;
use super::pool::Database;
use super::user_calls::Creation;
use crate::error::Error;
use crate::fold::KEY_VERSION;
use crate::scim::user::{GroupRef, UserDraft, UserRow};
use crate::telemetry::metrics::METRICS;

/// How often a PUT or PATCH is computed anew because the user changed meanwhile.
const ATTEMPTS: usize = 5;

/// A user after a write, and whether the write changed anything.
#[derive(Debug)]
pub struct Written {
    /// The user as he is now, with his groups.
    pub user: UserRow,
    /// Whether anything was written.
    pub changed: bool,
}

impl Database {
    /// Creates the user under an id made by the caller; repeating it is harmless. Creations that come at once share the
    /// statement.
    pub async fn user_create(&self, id: Uuid, draft: UserDraft, origin: Origin) -> Result<Written, Error> {
        let outcome = self.together(Creation { id, draft, origin }).await;
        count_allocation("user", &outcome);
        outcome
    }

    /// `api.user_own_gid`: the primary gid of a live user if it was given to him, so that his deletion retires it.
    pub async fn user_own_gid(&self, id: Uuid) -> Result<Option<i64>, Error> {
        let sql = "select api.user_own_gid($1)";
        let rows = self.read("user_own_gid", sql, &[(&id, Type::UUID)]).await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    /// `api.user_get`: a live user, with his groups when asked for.
    pub async fn user_get(&self, id: Uuid, with_groups: bool) -> Result<Option<UserRow>, Error> {
        let rows = self
            .read(
                "user_get",
                "select * from api.user_get($1, $2)",
                &[(&id, Type::UUID), (&with_groups, Type::BOOL)],
            )
            .await?;
        rows.first().map(|row| user_row(row, None)).transpose()
    }

    /// `api.user_find`: the id behind a userName (folded) or a POSIX name.
    pub async fn user_find(&self, user_name_key: &str, posix_name: &str) -> Result<Option<Uuid>, Error> {
        let rows = self
            .read(
                "user_find",
                "select api.user_find($1, $2)",
                &[(&user_name_key, Type::TEXT), (&posix_name, Type::TEXT)],
            )
            .await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    /// `api.user_update`: replaces what the draft says, if the user still has the `expected` version.
    pub async fn user_update(
        &self,
        id: Uuid,
        expected: Option<i64>,
        draft: &UserDraft,
        origin: &Origin,
    ) -> Result<Written, Error> {
        let rows = self
            .write(
                "user_update",
                Repeat::Idempotent,
                "select * from api.user_update($1, $2, $3, $4, $5)",
                &[
                    (&id, Type::UUID),
                    (&expected, Type::INT8),
                    (&Json(&draft_value(id, draft)), Type::JSONB),
                    (&Json(self.options.value()), Type::JSONB),
                    (&Json(&origin.value()), Type::JSONB),
                ],
            )
            .await?;
        written(&rows, Some(&draft.doc))
    }

    /// `api.user_update_trial`: what `user_update` would say, without writing. Raises what it raises.
    pub async fn user_update_trial(&self, id: Uuid, draft: &UserDraft, origin: &Origin) -> Result<(), Error> {
        let (draft, options) = (Json(draft_value(id, draft)), Json(self.options.value()));
        let origin = Json(origin.value());
        let parameters = &[
            (&id as _, Type::UUID),
            (&draft as _, Type::JSONB),
            (&options as _, Type::JSONB),
            (&origin as _, Type::JSONB),
        ];
        let sql = "select api.user_update_trial($1, $2, $3, $4)";
        self.write("user_update_trial", Repeat::Idempotent, sql, parameters)
            .await?;
        Ok(())
    }

    /// `api.user_is_provisioned`: whether an identity provider has written this user by SCIM.
    pub async fn user_is_provisioned(&self, id: Uuid) -> Result<bool, Error> {
        let sql = "select api.user_is_provisioned($1)";
        let rows = self.read("user_is_provisioned", sql, &[(&id, Type::UUID)]).await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    /// Reads a user, lets `change` compute the draft that replaces him, and writes it if nobody else wrote meanwhile;
    /// otherwise starts anew, at most five times. `admit` looks at the version first (If-Match).
    ///
    /// Raises what `change` and `admit` raise; `Error::NotFound`, `Error::Contended` and what `user_update` raises.
    pub async fn user_modify<E: From<Error>>(
        &self,
        id: Uuid,
        origin: &Origin,
        mut admit: impl FnMut(i64) -> Result<(), E>,
        mut change: impl FnMut(&UserRow) -> Result<UserDraft, E>,
    ) -> Result<Written, E> {
        let mut attempt = 1;
        loop {
            let Some(user) = self.user_get(id, false).await? else {
                return Err(Error::NotFound {
                    message: "no such user".into(),
                }
                .into());
            };
            admit(user.version)?;
            let draft = change(&user)?;
            match self.user_update(id, Some(user.version), &draft, origin).await {
                Err(Error::VersionMismatch { .. }) if attempt < ATTEMPTS => attempt += 1,
                // Whose condition failed was told so by `admit`. 412 would be final for a client, and this is not.
                Err(Error::VersionMismatch { .. }) => return Err(Error::Contended.into()),
                outcome => {
                    let written = outcome?;
                    if written.user.locked && !user.locked {
                        METRICS.user_deactivations.inc();
                    }
                    return Ok(written);
                }
            }
        }
    }

    /// `api.user_set_flags`: admin and locked alone; tells whether anything changed.
    pub async fn user_set_flags(
        &self,
        id: Uuid,
        admin: Option<bool>,
        locked: Option<bool>,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let rows = self
            .write(
                "user_set_flags",
                Repeat::Idempotent,
                "select api.user_set_flags($1, $2, $3, $4, $5)",
                &[
                    (&id, Type::UUID),
                    (&admin, Type::BOOL),
                    (&locked, Type::BOOL),
                    (&Json(self.options.value()), Type::JSONB),
                    (&Json(&origin.value()), Type::JSONB),
                ],
            )
            .await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    /// `api.user_delete`: removes the user from SCIM and retires his numbers.
    pub async fn user_delete(&self, id: Uuid, expected: Option<i64>, origin: &Origin) -> Result<(), Error> {
        self.write(
            "user_delete",
            Repeat::Idempotent,
            "select api.user_delete($1, $2, $3, $4)",
            &[
                (&id, Type::UUID),
                (&expected, Type::INT8),
                (&Json(self.options.value()), Type::JSONB),
                (&Json(&origin.value()), Type::JSONB),
            ],
        )
        .await?;
        Ok(())
    }
}

/// `p_user` of the contract.
pub(super) fn draft_value(id: Uuid, draft: &UserDraft) -> Value {
    json!({
        "id": id,
        "user_name_key": draft.user_name_key,
        "key_version": KEY_VERSION,
        "external_id": draft.external_id,
        "display_name_key": draft.display_name_key,
        "emails": draft.email_keys,
        "posix_name": draft.posix_name,
        "uid": draft.uid,
        "home": draft.home,
        "shell": draft.shell,
        "gecos": draft.gecos,
        "admin": draft.admin,
        "locked": draft.active.map(|active| !active),
        "doc": draft.doc,
        "doc_key": draft.doc_key,
    })
}

/// The row a write gave back. The contract leaves the document out when it is the one that was sent.
pub(super) fn written(rows: &[Row], sent: Option<&Value>) -> Result<Written, Error> {
    let row = rows
        .first()
        .ok_or_else(|| Error::Internal("a write of a user gave no row".into()))?;
    Ok(Written {
        user: user_row(row, sent)?,
        changed: row.get("changed"),
    })
}

/// Reads the columns that every function and view of users has in common; `doc` falls back to `sent`.
pub(super) fn user_row(row: &Row, sent: Option<&Value>) -> Result<UserRow, Error> {
    let doc = row.get::<_, Option<Value>>("doc").or_else(|| sent.cloned());
    let groups = match row.try_get::<_, Option<Value>>("groups") {
        Ok(Some(Value::Array(groups))) => Some(groups.iter().filter_map(group_ref).collect()),
        _ => None,
    };
    Ok(UserRow {
        id: row.get("id"),
        doc: doc.ok_or_else(|| Error::Internal("a user came without document".into()))?,
        posix_name: row.get("posix_name"),
        uid: row.get("uid"),
        primary_gid: row.get("primary_gid"),
        home: row.get("home"),
        shell: row.get("shell"),
        admin: row.get("admin"),
        locked: row.get("locked"),
        created: row.get("created"),
        last_modified: row.get("last_modified"),
        version: row.get("version"),
        last_sign_in: row.get("last_sign_in"),
        groups,
    })
}

fn group_ref(value: &Value) -> Option<GroupRef> {
    Some(GroupRef {
        id: value.get("id")?.as_str()?.parse().ok()?,
        display: value
            .get("display")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Counts numbers given and refused.
pub(super) fn count_allocation<T>(kind: &str, outcome: &Result<T, Error>) {
    let outcome = match outcome {
        Ok(_) => "ok",
        Err(Error::PoolExhausted { .. }) => "exhausted",
        Err(_) => "refused",
    };
    METRICS.id_allocations.with_label_values(&[kind, outcome]).inc();
}
