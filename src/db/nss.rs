//! Reads for nodes: from the standby while it is fresh, then the primary, then the standby however old.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::pool::Database;
use super::statement::Parameters;
use crate::error::Error;
use crate::telemetry::metrics::METRICS;

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// How far it may trail the primary.
    pub age: Duration,
    /// Whether that is more than the staleness bound.
    pub stale: bool,
}

/// How long one source may keep a node waiting before the next is asked beside it.
const HEDGE: Duration = Duration::from_millis(150);

/// How long the databases have for one record; then the node is told what it was told last. A node waits 2 s in all, and a balancer
/// in between has to have time for asking another replica.
const RECORD_DEADLINE: Duration = Duration::from_millis(600);

impl Source {
    const PRIMARY: Self = Self {
        age: Duration::ZERO,
        stale: false,
    };

    /// The value of the metric label `source`.
    fn label(self) -> &'static str {
        match self {
            Self::PRIMARY => "primary",
            Self { stale: false, .. } => "standby",
            Self { stale: true, .. } => "stale",
        }
    }
}

/// How far the standby trails, as its last look has told, in milliseconds; negative while it does not answer.
#[derive(Debug)]
pub(super) struct Lag(AtomicI64);

impl Default for Lag {
    fn default() -> Self {
        Self(AtomicI64::new(-1))
    }
}

impl Lag {
    pub(super) fn get(&self) -> Option<Duration> {
        u64::try_from(self.0.load(Ordering::Relaxed))
            .ok()
            .map(Duration::from_millis)
    }

    pub(super) fn set(&self, lag: Option<f64>) {
        let milliseconds = lag.map_or(-1, |seconds| {
            Duration::from_secs_f64(seconds.max(0.0))
                .as_millis()
                .try_into()
                .unwrap_or(i64::MAX)
        });
        self.0.store(milliseconds, Ordering::Relaxed);
    }
}

/// Which record.
#[derive(Debug, Clone)]
pub enum Key {
    /// By POSIX name.
    Name(String),
    /// By uid or gid.
    Number(i64),
}

impl Key {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Number(_) => None,
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Self::Name(_) => None,
            Self::Number(number) => Some(*number),
        }
    }
}

/// A record as JSON text, or that there is none.
pub type Record = Option<String>;

/// A page of records as JSON text.
#[derive(Debug)]
pub struct NssPage {
    /// The records, a JSON array.
    pub entries: String,
    /// Private groups of the users on it, a JSON array.
    pub private_groups: String,
    /// The id after which the next page begins.
    pub next: Option<Uuid>,
}

/// Where a reader of the change feed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The history of the ids.
    pub epoch: i64,
    /// The feed row.
    pub id: i64,
    /// How many parts of it have been seen.
    pub ordinal: i32,
}

/// What has changed since a position.
#[derive(Debug)]
pub struct Changes {
    /// Where the reader stands now.
    pub position: Position,
    /// Whether there is more at once.
    pub more: bool,
    /// The changes, a JSON array.
    pub changes: String,
}

impl Database {
    /// `api.nss_passwd`.
    pub async fn nss_passwd(&self, key: &Key) -> Result<(Record, Source), Error> {
        self.record("nss_passwd", "select api.nss_passwd($1, $2, $3)::text", key)
            .await
    }

    /// `api.nss_group`.
    pub async fn nss_group(&self, key: &Key) -> Result<(Record, Source), Error> {
        self.record("nss_group", "select api.nss_group($1, $2, $3)::text", key)
            .await
    }

    /// `api.nss_shadow`, by name.
    pub async fn nss_shadow(&self, name: &str) -> Result<(Record, Source), Error> {
        let options = Json(self.options.value());
        self.one(
            "nss_shadow",
            "select api.nss_shadow($1, $2)::text",
            &[(&name, Type::TEXT), (&options, Type::JSONB)],
        )
        .await
    }

    /// `api.nss_initgroups`.
    pub async fn nss_initgroups(&self, name: &str) -> Result<(Record, Source), Error> {
        let options = Json(self.options.value());
        let sql = "select api.nss_initgroups($1, $2)::text";
        self.one("nss_initgroups", sql, &[(&name, Type::TEXT), (&options, Type::JSONB)])
            .await
    }

    /// `api.nss_user`: what a login needs in one answer.
    pub async fn nss_user(&self, key: &Key, with_shadow: bool) -> Result<(Record, Source), Error> {
        let options = Json(self.options.value());
        self.one(
            "nss_user",
            "select api.nss_user($1, $2, $3, $4)::text",
            &[
                (&key.name(), Type::TEXT),
                (&key.number(), Type::INT8),
                (&with_shadow, Type::BOOL),
                (&options, Type::JSONB),
            ],
        )
        .await
    }

    /// `api.nss_users_page`: `full` for User records, else Passwd.
    pub async fn nss_users_page(
        &self,
        after: Option<Uuid>,
        limit: i32,
        full: bool,
    ) -> Result<(NssPage, Source), Error> {
        let options = Json(self.options.value());
        let sql = "select entries::text, private_groups::text, next from api.nss_users_page($1, $2, $3, $4)";
        let parameters: Parameters<'_> = &[
            (&after, Type::UUID),
            (&limit, Type::INT4),
            (&full, Type::BOOL),
            (&options, Type::JSONB),
        ];
        let (rows, source) = self.any("nss_users_page", sql, parameters).await?;
        let row = first(&rows)?;
        Ok((
            NssPage {
                entries: row.get(0),
                private_groups: row.get(1),
                next: row.get(2),
            },
            source,
        ))
    }

    /// `api.nss_groups_page`: groups of the provider, private ones left out.
    pub async fn nss_groups_page(
        &self,
        after: Option<Uuid>,
        limit: i32,
        with_members: bool,
    ) -> Result<(NssPage, Source), Error> {
        let sql = "select entries::text, next from api.nss_groups_page($1, $2, $3)";
        let parameters: Parameters<'_> = &[(&after, Type::UUID), (&limit, Type::INT4), (&with_members, Type::BOOL)];
        let (rows, source) = self.any("nss_groups_page", sql, parameters).await?;
        let row = first(&rows)?;
        Ok((
            NssPage {
                entries: row.get(0),
                private_groups: "[]".into(),
                next: row.get(1),
            },
            source,
        ))
    }

    /// `api.nss_feed_position`: taken before a snapshot is read.
    pub async fn nss_feed_position(&self) -> Result<(Position, Source), Error> {
        let (rows, source) = self
            .any(
                "nss_feed_position",
                "select epoch, id from api.nss_feed_position()",
                &[],
            )
            .await?;
        let row = first(&rows)?;
        Ok((
            Position {
                epoch: row.get(0),
                id: row.get(1),
                ordinal: i32::MAX,
            },
            source,
        ))
    }

    /// `api.nss_changes`; `None` when the position is of another epoch or too old.
    pub async fn nss_changes(&self, since: Position, limit: i32) -> Result<(Option<Changes>, Source), Error> {
        let options = Json(self.options.value());
        let sql = "select epoch, id, ordinal, more, changes::text from api.nss_changes($1, $2, $3, $4, $5)";
        let parameters: Parameters<'_> = &[
            (&since.epoch, Type::INT8),
            (&since.id, Type::INT8),
            (&since.ordinal, Type::INT4),
            (&limit, Type::INT4),
            (&options, Type::JSONB),
        ];
        let (rows, source) = self.any("nss_changes", sql, parameters).await?;
        let changes = rows.first().map(|row| Changes {
            position: Position {
                epoch: row.get(0),
                id: row.get(1),
                ordinal: row.get(2),
            },
            more: row.get(3),
            changes: row.get(4),
        });
        Ok((changes, source))
    }

    async fn record(&self, op: &'static str, sql: &str, key: &Key) -> Result<(Record, Source), Error> {
        let options = Json(self.options.value());
        let parameters: Parameters<'_> = &[
            (&key.name(), Type::TEXT),
            (&key.number(), Type::INT8),
            (&options, Type::JSONB),
        ];
        self.one(op, sql, parameters).await
    }

    /// A record, within [`RECORD_DEADLINE`].
    async fn one(&self, op: &'static str, sql: &str, parameters: Parameters<'_>) -> Result<(Record, Source), Error> {
        tokio::time::timeout(RECORD_DEADLINE, self.one_confirmed(op, sql, parameters))
            .await
            .unwrap_or_else(|_| Err(Error::unavailable()))
    }

    /// A record; one that a standby does not have is asked of the primary before it is said to be absent.
    async fn one_confirmed(
        &self,
        op: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<(Record, Source), Error> {
        let (rows, source) = self.any(op, sql, parameters).await?;
        let record: Record = first(&rows)?.get(0);
        if record.is_some() || source == Source::PRIMARY {
            return Ok((record, source));
        }
        if self.has_primary {
            match self.quick_read(op, sql, parameters).await {
                Ok(rows) => return Ok((first(&rows)?.get(0), Source::PRIMARY)),
                Err(error) if source.stale => return Err(error),
                Err(_) => {}
            }
        }
        if source.stale {
            Err(Error::unavailable())
        } else {
            Ok((None, source))
        }
    }

    /// Rows from wherever there are some: fresh standby, primary, stale standby. A source that does not answer within [`HEDGE`]
    /// is not waited for alone: the next one is asked beside it.
    async fn any(&self, op: &'static str, sql: &str, parameters: Parameters<'_>) -> Result<(Vec<Row>, Source), Error> {
        let primary = async { Ok((self.quick_read(op, sql, parameters).await?, Source::PRIMARY)) };
        if self.standby.is_none() {
            return primary.await;
        }
        let lag = self.lag.get();
        let fresh = lag.filter(|age| *age <= self.settings.read_staleness);
        let trailing = Source {
            age: lag.unwrap_or(self.settings.read_staleness),
            stale: fresh.is_none(),
        };
        let standby = async {
            let rows = self.quick_trailing_read(op, sql, parameters).await;
            if rows.is_err() {
                // The next reads shall not wait for it until it has answered a look.
                self.lag.set(None);
            }
            Ok((rows?, trailing))
        };
        let answer = if !self.has_primary || self.watch.is_lost() {
            standby.await
        } else if fresh.is_none() {
            hedged(primary, standby, true).await
        } else {
            // Writes that queue for connections to the primary shall not be joined by reads that can do without.
            hedged(standby, primary, self.primary.status().waiting == 0).await
        };
        if let Ok((_, source)) = &answer {
            METRICS.db_reads.with_label_values(&[source.label()]).inc();
        }
        answer
    }
}

/// The answer of `first`; of `second` when `first` fails, or is not there after [`HEDGE`] and `second` is faster then
/// (`may_hedge`).
async fn hedged<T>(
    first: impl Future<Output = Result<T, Error>>,
    second: impl Future<Output = Result<T, Error>>,
    may_hedge: bool,
) -> Result<T, Error> {
    let (mut first, mut second) = (std::pin::pin!(first), std::pin::pin!(second));
    let pause = tokio::time::sleep(if may_hedge { HEDGE } else { super::call::QUICK_DEADLINE });
    tokio::select! {
        biased;
        answer = &mut first => return if answer.is_ok() { answer } else { second.await },
        () = pause => {}
    }
    tokio::select! {
        answer = &mut first => if answer.is_ok() { answer } else { second.await },
        answer = &mut second => if answer.is_ok() { answer } else { first.await },
    }
}

fn first(rows: &[Row]) -> Result<&Row, Error> {
    rows.first()
        .ok_or_else(|| Error::Internal("the read API gave no row".into()))
}
