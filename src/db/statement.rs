//! One statement on one connection: sent, bounded in time, and the connection given back or thrown away.

use std::time::Duration;

use deadpool_postgres::Object;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, NoTls, Row};

use super::pool;
use super::sqlstate::{self, Verdict};

/// Parameters with their types, for an unnamed statement.
pub(super) type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// Why a statement gave no rows.
pub(super) enum Failure {
    /// What the server said, or the lost connection, means.
    Verdict(Verdict),
    /// It took too long.
    TimedOut,
}

/// Most statements kept prepared on one connection: filters of clients make any number of them. When they have, statements
/// go unprepared until the connection is replaced (within ten minutes).
const MAX_PREPARED: usize = 200;

/// One statement to be sent.
pub(super) struct Statement<'a> {
    pub(super) sql: &'a str,
    pub(super) parameters: Parameters<'a>,
    /// A time limit of its own, which the session's is lifted to.
    pub(super) long: Option<Duration>,
    /// Whether it is kept prepared on its connection.
    pub(super) prepared: bool,
}

impl Statement<'_> {
    /// Sends it and waits at most `limit`. A connection that may be broken, or is still busy, is thrown away.
    pub(super) async fn bounded(&self, connection: Object, limit: Duration) -> Result<Vec<Row>, Failure> {
        let mut lease = Lease::of(connection);
        let Some(connection) = lease.connection.as_mut() else {
            return Err(Failure::TimedOut);
        };
        let outcome = tokio::time::timeout(limit, self.send(connection)).await;
        match outcome {
            Ok(Ok(rows)) => {
                lease.give_back();
                Ok(rows)
            }
            Ok(Err(error)) => {
                let verdict = sqlstate::judge(&error);
                if matches!(verdict, Verdict::Ambiguous | Verdict::Retry { drop_connection: true }) {
                    tracing::info!(reason = %pool::describe(&error), "a database connection is given up");
                    lease.throw_away();
                } else {
                    lease.give_back();
                }
                Err(Failure::Verdict(verdict))
            }
            Err(_) => Err(Failure::TimedOut),
        }
    }

    async fn send(&self, connection: &mut Object) -> Result<Vec<Row>, tokio_postgres::Error> {
        let Some(long) = self.long else {
            if self.prepared && connection.statement_cache.size() < MAX_PREPARED {
                return self.send_prepared(connection).await;
            }
            return connection.query_typed(self.sql, self.parameters).await;
        };
        // Says that it writes: transactions of the role `read` do not unless they say so.
        let transaction = connection.build_transaction().read_only(false).start().await?;
        let lift = format!("set local statement_timeout = {}", long.as_millis());
        transaction.batch_execute(&lift).await?;
        let rows = transaction.query_typed(self.sql, self.parameters).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    async fn send_prepared(&self, connection: &Object) -> Result<Vec<Row>, tokio_postgres::Error> {
        let types: Vec<Type> = self.parameters.iter().map(|(_, kind)| kind.clone()).collect();
        let values: Vec<_> = self.parameters.iter().map(|(value, _)| *value).collect();
        let statement = connection.prepare_typed_cached(self.sql, &types).await?;
        connection.query(&statement, &values).await
    }
}

/// A connection with a statement under way. Whoever gives the call up before its end, by a time-out or because another source was
/// faster, must not leave the busy connection to the next: it is thrown away, and the server asked to stop the statement.
struct Lease {
    connection: Option<Object>,
    cancel: CancelToken,
}

impl Lease {
    fn of(connection: Object) -> Self {
        let cancel = connection.cancel_token();
        Self {
            connection: Some(connection),
            cancel,
        }
    }

    /// The statement has ended: the connection may be used again.
    fn give_back(mut self) {
        self.connection.take();
    }

    /// The connection may be broken: nobody shall use it again.
    fn throw_away(mut self) {
        self.connection.take().map(Object::take);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        drop(Object::take(connection));
        let cancel = self.cancel.clone();
        tokio::spawn(async move {
            // Over TLS the request is refused by the server and the statement time-out does the same a second later.
            let _ = tokio::time::timeout(Duration::from_secs(2), cancel.cancel_query(NoTls)).await;
        });
    }
}
