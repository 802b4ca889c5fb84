//! How long writes were away during a run, and how long it took after an event until all went as before.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An operation that takes longer has met the fault.
const SLOW: Duration = Duration::from_secs(1);

/// What a run with events has shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// When the first event was due, in seconds since the start.
    pub event_s: f64,
    /// The longest time between two writes that succeeded, in seconds.
    pub writes_away_s: f64,
    /// From the event to the end of the last operation that failed or took longer than a second, in seconds.
    pub recovery_s: f64,
    /// Operations that succeeded, but took longer than a second.
    pub slow: u64,
}

/// Collects while a run goes on; operations are told in the order in which they finish.
#[derive(Debug, Default)]
pub struct Watch {
    event: Option<Duration>,
    last_write: Duration,
    longest: Duration,
    last_trouble: Duration,
    slow: u64,
}

impl Watch {
    /// With the time of the first event, if there is one.
    pub fn new(event: Option<Duration>) -> Self {
        Self {
            event,
            ..Self::default()
        }
    }

    /// An operation that was due at `due` has finished at `finished`.
    pub fn finished(&mut self, due: Duration, finished: Duration, is_write: bool, succeeded: bool) {
        let is_slow = finished.saturating_sub(due) > SLOW;
        if succeeded && is_write {
            self.longest = self.longest.max(finished.saturating_sub(self.last_write));
            self.last_write = finished;
        }
        if !succeeded || is_slow {
            self.last_trouble = finished;
            self.slow += u64::from(succeeded);
        }
    }

    /// What has been seen; nothing for a run without events.
    pub fn outage(&self) -> Option<Outage> {
        let event = self.event?;
        let seconds = |time: Duration| (time.as_secs_f64() * 1_000.0).round() / 1_000.0;
        Some(Outage {
            event_s: seconds(event),
            writes_away_s: seconds(self.longest),
            recovery_s: seconds(self.last_trouble.saturating_sub(event)),
            slow: self.slow,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_between_writes_is_the_outage_and_reads_do_not_fill_it() {
        let at = Duration::from_secs;
        let mut watch = Watch::new(Some(at(10)));
        for second in 0..=10 {
            watch.finished(at(second), at(second), true, true);
        }
        watch.finished(at(12), at(12), false, true);
        watch.finished(at(12), at(13), true, false);
        watch.finished(at(11), at(14), true, true);
        watch.finished(at(20), at(20), true, true);
        let outage = watch.outage().unwrap();
        assert!((outage.writes_away_s - 6.0).abs() < 1e-9);
        assert!((outage.recovery_s - 4.0).abs() < 1e-9);
        assert_eq!(outage.slow, 1);
    }

    #[test]
    fn a_run_without_events_has_none() {
        assert_eq!(Watch::new(None).outage(), None);
    }
}
