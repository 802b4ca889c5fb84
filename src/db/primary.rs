//! Whether the primary answers: looked at every half second, so that reads need not find out one by one.

use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::types::Type;

use super::pool::{self, Database, NoConnection};

/// How long the primary may take to say that it is one.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What the last look has shown.
#[derive(Debug)]
pub(super) struct Primary(watch::Sender<bool>);

impl Default for Primary {
    /// Nobody has looked yet: it is taken for granted.
    fn default() -> Self {
        Self(watch::Sender::new(true))
    }
}

impl Primary {
    /// Whether it did not answer at the last look.
    pub(super) fn is_lost(&self) -> bool {
        !*self.0.borrow()
    }

    /// Ends once it does not answer; at once when it does not now.
    pub(super) async fn lost(&self) {
        let mut answers = self.0.subscribe();
        if answers.wait_for(|answers| !answers).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Database {
    /// Looks whether the primary answers; called every half second. A pool without a free connection says nothing about it.
    pub async fn observe_primary(&self) {
        if self.standby.is_none() || !self.has_primary {
            return;
        }
        let look = async {
            let connection = match pool::take(&self.primary).await {
                Ok(connection) => connection,
                Err(NoConnection::Busy) => return None,
                Err(NoConnection::Away(_)) => return Some(false),
            };
            let sql = "select pg_catalog.pg_is_in_recovery() = $1";
            let rows = connection.query_typed(sql, &[(&false, Type::BOOL)]).await;
            Some(rows.is_ok_and(|rows| rows.first().is_some_and(|row| row.get(0))))
        };
        let answers = tokio::time::timeout(PATIENCE, look).await.unwrap_or(Some(false));
        if let Some(answers) = answers
            && self.watch.0.send_replace(answers) != answers
        {
            if answers {
                tracing::info!("the primary answers again");
            } else {
                tracing::warn!("no primary answers: reads come from the standby");
            }
        }
    }
}
