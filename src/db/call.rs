//! One call of the contract: takes a connection, bounds its time, and decides alone what is tried again.

use std::time::{Duration, Instant};

use deadpool_postgres::Pool;
use futures_util::future::BoxFuture;
use tokio_postgres::Row;

use super::deadline;
use super::pool::{self, Database, NoConnection};
use super::sqlstate::Verdict;
use super::statement::{Failure, Parameters, Statement};
use super::trail;
use crate::error::Error;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::traces::CallSpan;

/// Writes that leave no line in the audit log: they change no user, group or token that anybody holds.
const NOT_AUDITED: &[&str] = &[
    "token_touch",
    "nodes_note",
    "session_touch",
    "requests_note",
    "maintain",
    "id_follow_epoch",
    "sign_ins_note",
    "identity_trial",
    "user_update_trial",
];

/// The writes that leave as many lines in the audit log as they give rows; any other leaves one.
const AUDITED_BY_ROW: &[&str] = &["users_create", "logins_apply"];

/// Counts audit rows, which are written in the transaction of their change: a refused change writes none, and neither does one
/// that finds no database.
fn count_audit(op: &str, outcome: &Result<Vec<Row>, Error>) {
    let (word, lines) = match outcome {
        Ok(rows) if AUDITED_BY_ROW.contains(&op) => ("ok", rows.len()),
        Ok(_) => ("ok", 1),
        Err(Error::Internal(_)) => ("failed", 1),
        Err(_) => return,
    };
    if !NOT_AUDITED.contains(&op) {
        METRICS.audit_events.with_label_values(&[word]).inc_by(lines as u64);
    }
}

/// Whether a call may be sent again when it is not known whether it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Sending it twice has the effect of sending it once.
    Idempotent,
    /// The same, but it is many calls in one: when one of them meets a lock that somebody holds, they are better sent one by one.
    Many,
    /// Not to be sent again when its outcome is unknown.
    Never,
}

/// Longest time for a read with its retries, in the absence of a longer statement time-out. A read on behalf of a change has as long
/// as the change ([`deadline`]).
const READ_DEADLINE: Duration = Duration::from_secs(8);

/// Longest time for a read of a node with its retries: it has other addresses, and a copy of its own.
pub(super) const QUICK_DEADLINE: Duration = Duration::from_secs(2);

/// How much longer the client waits for a statement than the server lets it run.
const GRACE: Duration = Duration::from_secs(1);

impl Database {
    /// Sends a write to the primary. `op` is the name of the SQL function, for the metric.
    pub(super) async fn write(
        &self,
        op: &'static str,
        repeat: Repeat,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let outcome = self
            .call(
                &self.primary,
                op,
                repeat,
                self.settings.write_deadline,
                None,
                sql,
                parameters,
            )
            .await;
        count_audit(op, &outcome);
        outcome
    }

    /// Sends a write that may take up to `limit`, in a transaction of its own that lifts the statement time-out.
    pub(super) async fn long_write(
        &self,
        op: &'static str,
        repeat: Repeat,
        limit: Duration,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let deadline = self.settings.write_deadline.max(limit + GRACE);
        self.call(&self.primary, op, repeat, deadline, Some(limit), sql, parameters)
            .await
    }

    /// Sends a read to the primary: it sees every acknowledged write. While no primary answers, and the request may be told what
    /// is old ([`trail`]), it comes from the freshest standby.
    pub(super) async fn read(
        &self,
        op: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let deadline = READ_DEADLINE.max(self.settings.statement_timeout + GRACE);
        let strong = self.call(&self.primary, op, Repeat::Idempotent, deadline, None, sql, parameters);
        if self.standby.is_none() || !self.has_primary || !trail::is_allowed() {
            return strong.await;
        }
        tokio::select! {
            biased;
            () = self.watch.lost() => {}
            outcome = strong => {
                if !matches!(outcome, Err(Error::Unavailable { .. })) || !self.watch.is_lost() {
                    return outcome;
                }
            }
        }
        let rows = self.read_of_freshest(op, sql, parameters).await?;
        trail::note(self.lag.get().unwrap_or(self.settings.read_staleness));
        METRICS.db_reads.with_label_values(&["stale"]).inc();
        Ok(rows)
    }

    /// Sends a read that may trail.
    pub(super) async fn trailing_read(
        &self,
        op: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let deadline = READ_DEADLINE.max(self.settings.statement_timeout + GRACE);
        self.call(
            self.read_pool(),
            op,
            Repeat::Idempotent,
            deadline,
            None,
            sql,
            parameters,
        )
        .await
    }

    /// A read for a node, from the primary: answered within two seconds or not at all.
    pub(super) async fn quick_read(
        &self,
        op: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        self.quick(&self.nodes, op, sql, parameters).await
    }

    /// A read for a node, from the standby.
    pub(super) async fn quick_trailing_read(
        &self,
        op: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        self.quick(self.read_pool(), op, sql, parameters).await
    }

    /// A read that is answered within two seconds or not at all.
    pub(super) async fn quick(
        &self,
        pool: &Pool,
        op: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        // On the heap: several of these lie side by side in the future of one request.
        let call = Box::pin(self.call(pool, op, Repeat::Idempotent, QUICK_DEADLINE, None, sql, parameters));
        tokio::time::timeout(QUICK_DEADLINE, call)
            .await
            .unwrap_or_else(|_| Err(Error::unavailable()))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "private, and each is a different fact of the call"
    )]
    fn call<'a>(
        &'a self,
        pool: &'a Pool,
        op: &'static str,
        repeat: Repeat,
        deadline: Duration,
        long: Option<Duration>,
        sql: &'a str,
        parameters: Parameters<'a>,
    ) -> BoxFuture<'a, Result<Vec<Row>, Error>> {
        // In a box of its own: every handler's future would hold the driver's otherwise, and be moved about with it.
        Box::pin(async move {
            let mut span = CallSpan::begin(op);
            // A long statement has its time, a database that is away has no more of it than elsewhere.
            let patience = long.map(|_| self.settings.write_deadline);
            let mut backoff = Backoff::new(deadline::end(deadline), patience);
            loop {
                let connection = match pool::take(pool).await {
                    Ok(connection) => connection,
                    Err(NoConnection::Busy) => {
                        span.fail("busy");
                        return Err(Error::Unavailable {
                            retry_after: Duration::from_secs(1),
                        });
                    }
                    Err(reason @ NoConnection::Away(_)) => {
                        if backoff.pause().await {
                            continue;
                        }
                        span.fail("away");
                        return Err(reason.into());
                    }
                };
                let limit = long.unwrap_or(self.settings.statement_timeout) + GRACE;
                let asked = Instant::now();
                let statement = Statement {
                    sql,
                    parameters,
                    long,
                    prepared: self.settings.prepared_statements,
                };
                let outcome = statement.bounded(connection, limit).await;
                METRICS
                    .db_query_duration
                    .with_label_values(&[op])
                    .observe(asked.elapsed().as_secs_f64());
                let may_try_again = match outcome {
                    Ok(rows) => return Ok(rows),
                    Err(Failure::Verdict(Verdict::Refused(error))) => return Err(error),
                    Err(Failure::Verdict(Verdict::Retry { drop_connection: false })) if repeat == Repeat::Many => {
                        return Err(Error::TooMuchWork);
                    }
                    Err(Failure::Verdict(Verdict::Retry { .. })) => true,
                    Err(Failure::Verdict(Verdict::Ambiguous) | Failure::TimedOut) => repeat != Repeat::Never,
                };
                if !may_try_again || !backoff.pause().await {
                    span.fail("broken");
                    return Err(Error::unavailable());
                }
                tracing::debug!(op, "trying again");
            }
        })
    }
}

/// Growing pauses with jitter until a deadline.
struct Backoff {
    next: Duration,
    until: Instant,
    /// How long after the first failure the deadline is at the latest.
    patience: Option<Duration>,
}

impl Backoff {
    fn new(until: Instant, patience: Option<Duration>) -> Self {
        Self {
            next: Duration::from_millis(20),
            until,
            patience,
        }
    }

    /// Sleeps; false when the deadline leaves no time for that.
    async fn pause(&mut self) -> bool {
        if let Some(patience) = self.patience.take() {
            self.until = self.until.min(Instant::now() + patience);
        }
        let pause = self.next.mul_f64(0.5 + rand::random::<f64>());
        if Instant::now() + pause >= self.until {
            return false;
        }
        tokio::time::sleep(pause).await;
        self.next = (self.next * 2).min(Duration::from_secs(1));
        true
    }
}
