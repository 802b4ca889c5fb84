//! The door in front of the work of the API: some requests are worked on, some wait for a place, the rest is refused at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::respond::Refused;
use crate::scim::error::ScimError;
use crate::telemetry::metrics::METRICS;

/// Requests of a kind worked on at once for each connection to the primary: while some wait for the database, others are read
/// and written.
const PER_CONNECTION: usize = 4;

/// Requests of a kind worked on at once at least: two statements that are shared by as many as may share one.
const AT_LEAST: usize = 64;

/// Requests of a kind that may wait for a place. Who came later would wait in vain, and keep memory meanwhile.
const WAITING: usize = 512;

/// A door for each kind of work: none queues behind another.
pub struct Admission {
    /// For what may change something.
    pub changes: Door,
    /// For what only reads.
    pub reads: Door,
    /// For the sign-ins that a trusted front end hands in.
    pub sign_ins: Door,
}

impl Admission {
    /// Doors in front of `connections` to the primary, at which nobody waits longer than `patience`.
    pub fn new(connections: usize, patience: Duration) -> Self {
        let places = AT_LEAST.max(PER_CONNECTION * connections);
        Self {
            changes: Door::new("change", places, WAITING, patience),
            reads: Door::new("read", places, WAITING, patience),
            sign_ins: Door::new("sign_in", places, WAITING, patience),
        }
    }
}

/// One door.
pub struct Door {
    /// The value of the metric label `work`.
    work: &'static str,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

/// A place behind the door; free again when it is dropped.
pub struct Place(#[expect(dead_code, reason = "held, not looked at")] OwnedSemaphorePermit);

/// There was no place.
#[derive(Debug)]
pub struct Full;

impl From<Full> for Refused {
    fn from(_: Full) -> Self {
        Self {
            error: ScimError::new(503, None, "too many requests are being worked on; try again"),
            retry_after: Some(1),
        }
    }
}

impl Door {
    fn new(work: &'static str, places: usize, most_waiting: usize, patience: Duration) -> Self {
        Self {
            work,
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            most_waiting,
            patience,
        }
    }

    /// Takes a place, in the order of arrival.
    ///
    /// Raises [`Full`] at once when too many wait already, and when none was free for as long as may be waited.
    pub async fn enter(&self) -> Result<Place, Full> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(Place(place));
        }
        let refused = || {
            METRICS.shed.with_label_values(&[self.work]).inc();
            Full
        };
        let queue = Queue::join(&self.waiting);
        if queue.before >= self.most_waiting {
            return Err(refused());
        }
        let place = tokio::time::timeout(self.patience, self.places.clone().acquire_owned()).await;
        place.ok().and_then(Result::ok).map(Place).ok_or_else(refused)
    }
}

/// Somebody who waits; whoever hangs up leaves the queue by being dropped.
struct Queue<'a> {
    waiting: &'a AtomicUsize,
    before: usize,
}

impl<'a> Queue<'a> {
    fn join(waiting: &'a AtomicUsize) -> Self {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        Self { waiting, before }
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use futures_util::FutureExt as _;

    use super::Door;

    const PATIENCE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_refused_at_once_and_whoever_leaves_it_makes_room() {
        let door = Door::new("change", 1, 1, Duration::from_mins(1));
        let inside = door.enter().await.ok();
        let mut second = Box::pin(door.enter());
        assert!((&mut second).now_or_never().is_none(), "there is room in the queue");
        assert!(door.enter().now_or_never().is_some_and(|entered| entered.is_err()));
        drop(second);
        let mut third = Box::pin(door.enter());
        assert!((&mut third).now_or_never().is_none(), "the second has left");
        drop(inside);
        assert!(third.await.is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_he_may() {
        let door = Door::new("change", 1, 8, PATIENCE);
        let _inside = door.enter().await.ok();
        let began = Instant::now();
        assert!(door.enter().await.is_err());
        assert!(began.elapsed() >= PATIENCE);
        assert_eq!(door.waiting.load(std::sync::atomic::Ordering::Relaxed), 0);
    }
}
