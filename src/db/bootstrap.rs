//! Whose turn it is to apply the bootstrap file: one process at a time, all replicas together.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};

use super::pool::{self, Database};
use crate::error::Error;

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
}
