//! Latencies in HDR histograms, and what is said about them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longest latency that is told apart, in microseconds; longer ones count as this.
const LONGEST: u64 = 600_000_000;

/// Significant decimal digits.
const DIGITS: u8 = 3;

/// The latencies of one kind of operation, in microseconds.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

/// What a table shows of them, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many there were.
    pub count: u64,
    /// Half were faster.
    pub p50_us: u64,
    /// Nine in ten were faster.
    pub p90_us: u64,
    /// 99 in a hundred were faster.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// The average.
    pub mean_us: f64,
}

impl Latencies {
    /// None yet.
    pub fn new() -> Self {
        Self(empty())
    }

    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(LONGEST);
        self.0.saturating_record(microseconds.max(1));
    }

    /// Adds one operation of an open loop, timed from when it was due, not from when it was sent: while the service
    /// stalls, later operations wait, and their waiting counts (no coordinated omission). All times since the start.
    pub fn record_due(&mut self, due: Duration, finished: Duration) {
        self.record(finished.saturating_sub(due));
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.0.add(&other.0);
    }

    /// What a table shows.
    pub fn quantiles(&self) -> Quantiles {
        Quantiles {
            count: self.0.len(),
            p50_us: self.0.value_at_quantile(0.5),
            p90_us: self.0.value_at_quantile(0.9),
            p99_us: self.0.value_at_quantile(0.99),
            max_us: self.0.max(),
            mean_us: (self.0.mean() * 10.0).round() / 10.0,
        }
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the library accepts these constants")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::new();
        for value in 1..=100 {
            latencies.record(milliseconds(value));
        }
        let quantiles = latencies.quantiles();
        assert_eq!(quantiles.count, 100);
        for (found, expected) in [
            (quantiles.p50_us, 50_000),
            (quantiles.p90_us, 90_000),
            (quantiles.p99_us, 99_000),
            (quantiles.max_us, 100_000),
        ] {
            assert!(found.abs_diff(expected) <= expected / 500, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_stall_counts_for_every_operation_that_was_due_meanwhile() {
        // 100 operations a second for two seconds; each takes 1 ms, but nothing is answered during the first second.
        let mut corrected = Latencies::new();
        let mut uncorrected = Latencies::new();
        for number in 0..200 {
            let due = milliseconds(number * 10);
            let sent = due.max(milliseconds(1_000));
            let finished = sent + milliseconds(1);
            corrected.record_due(due, finished);
            uncorrected.record(finished.saturating_sub(sent));
        }
        assert_eq!(uncorrected.quantiles().p99_us / 100, 10);
        let quantiles = corrected.quantiles();
        assert!((970_000..1_010_000).contains(&quantiles.p99_us), "{quantiles:?}");
        // A quarter of all waited for half a second and more.
        assert!((440_000..560_000).contains(&corrected.0.value_at_quantile(0.75)));
        assert!(quantiles.p50_us < 20_000);
    }

    #[test]
    fn merging_adds_up() {
        let (mut one, mut other) = (Latencies::new(), Latencies::new());
        one.record(milliseconds(1));
        other.record(milliseconds(3));
        one.merge(&other);
        let quantiles = one.quantiles();
        assert_eq!(quantiles.count, 2);
        assert!((quantiles.mean_us - 2_000.0).abs() < 5.0);
    }

    #[test]
    fn what_is_longer_than_the_longest_counts_as_it() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::from_hours(24));
        assert!(latencies.quantiles().max_us >= LONGEST);
    }
}
