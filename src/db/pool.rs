//! The pools: writes and strong reads go to the primary, reads that may trail to the standbys, and nodes have connections to the
//! primary that no write can take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use deadpool::managed::QueueMode;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Timeouts};
use tokio::runtime::Handle;

use super::connect::Address;
use super::connect::threads::OnThreads;
use super::deadline;
use super::freshest::Freshest;
use super::gather::Place;
use super::login_calls::{ApplyCall, ProbeCall};
use super::nss::Lag;
use super::options::Options;
use super::primary::Primary;
use super::status::Seen;
use super::user_calls::Creation;
use crate::error::Error;
use crate::telemetry::metrics::METRICS;

/// A connection older than this is not used again, so that moved addresses and rotated passwords are noticed.
const MAX_AGE: Duration = Duration::from_mins(10);

/// A connection that lay idle longer than this is asked whether its server still takes writes.
const CHECK_AFTER_IDLE: Duration = Duration::from_secs(5);

/// Connections to the primary for nodes where there are standbys: they ask it only about who is not there, and while no standby
/// answers.
const NODES_AT_PRIMARY: usize = 4;

/// How pools are built.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Most connections to the primary.
    pub pool_size: usize,
    /// Most connections to the standbys; without one, to the primary for reads that may trail.
    pub read_pool_size: usize,
    /// Longest wait for a free connection.
    pub wait_timeout: Duration,
    /// Longest time for making a connection, handshake included.
    pub create_timeout: Duration,
    /// Longest time for checking a connection before use.
    pub recycle_timeout: Duration,
    /// Longest time for one statement.
    pub statement_timeout: Duration,
    /// Longest time for one write with its retries.
    pub write_deadline: Duration,
    /// A standby that trails more than this is stale.
    pub read_staleness: Duration,
    /// Whether statements stay prepared on their connection: not behind a pooler in transaction mode.
    pub prepared_statements: bool,
    /// Where connections to the primary live, those of nodes apart: on the threads that call most, because a call whose answer comes
    /// by other threads wakes twice as many. `None`: on those of whoever needs the connection first.
    pub primary_threads: Option<Handle>,
}

/// The database as the layers above see it. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pub(super) primary: Pool,
    pub(super) standby: Option<Pool>,
    /// The standbys one by one, for SCIM reads while no primary answers.
    pub(super) freshest: Arc<Freshest>,
    /// To the primary, for what nodes read: writes that queue for theirs are not in front of it.
    pub(super) nodes: Pool,
    pub(super) options: Arc<Options>,
    pub(super) settings: Arc<Settings>,
    pub(super) lag: Arc<Lag>,
    pub(super) seen: Arc<Seen>,
    pub(super) watch: Arc<Primary>,
    /// Whether `primary` is one: a replica of role read may have the standby alone.
    pub(super) has_primary: bool,
    /// Where creations of users wait for each other.
    pub(super) creations: Arc<Place<Creation>>,
    /// Where sign-ins that may turn out unchanged wait for each other.
    pub(super) probes: Arc<Place<ProbeCall>>,
    /// Where all other sign-ins wait for each other.
    pub(super) applications: Arc<Place<ApplyCall>>,
}

impl Database {
    /// Builds the pools without connecting. Raises nothing but a defect of the settings. Without `primary` everything is
    /// read from `standby`, which must be given then.
    pub fn new(
        primary: Option<&Address>,
        standby: Option<&Address>,
        settings: Settings,
        options: Options,
    ) -> anyhow::Result<Self> {
        let settings = Arc::new(settings);
        let main = primary.or(standby).context("there is no database to connect to")?;
        let for_nodes = match standby {
            Some(_) => NODES_AT_PRIMARY.min(settings.read_pool_size),
            None => settings.read_pool_size,
        };
        Ok(Self {
            primary: pool(
                main,
                settings.pool_size,
                &settings,
                primary.is_some(),
                settings.primary_threads.clone(),
            )?,
            standby: standby
                .map(|address| pool(address, settings.read_pool_size, &settings, false, None))
                .transpose()?,
            freshest: Arc::new(Freshest::of(each_standby(standby, &settings)?)),
            nodes: pool(main, for_nodes, &settings, primary.is_some(), None)?,
            lag: Arc::default(),
            seen: Arc::default(),
            watch: Arc::default(),
            has_primary: primary.is_some(),
            creations: Arc::default(),
            probes: Arc::default(),
            applications: Arc::default(),
            options: Arc::new(options),
            settings,
        })
    }

    /// Runs `work`, whose calls together are tried for as long as one write.
    pub async fn as_one_change<T>(&self, work: impl Future<Output = T>) -> T {
        deadline::within(self.settings.write_deadline, work).await
    }

    /// Whether there is a server of its own for reads that may trail.
    pub fn has_standby(&self) -> bool {
        self.standby.is_some()
    }

    /// The pool for reads that may trail.
    pub(super) fn read_pool(&self) -> &Pool {
        self.standby.as_ref().unwrap_or(&self.nodes)
    }

    /// Brings the gauges of the pools up to date.
    pub fn observe_pools(&self) {
        for (name, status) in [
            ("primary", Some(self.primary.status())),
            ("standby", self.standby.as_ref().map(Pool::status)),
            ("freshest", self.freshest.status()),
            ("nodes", Some(self.nodes.status())),
        ] {
            let Some(status) = status else { continue };
            let gauge = |family: &prometheus::IntGaugeVec, labels: &[&str], value: usize| {
                family
                    .with_label_values(labels)
                    .set(i64::try_from(value).unwrap_or(i64::MAX));
            };
            gauge(&METRICS.db_pool_connections, &[name, "idle"], status.available);
            gauge(
                &METRICS.db_pool_connections,
                &[name, "used"],
                status.size.saturating_sub(status.available),
            );
            gauge(&METRICS.db_pool_connections_max, &[name], status.max_size);
            gauge(&METRICS.db_pool_waiters, &[name], status.waiting);
        }
    }

    /// Closes the pools: waiting callers get `Error::Unavailable`.
    pub fn close(&self) {
        self.primary.close();
        self.nodes.close();
        self.freshest.close();
        if let Some(pool) = &self.standby {
            pool.close();
        }
    }
}

/// A pool for each host of the standbys' address, where it names several.
fn each_standby(standby: Option<&Address>, settings: &Settings) -> anyhow::Result<Vec<Pool>> {
    let hosts = standby.map(Address::each_host).filter(|hosts| hosts.len() > 1);
    let hosts = hosts.unwrap_or_default();
    hosts
        .iter()
        .map(|host| pool(host, settings.read_pool_size, settings, false, None))
        .collect()
}

fn pool(
    address: &Address,
    size: usize,
    settings: &Settings,
    is_primary: bool,
    threads: Option<Handle>,
) -> anyhow::Result<Pool> {
    let manager = Manager::from_connect(
        address.config.clone(),
        OnThreads {
            tls: address.tls.clone(),
            threads,
        },
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    let check = Hook::async_fn(
        move |client: &mut deadpool_postgres::ClientWrapper, metrics: &deadpool_postgres::Metrics| {
            Box::pin(async move {
                if metrics.age() > MAX_AGE {
                    return Err(HookError::message("retired"));
                }
                if is_primary && metrics.last_used() > CHECK_AFTER_IDLE {
                    let row = client
                        .query_typed("select pg_catalog.pg_is_in_recovery()", &[])
                        .await
                        .map_err(HookError::Backend)?;
                    if row.first().is_none_or(|row| row.get(0)) {
                        return Err(HookError::message("demoted"));
                    }
                }
                Ok(())
            })
        },
    );
    Ok(Pool::builder(manager)
        .max_size(size)
        // The last one used is the one whose backend has everything at hand.
        .queue_mode(QueueMode::Lifo)
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(settings.wait_timeout),
            create: Some(settings.create_timeout),
            recycle: Some(settings.recycle_timeout),
        })
        .pre_recycle(check)
        .build()?)
}

/// Why no connection was had.
pub(super) enum NoConnection {
    /// All are in use: shed the call.
    Busy,
    /// None could be made: worth another try.
    Away(String),
}

/// Takes a connection, noting how long that took.
pub(super) async fn take(pool: &Pool) -> Result<Object, NoConnection> {
    let started = Instant::now();
    let taken = pool.get().await;
    METRICS.db_pool_wait.observe(started.elapsed().as_secs_f64());
    taken.map_err(|error| match error {
        PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) | PoolError::Closed => NoConnection::Busy,
        other => NoConnection::Away(describe(&other)),
    })
}

/// The whole chain of causes, for the log.
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

impl From<NoConnection> for Error {
    fn from(reason: NoConnection) -> Self {
        if let NoConnection::Away(text) = &reason {
            tracing::warn!(reason = %text, "no database connection");
        }
        Self::unavailable()
    }
}
