//! Creations of users, alone or many in one transaction.

use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::audit::Origin;
use super::call::Repeat;
use super::gather::{Place, Together, column};
use super::pool::Database;
use super::users::{Written, user_row, written};
use crate::error::Error;
use crate::fold::KEY_VERSION;
use crate::posix;
use crate::scim::user::UserDraft;

/// A creation that waits for its turn.
pub(super) struct Creation {
    pub(super) id: Uuid,
    pub(super) draft: UserDraft,
    pub(super) origin: Origin,
}

impl Together for Creation {
    type Outcome = Written;

    /// Half of what a statement costs it costs for one user as for many: with a second one under way both are small, and the
    /// database works a quarter more for each user.
    const UNDER_WAY: usize = 1;

    fn place(db: &Database) -> &Place<Self> {
        &db.creations
    }

    /// Whoever asks for a number of his own needs a decision that only `api.user_create` makes.
    fn goes_with(&self, other: &Self) -> bool {
        self.draft.uid.is_none() && other.draft.uid.is_none() && self.origin.path == other.origin.path
    }

    /// `api.user_create`.
    async fn alone(&self, db: &Database) -> Result<Written, Error> {
        let draft = &self.draft;
        let derived = posix::derive_user_name(&draft.user_name);
        let rows = db
            .write(
                "user_create",
                Repeat::Idempotent,
                "select * from api.user_create($1, $2, $3, $4, $5, $6, $7, $8, $9, null, null, $10, $11, $12, $13, $14, $15, $16, \
                 $17, $18)",
                &[
                    (&self.id, Type::UUID),
                    (&draft.user_name_key, Type::TEXT),
                    (&KEY_VERSION, Type::INT2),
                    (&draft.external_id, Type::TEXT),
                    (&draft.display_name_key, Type::TEXT),
                    (&draft.email_keys, Type::TEXT_ARRAY),
                    (&draft.posix_name, Type::TEXT),
                    (&derived, Type::TEXT),
                    (&draft.uid, Type::INT8),
                    (&draft.home, Type::TEXT),
                    (&draft.shell, Type::TEXT),
                    (&draft.gecos, Type::TEXT),
                    (&draft.admin, Type::BOOL),
                    (&draft.active.map(|active| !active), Type::BOOL),
                    (&Json(&draft.doc), Type::JSONB),
                    (&Json(&draft.doc_key), Type::JSONB),
                    (&Json(db.options.value()), Type::JSONB),
                    (&Json(&self.origin.value()), Type::JSONB),
                ],
            )
            .await?;
        written(&rows, Some(&draft.doc))
    }

    /// `api.users_create`.
    async fn all(db: &Database, calls: &[Self]) -> Result<Vec<Written>, Error> {
        let names = column(calls, |call| match &call.draft.posix_name {
            Some(asked) => asked.clone(),
            None => posix::derive_user_name(&call.draft.user_name),
        });
        let emails: Vec<(&str, Uuid)> = calls
            .iter()
            .flat_map(|call| call.draft.email_keys.iter().map(|key| (key.as_str(), call.id)))
            .collect();
        let (email_keys, email_owners): (Vec<&str>, Vec<Uuid>) = emails.into_iter().unzip();
        let path = calls.first().map_or("", |call| call.origin.path);
        let rows = db
            .write(
                "users_create",
                Repeat::Many,
                "select * from api.users_create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
                 $19, $20)",
                &[
                    (&column(calls, |call| call.id), Type::UUID_ARRAY),
                    (&column(calls, |call| call.draft.user_name_key.as_str()), Type::TEXT_ARRAY),
                    (&KEY_VERSION, Type::INT2),
                    (&column(calls, |call| call.draft.external_id.as_deref()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.draft.display_name_key.as_deref()), Type::TEXT_ARRAY),
                    (&names, Type::TEXT_ARRAY),
                    (&column(calls, |call| call.draft.home.as_deref()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.draft.shell.as_deref()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.draft.gecos.as_deref()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.draft.admin), Type::BOOL_ARRAY),
                    (&column(calls, |call| call.draft.active.map(|active| !active)), Type::BOOL_ARRAY),
                    (&column(calls, |call| Json(&call.draft.doc)), Type::JSONB_ARRAY),
                    (&column(calls, |call| Json(&call.draft.doc_key)), Type::JSONB_ARRAY),
                    (&email_keys, Type::TEXT_ARRAY),
                    (&email_owners, Type::UUID_ARRAY),
                    (&column(calls, |call| call.origin.actor.as_str()), Type::TEXT_ARRAY),
                    (&path, Type::TEXT),
                    (&column(calls, |call| call.origin.request_id.as_str()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.origin.address.as_deref()), Type::TEXT_ARRAY),
                    (&Json(db.options.value()), Type::JSONB),
                ],
            )
            .await?;
        calls
            .iter()
            .map(|call| {
                let row = rows.iter().find(|row| row.get::<_, Uuid>("id") == call.id);
                let row = row.ok_or_else(|| Error::Internal("api.users_create left one out".into()))?;
                Ok(Written {
                    user: user_row(row, Some(&call.draft.doc))?,
                    changed: true,
                })
            })
            .collect()
    }
}
