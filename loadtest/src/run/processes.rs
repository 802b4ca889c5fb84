//! CPU time and memory of watched processes over a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::cpu::Watched;
use crate::memory::{self, Resident};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// By name: resident memory by seconds, and at its highest.
type Samples = BTreeMap<String, (BTreeMap<u64, f64>, f64)>;

/// What a process has used during a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// CPU cores, on average.
    pub cores: f64,
    /// CPU time per operation that succeeded, in microseconds.
    pub cpu_us_per_op: f64,
    /// Resident memory by seconds since the start, in MiB.
    pub memory: BTreeMap<u64, f64>,
    /// Resident memory at its highest, also before the run, in MiB.
    pub highest_mib: f64,
}

impl Used {
    /// How much more memory it has at the end than after a tenth of the time, in MiB: medians over a tenth each.
    pub fn growth_mib(&self) -> f64 {
        let samples: Vec<f64> = self.memory.values().copied().collect();
        let tenth = (samples.len() / 10).max(1);
        let median = |part: &[f64]| {
            let mut part = part.to_vec();
            part.sort_by(f64::total_cmp);
            part.get(part.len() / 2).copied().unwrap_or_default()
        };
        if samples.len() < 3 {
            return 0.0;
        }
        median(&samples[samples.len() - tenth..]) - median(&samples[tenth..2 * tenth])
    }
}

/// A watch that goes on.
#[derive(Debug)]
pub struct Watch {
    watched: Watched,
    before: BTreeMap<String, u64>,
    began: Instant,
    is_over: Arc<AtomicBool>,
    sampler: JoinHandle<Samples>,
}

impl Watch {
    /// Begins. Raises a process that is gone.
    pub fn start(watched: Watched) -> anyhow::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let (pids, over) = (watched.processes().to_vec(), Arc::clone(&is_over));
        Ok(Self {
            before: watched.cpu_us()?,
            watched,
            began: Instant::now(),
            is_over,
            sampler: std::thread::spawn(move || sample(&pids, &over)),
        })
    }

    /// Ends; `operations` is how many succeeded. A process that has ended meanwhile counts with what was seen of it.
    pub fn finish(self, operations: u64) -> BTreeMap<String, Used> {
        let seconds = self.began.elapsed().as_secs_f64();
        let after = self.watched.cpu_us().unwrap_or_default();
        self.is_over.store(true, Ordering::Relaxed);
        self.sampler.thread().unpark();
        let mut memory = self.sampler.join().unwrap_or_default();
        let used = |(name, before): (&String, &u64)| {
            let cpu_us = after.get(name).map_or(0, |after| after.saturating_sub(*before)) as f64;
            let (memory, highest_mib) = memory.remove(name).unwrap_or_default();
            let used = Used {
                cores: (cpu_us / 1e6 / seconds * 1_000.0).round() / 1_000.0,
                cpu_us_per_op: (cpu_us / operations.max(1) as f64 * 10.0).round() / 10.0,
                memory,
                highest_mib,
            };
            (name.clone(), used)
        };
        self.before.iter().map(used).collect()
    }
}

fn sample(pids: &[(String, u32)], is_over: &AtomicBool) -> Samples {
    let began = Instant::now();
    let mut seen = Samples::new();
    while !is_over.load(Ordering::Relaxed) {
        for (name, pid) in pids {
            let Ok(Resident { now, highest }) = memory::of(*pid) else {
                continue;
            };
            let of_name = seen.entry(name.clone()).or_default();
            of_name.0.insert(began.elapsed().as_secs(), now);
            of_name.1 = highest;
        }
        std::thread::park_timeout(EVERY);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_counted_from_behind_the_start() {
        let memory = (0..100).map(|second| (second, if second < 5 { 10.0 } else { 50.0 }));
        let steady = Used {
            memory: memory.collect(),
            ..Used::default()
        };
        assert!(steady.growth_mib().abs() < 1e-9);
        let leak = Used {
            memory: (0..100).map(|second| (second, 50.0 + second as f64)).collect(),
            ..Used::default()
        };
        assert!((70.0..90.0).contains(&leak.growth_mib()), "{}", leak.growth_mib());
    }

    #[test]
    fn this_process_is_seen() {
        let watched = Watched::parse(&[format!("me={}", std::process::id())]).unwrap();
        let watch = Watch::start(watched).unwrap();
        let used = watch.finish(1);
        assert!(used["me"].cores >= 0.0);
    }
}
