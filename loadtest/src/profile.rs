//! Profiles: what `run` sends, how often, and which results are good enough.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use crate::personas::{Action, Persona};
use crate::schedule::{Load, Spread};

/// Most arrivals of one profile; each takes memory while it waits.
const ARRIVALS: f64 = 50_000_000.0;

/// Most followers; each has a connection.
const FOLLOWERS: u32 = 10_000;

/// A profile, as its TOML file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name in reports.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// Seed of the arrivals and of who is picked.
    #[serde(default = "one")]
    pub seed: u64,
    /// Connections at once; arrivals beyond wait, and their waiting counts.
    #[serde(default = "connections")]
    pub connections: usize,
    /// How arrivals are spread.
    #[serde(default = "poisson")]
    pub spread: Spread,
    /// The rates, one after the other.
    pub load: Vec<Load>,
    /// What arrives.
    pub work: Vec<Work>,
    /// Nodes whose agents follow the change feed meanwhile.
    pub nodes: Option<Nodes>,
    /// What is done to the service meanwhile, by commands that `run --on` gives.
    #[serde(default)]
    pub event: Vec<Event>,
    /// What must hold in the end.
    #[serde(default)]
    pub limits: Limits,
}

/// A kind of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Who acts.
    pub persona: Persona,
    /// What he does.
    pub action: Action,
    /// How often, against the other kinds.
    pub weight: f64,
}

/// Nodes whose agents follow the change feed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// How many.
    pub followers: u32,
    /// Time between two questions of one, in milliseconds; each time ± 10 %.
    #[serde(default = "second")]
    pub period_ms: u64,
    /// Time between two changes of users, in milliseconds.
    #[serde(default = "second")]
    pub change_every_ms: u64,
}

/// Something that is done to the service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The name by which `run --on` gives its command.
    pub name: String,
    /// When, in seconds since the start.
    pub at_seconds: f64,
}

/// What must hold in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most failures, as a fraction of all arrivals.
    pub error_fraction: Option<f64>,
    /// Longest p50 over all, in milliseconds.
    pub p50_ms: Option<f64>,
    /// Longest p99 over all, in milliseconds.
    pub p99_ms: Option<f64>,
    /// Longest time until a change has reached the last node, in milliseconds.
    pub spread_ms: Option<f64>,
    /// Longest time without a successful write, in seconds.
    pub outage_s: Option<f64>,
    /// Longest time from an event to the end of the last operation that failed or took longer than a second, in seconds.
    pub recovery_s: Option<f64>,
    /// Most resident memory that a watched process may have more at the end than after a tenth of the time, in MiB.
    pub growth_mib: Option<f64>,
}

impl Profile {
    /// Reads a file. Raises what is unknown, missing or impossible in it.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| file.display().to_string())
    }

    /// Runs every load at `rate` times its rate and `time` times its length.
    pub fn scale(&mut self, rate: f64, time: f64) {
        for load in &mut self.load {
            load.rate *= rate;
            load.seconds *= time;
        }
        for event in &mut self.event {
            event.at_seconds *= time;
        }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let profile: Self = toml::from_str(text)?;
        let is_amount = |value: f64| value.is_finite() && value >= 0.0;
        anyhow::ensure!(
            profile
                .load
                .iter()
                .all(|load| is_amount(load.rate) && is_amount(load.seconds)),
            "a rate or a length is negative"
        );
        let arrivals: f64 = profile.load.iter().map(|load| load.rate * load.seconds).sum();
        anyhow::ensure!(arrivals <= ARRIVALS, "more than {ARRIVALS} arrivals");
        let weights: f64 = profile.work.iter().map(|work| work.weight).sum();
        anyhow::ensure!(
            weights > 0.0 && profile.work.iter().all(|work| is_amount(work.weight)),
            "the weights must be positive"
        );
        anyhow::ensure!(
            (1..=10_000).contains(&profile.connections),
            "connections must be 1 to 10000"
        );
        for work in &profile.work {
            anyhow::ensure!(
                (work.persona == Persona::Node) == work.action.is_of_a_node(),
                "{:?} does not do {:?}",
                work.persona,
                work.action
            );
        }
        if let Some(nodes) = profile.nodes {
            anyhow::ensure!(
                (1..=FOLLOWERS).contains(&nodes.followers) && nodes.period_ms > 0 && nodes.change_every_ms > 0,
                "1 to {FOLLOWERS} followers, with periods of a millisecond and more"
            );
        }
        anyhow::ensure!(
            profile.event.iter().all(|event| is_amount(event.at_seconds)),
            "an event before the start"
        );
        Ok(profile)
    }
}

const fn one() -> u64 {
    1
}

const fn second() -> u64 {
    1_000
}

const fn connections() -> usize {
    64
}

const fn poisson() -> Spread {
    Spread::Poisson
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_of_this_folder_is_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let profile = Profile::read(&file).unwrap();
            assert_eq!(profile.name, file.file_stem().unwrap().to_str().unwrap());
            names.push(profile.name);
        }
        names.sort();
        assert_eq!(
            names,
            [
                "failover",
                "full_sync",
                "mixed",
                "morning_login",
                "nss_storm",
                "smoke",
                "soak"
            ]
        );
    }

    #[test]
    fn misspelt_keys_and_impossible_numbers_are_refused() {
        let valid = "name = 'x'\nabout = 'x'\n[[load]]\nrate = 1.0\nseconds = 1.0\n\
                     [[work]]\npersona = 'okta'\naction = 'look_up'\nweight = 1.0\n";
        assert!(Profile::parse(valid).is_ok());
        for (from, to) in [
            ("rate = 1.0", "rate = -1.0"),
            ("rate = 1.0", "rate = 1e12"),
            ("weight = 1.0", "weight = 0.0"),
            ("action = 'look_up'", "action = 'dance'"),
            ("action = 'look_up'", "action = 'passwd_by_name'"),
            ("persona = 'okta'", "persona = 'node'"),
            ("[[load]]", "[nodes]\nfollowers = 0\n[[load]]"),
            ("[[load]]", "[[event]]\nname = 'x'\nat_seconds = -1.0\n[[load]]"),
            ("about", "abuot"),
        ] {
            assert!(Profile::parse(&valid.replace(from, to)).is_err(), "{to}");
        }
    }
}
