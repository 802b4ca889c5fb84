//! Whether the primary answers: looked at every half second, so that reads need not find out one by one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::types::Type;

use super::pool::{self, Database, NoConnection};

/// How long the primary may take to say that it is one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks in a row that must fail: one may have met a single broken connection.
const FAILURES: u32 = 2;

/// What the last look has shown.
#[derive(Debug)]
pub(super) struct Primary {
    answers: watch::Sender<bool>,
    failures: AtomicU32,
}

impl Default for Primary {
    /// Nobody has looked yet: it is taken for granted.
    fn default() -> Self {
        Self {
            answers: watch::Sender::new(true),
            failures: AtomicU32::new(0),
        }
    }
}

impl Primary {
    /// Whether it did not answer at the last look.
    pub(super) fn is_lost(&self) -> bool {
        !*self.answers.borrow()
    }

    /// Notes what a look has shown.
    fn note(&self, answered: bool) {
        let failures = if answered {
            0
        } else {
            self.failures.load(Ordering::Relaxed) + 1
        };
        self.failures.store(failures, Ordering::Relaxed);
        if !answered && failures < FAILURES {
            return;
        }
        if self.answers.send_replace(answered) != answered {
            if answered {
                tracing::info!("the primary answers again");
            } else {
                tracing::warn!("no primary answers: reads come from the standby");
            }
        }
    }

    /// Ends once it does not answer; at once when it does not now.
    pub(super) async fn lost(&self) {
        let mut answers = self.answers.subscribe();
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
        let Some(answers) = answers else { return };
        // Chosen before anybody is sent there.
        if !answers {
            self.freshest.choose().await;
        } else if self.watch.is_lost() {
            self.freshest.rest();
        }
        self.watch.note(answers);
    }
}

#[cfg(test)]
mod tests {
    use super::Primary;

    #[test]
    fn one_failed_look_is_no_loss_and_one_good_look_ends_it() {
        let primary = Primary::default();
        primary.note(false);
        assert!(!primary.is_lost());
        primary.note(false);
        assert!(primary.is_lost());
        primary.note(true);
        assert!(!primary.is_lost());
        primary.note(false);
        assert!(!primary.is_lost(), "it must fail twice again");
    }
}
