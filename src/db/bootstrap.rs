//! Whose turn it is to apply the bootstrap file, one process at a time, all replicas together; and what would come of it.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use tokio_postgres::types::{Json, Type};

use super::call::Repeat;
use super::pool::{self, Database};
use crate::error::Error;
use crate::posix;
use crate::scim::group::GroupDraft;
use crate::scim::user::UserDraft;

/// How long a turn may last; PostgreSQL ends it then, and the next process may begin.
const LONGEST_TURN: Duration = Duration::from_mins(5);

/// A turn at the bootstrap file. It ends when this is dropped, and when its process dies.
///
/// It is a transaction that holds a lock and nothing else.
#[derive(Debug)]
pub struct Turn {
    /// Taken out of the pool, which may be as small as one.
    _connection: ClientWrapper,
}

impl Database {
    /// `api.bootstrap_turn`: the turn, or `None` while another process has it.
    ///
    /// Raises `Error::Unavailable` when no primary answers.
    pub async fn bootstrap_turn(&self) -> Result<Option<Turn>, Error> {
        let connection = Object::take(pool::take(&self.primary).await?);
        let begin = format!(
            "begin; set local idle_in_transaction_session_timeout = {}",
            LONGEST_TURN.as_millis()
        );
        let ask = async {
            connection.batch_execute(&begin).await?;
            connection.query_typed("select api.bootstrap_turn()", &[]).await
        };
        let rows = tokio::time::timeout(self.settings.statement_timeout, ask)
            .await
            .map_err(|_| Error::unavailable())?
            .map_err(|error| {
                tracing::debug!(reason = %pool::describe(&error), "no turn at the bootstrap file");
                Error::unavailable()
            })?;
        let is_ours = rows.first().is_some_and(|row| row.get(0));
        Ok(is_ours.then_some(Turn {
            _connection: connection,
        }))
    }

    /// What `user_create` would say to the name and the uid of a draft, without creating anybody. Raises `Taken`, `Reserved`.
    pub async fn user_trial(&self, key: &str, draft: &UserDraft) -> Result<(), Error> {
        let derived = posix::derive_user_name(&draft.user_name);
        let name = (draft.posix_name.as_deref(), derived.as_str());
        self.identity_trial("user", key, draft.external_id.as_deref(), name, draft.uid)
            .await
    }

    /// What `group_create` would say to the name and the gid of a draft. Raises `Taken`, `Reserved`.
    pub async fn group_trial(&self, draft: &GroupDraft) -> Result<(), Error> {
        let derived = posix::derive_group_name(&draft.display_name);
        let name = (draft.posix_name.as_deref(), derived.as_str());
        self.identity_trial("group", "", None, name, draft.gid).await
    }

    /// `api.identity_trial`; `name` is the one asked for and the derived one.
    async fn identity_trial(
        &self,
        kind: &str,
        key: &str,
        external_id: Option<&str>,
        name: (Option<&str>, &str),
        number: Option<i64>,
    ) -> Result<(), Error> {
        let sql = "select api.identity_trial($1, $2, $3, $4, $5, $6, $7)";
        let options = Json(self.options.value());
        let parameters = &[
            (&kind as _, Type::TEXT),
            (&key as _, Type::TEXT),
            (&external_id as _, Type::TEXT),
            (&name.0 as _, Type::TEXT),
            (&name.1 as _, Type::TEXT),
            (&number as _, Type::INT8),
            (&options as _, Type::JSONB),
        ];
        self.write("identity_trial", Repeat::Idempotent, sql, parameters)
            .await?;
        Ok(())
    }
}
