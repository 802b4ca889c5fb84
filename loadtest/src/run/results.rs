//! What a run has shown: per load, per kind of work, per second.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outage::Watch;
use super::{Outage, Spread, Used};
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
    /// What nodes that followed the feed have shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
    /// What the profile's events did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// What watched processes have used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub processes: BTreeMap<String, Used>,
}

/// What one load has shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnderLoad {
    /// The load as it was asked for.
    pub load: Load,
    /// Operations per second that succeeded while this load lasted, whenever they were due.
    pub achieved: f64,
    /// Operations that failed.
    pub errors: u64,
    /// Those that succeeded, timed from when they were due.
    pub latency: Quantiles,
}

/// What is collected of one load.
#[derive(Debug)]
struct OneLoad {
    load: Load,
    ends: Duration,
    latencies: Latencies,
    finished: u64,
    errors: u64,
}

/// Collects while a run goes on.
#[derive(Debug)]
pub struct Recorder {
    profile: String,
    about: String,
    loads: Vec<OneLoad>,
    work: BTreeMap<String, Latencies>,
    over_time: BTreeMap<u64, Latencies>,
    errors: BTreeMap<String, u64>,
    outage: Watch,
}

impl Recorder {
    /// Nothing yet.
    pub fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.name.clone(),
            about: profile.about.clone(),
            loads: one_by_one(&profile.load),
            work: BTreeMap::new(),
            over_time: BTreeMap::new(),
            errors: BTreeMap::new(),
            outage: Watch::new(first_event(profile)),
        }
    }

    /// An arrival that has finished, and when it did since the start.
    pub fn record(&mut self, arrival: Arrival, work: Work, finished: Duration, outcome: &anyhow::Result<()>) {
        self.outage
            .finished(arrival.due, finished, work.action.is_write(), outcome.is_ok());
        let of_load = &mut self.loads[arrival.load];
        if let Err(fault) = outcome {
            of_load.errors += 1;
            *self.errors.entry(format!("{fault:#}")).or_default() += 1;
            return;
        }
        of_load.latencies.record_due(arrival.due, finished);
        if let Some(lasting) = self.loads.iter_mut().find(|load| finished < load.ends) {
            lasting.finished += 1;
        }
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
        for of_load in &self.loads {
            total.merge(&of_load.latencies);
        }
        let under = |of_load: &OneLoad| UnderLoad {
            load: of_load.load,
            achieved: (of_load.finished as f64 / of_load.load.seconds.max(0.001) * 10.0).round() / 10.0,
            errors: of_load.errors,
            latency: of_load.latencies.quantiles(),
        };
        Results {
            profile: self.profile.clone(),
            about: self.about.clone(),
            total: total.quantiles(),
            errors: self.errors.clone(),
            loads: self.loads.iter().map(under).collect(),
            work: quantiles(&self.work),
            over_time: quantiles(&self.over_time),
            spread: None,
            outage: self.outage.outage(),
            processes: BTreeMap::new(),
        }
    }
}

impl Results {
    /// The limits that do not hold, each in a few words.
    pub fn beyond(&self, limits: &Limits) -> Vec<String> {
        let failed: u64 = self.errors.values().sum();
        let all = (failed + self.total.count).max(1) as f64;
        let milliseconds = |microseconds: u64| microseconds as f64 / 1_000.0;
        let spread = self.spread.as_ref();
        let outage = self.outage.clone().unwrap_or_default();
        let growth = self.processes.values().map(Used::growth_mib).fold(0.0, f64::max);
        let checks = [
            ("failures", failed as f64 / all, limits.error_fraction),
            (
                "spread in ms",
                spread.map_or(0.0, |spread| milliseconds(spread.all.max_us)),
                limits.spread_ms,
            ),
            ("writes away in s", outage.writes_away_s, limits.outage_s),
            ("recovery in s", outage.recovery_s, limits.recovery_s),
            ("growth in MiB", growth, limits.growth_mib),
            ("p50 in ms", milliseconds(self.total.p50_us), limits.p50_ms),
            ("p99 in ms", milliseconds(self.total.p99_us), limits.p99_ms),
        ];
        let mut broken: Vec<String> = checks
            .iter()
            .filter_map(|(name, value, limit)| limit.filter(|limit| value > limit).map(|limit| (name, value, limit)))
            .map(|(name, value, limit)| format!("{name}: {value:.4} > {limit}"))
            .collect();
        if let Some(spread) = spread.filter(|spread| spread.unreached > 0 || !spread.errors.is_empty()) {
            broken.push(format!(
                "{} changes did not reach all nodes, whose questions failed so often: {:?}",
                spread.unreached, spread.errors
            ));
        }
        if self.total.count == 0 {
            broken.push("nothing succeeded".to_owned());
        }
        broken
    }
}

fn first_event(profile: &Profile) -> Option<Duration> {
    let first = profile.event.iter().map(|event| event.at_seconds).reduce(f64::min);
    first.map(Duration::from_secs_f64)
}

fn one_by_one(loads: &[Load]) -> Vec<OneLoad> {
    let mut ends = 0.0;
    let of_load = |load: &Load| {
        ends += load.seconds;
        OneLoad {
            load: *load,
            ends: Duration::from_secs_f64(ends),
            latencies: Latencies::new(),
            finished: 0,
            errors: 0,
        }
    };
    loads.iter().map(of_load).collect()
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
            spread: None,
            outage: None,
            processes: BTreeMap::new(),
        }
    }

    #[test]
    fn an_overload_shows_in_the_rate_that_was_achieved() {
        let loads = [Load {
            rate: 10.0,
            seconds: 1.0,
        }; 2];
        let mut recorder = Recorder {
            profile: String::new(),
            about: String::new(),
            loads: one_by_one(&loads),
            work: BTreeMap::new(),
            over_time: BTreeMap::new(),
            errors: BTreeMap::new(),
            outage: Watch::new(None),
        };
        let work = Work {
            persona: crate::personas::Persona::Okta,
            action: crate::personas::Action::LookUp,
            weight: 1.0,
        };
        for number in 0..20 {
            let due = Duration::from_millis(number * 100);
            let load = usize::from(number >= 10);
            // The service does five a second.
            let finished = Duration::from_millis(number * 200 + 199);
            recorder.record(Arrival { number, due, load }, work, finished, &Ok(()));
        }
        let achieved: Vec<f64> = recorder.results().loads.iter().map(|load| load.achieved).collect();
        assert_eq!(achieved, [5.0, 5.0]);
        assert!(recorder.results().loads[1].latency.p50_us > 1_000_000);
    }

    #[test]
    fn a_limit_breaks_only_when_the_value_is_beyond_it() {
        let limits = Limits {
            error_fraction: Some(0.01),
            p99_ms: Some(5.0),
            ..Limits::default()
        };
        assert!(results(5_000, 99, 1).beyond(&limits).is_empty());
        assert_eq!(results(5_001, 99, 1).beyond(&limits).len(), 1);
        assert_eq!(results(5_001, 98, 2).beyond(&limits).len(), 2);
        assert_eq!(results(0, 0, 0).beyond(&limits), ["nothing succeeded"]);
    }

    #[test]
    fn a_change_that_did_not_reach_every_node_is_beyond_every_limit() {
        let mut results = results(1, 1, 0);
        results.spread = Some(Spread::default());
        assert!(results.beyond(&Limits::default()).is_empty());
        results.spread = Some(Spread {
            unreached: 1,
            ..Spread::default()
        });
        assert_eq!(results.beyond(&Limits::default()).len(), 1);
    }

    #[test]
    fn an_outage_and_growth_have_limits_of_their_own() {
        let mut results = results(1, 1, 0);
        results.outage = Some(Outage {
            writes_away_s: 3.0,
            recovery_s: 5.0,
            ..Outage::default()
        });
        let limits = |outage_s, recovery_s| Limits {
            outage_s: Some(outage_s),
            recovery_s: Some(recovery_s),
            ..Limits::default()
        };
        assert!(results.beyond(&limits(3.0, 5.0)).is_empty());
        assert_eq!(results.beyond(&limits(2.9, 4.9)).len(), 2);
    }
}
