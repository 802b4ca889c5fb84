//! The change feed as many nodes ask for it: those who stand at the same place share what the database told a moment ago.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::future::Cache;

use crate::db::Database;
use crate::db::nss::{Changes, Position, Source};
use crate::error::Error;

/// How long an answer is told again: a node hears of a change so much later at most.
const TOLD_FOR: Duration = Duration::from_millis(100);

/// Most bytes of answers that are held.
const HELD_BYTES: u64 = 32 * 1024 * 1024;

/// What was told a moment ago, by position and most changes wanted. Nearly all nodes stand at the newest position or the one before,
/// so that the work of the database does not grow with their number.
pub struct FeedAnswers(Cache<(Position, i32), Arc<FeedAnswer>>);

/// One answer of the database.
pub(super) struct FeedAnswer {
    /// `None` when the position is of another epoch or too old.
    pub(super) changes: Option<Changes>,
    source: Source,
    told_at: Instant,
}

impl FeedAnswer {
    /// Where it came from; its age has grown meanwhile.
    pub(super) fn source(&self) -> Source {
        Source {
            age: self.source.age + self.told_at.elapsed(),
            stale: self.source.stale,
        }
    }
}

impl FeedAnswers {
    /// Holds nothing yet.
    #[expect(clippy::new_without_default, reason = "it is made once, and says so")]
    pub fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(HELD_BYTES)
                .weigher(|_, answer: &Arc<FeedAnswer>| {
                    let length = answer.changes.as_ref().map_or(0, |changes| changes.changes.len());
                    u32::try_from(length + 256).unwrap_or(u32::MAX)
                })
                .time_to_live(TOLD_FOR)
                .build(),
        )
    }

    /// What has changed since `position`, `limit` changes at most. Who asks while another's same question is under way waits for
    /// its answer. Raises what the database raises; that is not held.
    pub(super) async fn since(&self, db: &Database, position: Position, limit: i32) -> Result<Arc<FeedAnswer>, Error> {
        let asking = async {
            let asked_at = Instant::now();
            let (changes, source) = db.nss_changes(position, limit).await?;
            Ok(Arc::new(FeedAnswer {
                changes,
                source,
                told_at: asked_at,
            }))
        };
        let answer = self.0.try_get_with((position, limit), Box::pin(asking)).await;
        answer.map_err(|error: Arc<Error>| (*error).clone())
    }
}
