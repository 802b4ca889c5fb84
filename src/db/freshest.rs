//! Which standby is the freshest, where `database-read-uri` names several: SCIM reads come from that one while no primary answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{Pool, Status};
use futures_util::future::join_all;
use tokio_postgres::Row;

use super::pool::{self, Database};
use super::statement::Parameters;
use crate::error::Error;

/// How long a standby may take to say how far it is.
const PATIENCE: Duration = Duration::from_millis(500);

/// Each standby by itself; none where the connection string names one host, which may be a balancer.
#[derive(Default)]
pub(super) struct Freshest {
    each: Vec<Pool>,
    chosen: AtomicUsize,
}

impl Freshest {
    /// Nobody is asked before [`choose`](Self::choose).
    pub(super) fn of(each: Vec<Pool>) -> Self {
        Self {
            each,
            chosen: AtomicUsize::default(),
        }
    }

    /// The one that was chosen last; `None` where there is no choice.
    pub(super) fn pool(&self) -> Option<&Pool> {
        self.each.get(self.chosen.load(Ordering::Relaxed))
    }

    /// What they hold together; `None` where there is no choice.
    pub(super) fn status(&self) -> Option<Status> {
        self.each.iter().map(Pool::status).reduce(|all, one| Status {
            max_size: all.max_size + one.max_size,
            size: all.size + one.size,
            available: all.available + one.available,
            waiting: all.waiting + one.waiting,
        })
    }

    /// Asks all how far they have replayed, and chooses the furthest. Whoever does not answer in time is not chosen.
    pub(super) async fn choose(&self) {
        let looks = self
            .each
            .iter()
            .map(|pool| tokio::time::timeout(PATIENCE, replayed(pool)));
        let places = join_all(looks).await.into_iter().enumerate();
        let furthest = places
            .filter_map(|(place, far)| Some((far.ok()??, place)))
            // Of equals the first, as a connection string is read.
            .max_by_key(|(far, place)| (*far, std::cmp::Reverse(*place)));
        if let Some((_, place)) = furthest {
            self.chosen.store(place, Ordering::Relaxed);
        }
    }

    /// Ends their connections, for as long as nobody needs them.
    pub(super) fn rest(&self) {
        for pool in &self.each {
            pool.retain(|_, _| false);
        }
    }

    /// Closes them for good.
    pub(super) fn close(&self) {
        self.each.iter().for_each(Pool::close);
    }
}

impl Database {
    /// Sends a read to the freshest standby; to any, when there is no choice or that one does not answer.
    pub(super) async fn read_of_freshest(
        &self,
        op: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        if let Some(pool) = self.freshest.pool() {
            let outcome = self.quick(pool, op, sql, parameters).await;
            if !matches!(outcome, Err(Error::Unavailable { .. })) {
                return outcome;
            }
        }
        self.trailing_read(op, sql, parameters).await
    }
}

/// The place in the write-ahead log up to which a standby has replayed it; what a promoted one had then.
async fn replayed(pool: &Pool) -> Option<i64> {
    let connection = pool::take(pool).await.ok()?;
    let sql = "select pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')::bigint";
    let rows = connection.query_typed(sql, &[]).await.ok()?;
    rows.first()?.get(0)
}
