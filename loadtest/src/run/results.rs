//! What a run has shown: per load, per kind of work, per second.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::{Latencies, Quantiles};
use crate::profile::{Limits, Profile, Work};
use crate::schedule::{Arrival, Load};

/// The results of a run, as its file holds them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// The profile's name.
    pub profile: String,
    /// What it shows.
    pub about: String,
    /// All arrivals.
    pub total: Quantiles,
    /// Failures by their reason.
    pub errors: BTreeMap<String, u64>,
    /// One entry per load.
    pub loads: Vec<UnderLoad>,
    /// By persona and action.
    pub work: BTreeMap<String, Quantiles>,
    /// One entry per second in which something was due.
    pub over_time: BTreeMap<u64, Quantiles>,
}

/// What one load has shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnderLoad {
    /// The load as it was asked for.
    pub load: Load,
    /// Operations per second that succeeded.
    pub achieved: f64,
    /// Operations that failed.
    pub errors: u64,
    /// Those that succeeded, timed from when they were due.
    pub latency: Quantiles,
}

/// Collects while a run goes on.
#[derive(Debug)]
pub struct Recorder {
    profile: String,
    about: String,
    loads: Vec<(Load, Latencies, u64)>,
    work: BTreeMap<String, Latencies>,
    over_time: BTreeMap<u64, Latencies>,
    errors: BTreeMap<String, u64>,
}

impl Recorder {
    /// Nothing yet.
    pub fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.name.clone(),
            about: profile.about.clone(),
            loads: profile.load.iter().map(|load| (*load, Latencies::new(), 0)).collect(),
            work: BTreeMap::new(),
            over_time: BTreeMap::new(),
            errors: BTreeMap::new(),
        }
    }

    /// An arrival that has finished, and when it did since the start.
    pub fn record(&mut self, arrival: Arrival, work: Work, finished: Duration, outcome: &anyhow::Result<()>) {
        let (_, latencies, errors) = &mut self.loads[arrival.load];
        if let Err(fault) = outcome {
            *errors += 1;
            *self.errors.entry(format!("{fault:#}")).or_default() += 1;
            return;
        }
        latencies.record_due(arrival.due, finished);
        let name = format!("{:?} {:?}", work.persona, work.action);
        let of_work = self.work.entry(name).or_insert_with(Latencies::new);
        of_work.record_due(arrival.due, finished);
        let second = self
            .over_time
            .entry(arrival.due.as_secs())
            .or_insert_with(Latencies::new);
        second.record_due(arrival.due, finished);
    }

    /// Arrivals that never finished.
    pub fn unfinished(&mut self, count: u64) {
        if count > 0 {
            self.errors.insert("not finished in time".to_owned(), count);
        }
    }

    /// What has been collected.
    pub fn results(&self) -> Results {
        let mut total = Latencies::new();
        for (_, latencies, _) in &self.loads {
            total.merge(latencies);
        }
        let under = |(load, latencies, errors): &(Load, Latencies, u64)| {
            let latency = latencies.quantiles();
            UnderLoad {
                load: *load,
                achieved: (latency.count as f64 / load.seconds.max(0.001) * 10.0).round() / 10.0,
                errors: *errors,
                latency,
            }
        };
        Results {
            profile: self.profile.clone(),
            about: self.about.clone(),
            total: total.quantiles(),
            errors: self.errors.clone(),
            loads: self.loads.iter().map(under).collect(),
            work: quantiles(&self.work),
            over_time: quantiles(&self.over_time),
        }
    }
}

impl Results {
    /// The limits that do not hold, each in a few words.
    pub fn beyond(&self, limits: &Limits) -> Vec<String> {
        let failed: u64 = self.errors.values().sum();
        let all = (failed + self.total.count).max(1) as f64;
        let milliseconds = |microseconds: u64| microseconds as f64 / 1_000.0;
        let checks = [
            ("failures", failed as f64 / all, limits.error_fraction),
            ("p50 in ms", milliseconds(self.total.p50_us), limits.p50_ms),
            ("p99 in ms", milliseconds(self.total.p99_us), limits.p99_ms),
        ];
        let mut broken: Vec<String> = checks
            .iter()
            .filter_map(|(name, value, limit)| limit.filter(|limit| value > limit).map(|limit| (name, value, limit)))
            .map(|(name, value, limit)| format!("{name}: {value:.4} > {limit}"))
            .collect();
        if self.total.count == 0 {
            broken.push("nothing succeeded".to_owned());
        }
        broken
    }
}

fn quantiles<K: Ord + Clone>(latencies: &BTreeMap<K, Latencies>) -> BTreeMap<K, Quantiles> {
    latencies
        .iter()
        .map(|(key, of_key)| (key.clone(), of_key.quantiles()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(latency_us: u64, count: u64, failed: u64) -> Results {
        Results {
            profile: "x".into(),
            about: "x".into(),
            total: Quantiles {
                count,
                p50_us: latency_us,
                p99_us: latency_us,
                ..Quantiles::default()
            },
            errors: BTreeMap::from([("status 500".to_owned(), failed)]),
            loads: Vec::new(),
            work: BTreeMap::new(),
            over_time: BTreeMap::new(),
        }
    }

    #[test]
    fn a_limit_breaks_only_when_the_value_is_beyond_it() {
        let limits = Limits {
            error_fraction: Some(0.01),
            p50_ms: None,
            p99_ms: Some(5.0),
        };
        assert!(results(5_000, 99, 1).beyond(&limits).is_empty());
        assert_eq!(results(5_001, 99, 1).beyond(&limits).len(), 1);
        assert_eq!(results(5_001, 98, 2).beyond(&limits).len(), 2);
        assert_eq!(results(0, 0, 0).beyond(&limits), ["nothing succeeded"]);
    }
}
