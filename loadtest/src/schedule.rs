//! When operations are due: an open loop, whose arrivals do not depend on the answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// As those of many independent people: exponential gaps.
    Poisson,
    /// Equal gaps.
    Uniform,
}

/// A stretch of time with one rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Arrivals per second.
    pub rate: f64,
    /// How long it lasts, in seconds.
    pub seconds: f64,
}

/// One arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// Its number, from 0.
    pub number: u64,
    /// When it is due, since the start.
    pub due: Duration,
    /// Which load it belongs to.
    pub load: usize,
}

/// All arrivals of some loads, one after the other.
#[derive(Debug)]
pub struct Schedule {
    loads: Vec<Load>,
    spread: Spread,
    random: Random,
    load: usize,
    load_began: f64,
    clock: f64,
    number: u64,
}

impl Schedule {
    /// The same arrivals for the same seed.
    pub fn new(loads: &[Load], spread: Spread, seed: u64) -> Self {
        Self {
            loads: loads.to_vec(),
            spread,
            random: Random::new(seed, 0x61_7272),
            load: 0,
            load_began: 0.0,
            clock: 0.0,
            number: 0,
        }
    }

    fn gap(&mut self, rate: f64) -> f64 {
        match self.spread {
            Spread::Uniform => 1.0 / rate,
            Spread::Poisson => -(1.0 - self.random.fraction()).ln() / rate,
        }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let Load { rate, seconds } = *self.loads.get(self.load)?;
            let end = self.load_began + seconds;
            if rate > 0.0 {
                self.clock += self.gap(rate);
            } else {
                self.clock = end;
            }
            if self.clock < end {
                let arrival = Arrival {
                    number: self.number,
                    due: Duration::from_secs_f64(self.clock),
                    load: self.load,
                };
                self.number += 1;
                return Some(arrival);
            }
            self.clock = end;
            self.load_began = end;
            self.load += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOADS: [Load; 2] = [
        Load {
            rate: 100.0,
            seconds: 10.0,
        },
        Load {
            rate: 1_000.0,
            seconds: 5.0,
        },
    ];

    #[test]
    fn arrivals_depend_on_the_seed_alone() {
        let take = |seed| Schedule::new(&LOADS, Spread::Poisson, seed).collect::<Vec<_>>();
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }

    #[test]
    fn each_load_has_its_rate_and_its_time() {
        for spread in [Spread::Poisson, Spread::Uniform] {
            let arrivals: Vec<Arrival> = Schedule::new(&LOADS, spread, 1).collect();
            let count = |load| arrivals.iter().filter(|arrival| arrival.load == load).count();
            assert!((900..1_100).contains(&count(0)), "{spread:?} {}", count(0));
            assert!((4_700..5_300).contains(&count(1)), "{spread:?} {}", count(1));
            assert!(
                arrivals
                    .iter()
                    .filter(|a| a.load == 1)
                    .all(|a| a.due >= Duration::from_secs(10))
            );
            assert!(arrivals.iter().all(|arrival| arrival.due <= Duration::from_secs(15)));
            assert!(arrivals.is_sorted_by_key(|arrival| arrival.due));
        }
    }

    #[test]
    fn poisson_gaps_vary_as_much_as_they_last() {
        let arrivals: Vec<f64> = Schedule::new(&LOADS[..1], Spread::Poisson, 1)
            .map(|a| a.due.as_secs_f64())
            .collect();
        let gaps: Vec<f64> = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((0.8..1.2).contains(&(variance.sqrt() / mean)));
    }

    #[test]
    fn a_rate_of_zero_is_a_pause() {
        let loads = [
            Load {
                rate: 0.0,
                seconds: 3.0,
            },
            LOADS[0],
        ];
        let first = Schedule::new(&loads, Spread::Uniform, 1).next().unwrap();
        assert!(first.due >= Duration::from_secs(3));
        assert_eq!(first.load, 1);
    }
}
