//! What `loadtest/scale` has left: one line per measurement, one file per profile.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::figures::median;
use crate::database::Work;
use crate::latency::Quantiles;
use crate::run::Results;

/// One line.
#[derive(Debug, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Line {
    Fact { fact: String, text: String },
    Flat(Round),
    Cost(Round),
    Database { size: u64, bytes: f64 },
    Import(Import),
    Copy(CopyFloor),
    Sync(FullSync),
    Peers(FullSync),
    Memory(Memory),
    Nodes(Ended),
    Storm(Ended),
    Mixed(Ended),
    Failover(Ended),
    Soak(Ended),
}

/// A round of `closed`.
#[derive(Debug, Clone, Deserialize)]
struct Round {
    operation: String,
    size: u64,
    clients: u32,
    ops_per_second: f64,
    latency: Quantiles,
    variants: BTreeMap<String, Quantiles>,
    errors: BTreeMap<String, u64>,
    cpu_us_per_op: BTreeMap<String, f64>,
    database_per_op: Option<Work>,
}

/// A bulk import.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    /// `users` or `groups`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// Users of the population.
    pub size: u64,
    /// How long it took.
    pub seconds: f64,
}

/// COPY of the same rows into tables with the same constraints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CopyFloor {
    /// Users.
    pub size: u64,
    /// How long it took.
    pub seconds: f64,
    /// The tables.
    pub tables: String,
}

/// A part of a full sync.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FullSync {
    /// Whom it was sent to.
    pub server: String,
    /// `users` or `groups`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// How long it took.
    pub seconds: f64,
    /// Connections at once.
    pub connections: u32,
}

/// Resident memory of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    /// What the process is.
    pub role: String,
    /// Users of the population.
    pub size: u64,
    /// After the load, in MiB.
    pub rss_mib: f64,
    /// At its highest, in MiB.
    pub highest_mib: f64,
}

/// How a profile ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ended {
    /// Its name.
    pub profile: String,
    /// `held` or `broken`.
    pub limits: String,
    /// Connections of the read replica to its database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
}

/// What one operation costs: medians over the rounds, means of what the database counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Clients at once.
    pub clients: u32,
    /// Operations per second.
    pub ops_per_second: f64,
    /// Half were faster, in microseconds.
    pub p50_us: f64,
    /// 99 in a hundred were faster, in microseconds.
    pub p99_us: f64,
    /// CPU time in microseconds, by process.
    pub cpu_us: BTreeMap<String, f64>,
    /// Rows and write-ahead log.
    pub database: Option<Work>,
    /// Operations that failed, over all rounds.
    pub errors: u64,
}

impl Cost {
    /// CPU time of service and PostgreSQL together, in microseconds.
    pub fn cpu(&self) -> f64 {
        self.of("service") + self.of("postgres")
    }

    /// CPU time of one of them, in microseconds.
    pub fn of(&self, process: &str) -> f64 {
        self.cpu_us.get(process).copied().unwrap_or_default()
    }
}

/// Everything.
#[derive(Debug, Default, Serialize)]
pub struct Measured {
    /// Machine, command, versions.
    pub facts: BTreeMap<String, String>,
    /// With one client, by operation and number of users.
    pub flat: BTreeMap<String, BTreeMap<u64, Cost>>,
    /// With many clients on the largest population, by operation.
    pub cost: BTreeMap<String, Cost>,
    /// Users of that population.
    pub cost_size: u64,
    /// Bytes of each database, by its users.
    pub database_bytes: BTreeMap<u64, f64>,
    /// Bulk imports.
    pub imports: Vec<Import>,
    /// Their floors.
    pub copies: Vec<CopyFloor>,
    /// The large full sync.
    pub sync: Vec<FullSync>,
    /// The small one, to everybody.
    pub peers: Vec<FullSync>,
    /// Memory of replicas.
    pub memory: Vec<Memory>,
    /// How profiles ended.
    pub profiles: Vec<Ended>,
    /// What they showed.
    pub runs: BTreeMap<String, Results>,
}

impl Measured {
    /// Reads a working folder. Raises a line or a file that is none of ours.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("records.jsonl");
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut measured = Self::parse(&text)?;
        for profile in &measured.profiles {
            let file = folder.join("runs").join(format!("{}.json", profile.profile));
            // A profile that could not even begin has left nothing.
            if let Ok(text) = std::fs::read_to_string(&file) {
                let results = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
                measured.runs.insert(profile.profile.clone(), results);
            }
        }
        Ok(measured)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut measured = Self::default();
        let (mut flat, mut cost) = (Vec::new(), Vec::new());
        for line in text.lines() {
            match serde_json::from_str(line).with_context(|| format!("not a measurement: {line}"))? {
                Line::Fact { fact, text } => drop(measured.facts.insert(fact, text)),
                Line::Flat(round) => flat.push(round),
                Line::Cost(round) => cost.push(round),
                Line::Database { size, bytes } => drop(measured.database_bytes.insert(size, bytes)),
                Line::Import(import) => measured.imports.push(import),
                Line::Copy(copy) => measured.copies.push(copy),
                Line::Sync(sync) => measured.sync.push(sync),
                Line::Peers(sync) => measured.peers.push(sync),
                Line::Memory(memory) => measured.memory.push(memory),
                Line::Nodes(profile)
                | Line::Storm(profile)
                | Line::Mixed(profile)
                | Line::Failover(profile)
                | Line::Soak(profile) => measured.profiles.push(profile),
            }
        }
        for (operation, of_operation) in by(flat, |round| round.operation.clone()) {
            let of_sizes = by(of_operation, |round| round.size);
            let costs = of_sizes.into_iter().map(|(size, rounds)| (size, together(&rounds)));
            measured.flat.insert(operation, costs.collect());
        }
        measured.cost_size = cost.first().map_or(0, |round| round.size);
        for (operation, rounds) in by(cost, |round| round.operation.clone()) {
            measured.cost.insert(operation, together(&rounds));
        }
        Ok(measured)
    }

    /// The time of the run that a page was made of, in words.
    pub fn made(&self) -> String {
        let fact = |name: &str| self.facts.get(name).map_or("unknown", String::as_str);
        format!(
            "{} on {}: {}; PostgreSQL {}; {}",
            fact("command"),
            fact("date"),
            fact("machine"),
            fact("PostgreSQL"),
            fact("service")
        )
    }
}

fn by<K: Ord>(rounds: Vec<Round>, key: impl Fn(&Round) -> K) -> BTreeMap<K, Vec<Round>> {
    let mut found: BTreeMap<K, Vec<Round>> = BTreeMap::new();
    for round in rounds {
        found.entry(key(&round)).or_default().push(round);
    }
    found
}

fn together(rounds: &[Round]) -> Cost {
    let middle = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(of)).unwrap_or_default();
    // Of a walk by cursor the last page counts: the first one is cheap in any design.
    let p50 = |round: &Round| round.variants.get("last").unwrap_or(&round.latency).p50_us as f64;
    let names = rounds.iter().flat_map(|round| round.cpu_us_per_op.keys());
    let cpu_us = names.map(|name| {
        let of_rounds = rounds.iter().filter_map(|round| round.cpu_us_per_op.get(name).copied());
        (name.clone(), median(of_rounds).unwrap_or_default())
    });
    let works: Vec<Work> = rounds.iter().filter_map(|round| round.database_per_op).collect();
    let mean = |of: fn(&Work) -> f64| works.iter().map(of).sum::<f64>() / works.len().max(1) as f64;
    Cost {
        clients: rounds.first().map_or(0, |round| round.clients),
        ops_per_second: middle(&|round| round.ops_per_second),
        p50_us: middle(&p50),
        p99_us: middle(&|round| round.latency.p99_us as f64),
        cpu_us: cpu_us.collect(),
        database: (!works.is_empty()).then(|| Work {
            wal_bytes: mean(|work| work.wal_bytes),
            rows_written: mean(|work| work.rows_written),
            rows_read: mean(|work| work.rows_read),
            transactions: mean(|work| work.transactions),
        }),
        errors: rounds.iter().flat_map(|round| round.errors.values()).sum(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn round(step: &str, operation: &str, size: u64, p50: u64, cpu: f64) -> String {
        format!(
            r#"{{"step":"{step}","operation":"{operation}","size":{size},"clients":1,"round":1,"seconds":1.0,"ops_per_second":100.0,
            "latency":{{"count":1,"p50_us":{p50},"p90_us":1,"p99_us":{p50},"max_us":1,"mean_us":1.0}},"variants":{{}},"errors":{{}},
            "cpu_us_per_op":{{"service":{cpu},"postgres":{cpu},"loadtest":9.0}},
            "database_per_op":{{"wal_bytes":1000.0,"rows_written":8.0,"rows_read":5.0,"transactions":1.0}}}}"#
        )
        .replace('\n', "")
    }

    /// Two sizes, of which the larger one costs half as much again for look-ups.
    pub fn sample() -> Measured {
        let lines = [
            r#"{"fact":"date","step":"fact","text":"2026-11-22"}"#.to_owned(),
            round("flat", "create", 10_000, 500, 100.0),
            round("flat", "create", 10_000, 300, 300.0),
            round("flat", "create", 10_000, 400, 200.0),
            round("flat", "create", 1_000_000, 440, 220.0),
            round("flat", "nss-name", 10_000, 100, 50.0),
            round("flat", "nss-name", 1_000_000, 150, 75.0),
            round("cost", "create", 1_000_000, 900, 500.0),
            round("cost", "login-first", 1_000_000, 900, 1_000.0),
            round("cost", "nss-changes", 1_000_000, 100, 40.0),
            r#"{"step":"database","size":1000000,"bytes":3000000000}"#.to_owned(),
            r#"{"step":"import","kind":"users","count":1000000,"size":1000000,"seconds":200.0}"#.to_owned(),
            r#"{"step":"copy","size":1000000,"seconds":120.0,"tables":"users"}"#.to_owned(),
            r#"{"step":"sync","server":"rollcall","kind":"users","count":100,"seconds":1.0,"connections":4,"users":100}"#.to_owned(),
            r#"{"step":"peers","server":"rollcall-small","kind":"users","count":100,"seconds":1.0,"connections":4,"users":100}"#
                .to_owned(),
            r#"{"step":"peers","server":"slow","kind":"users","count":100,"seconds":20.0,"connections":4,"users":100}"#.to_owned(),
            r#"{"step":"memory","role":"api","size":1000000,"rss_mib":40.0,"highest_mib":70.0}"#.to_owned(),
        ];
        Measured::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn rounds_become_medians() {
        let measured = sample();
        let cost = &measured.flat["create"][&10_000];
        assert!(
            (cost.p50_us - 400.0).abs() < 1e-9 && (cost.cpu() - 400.0).abs() < 1e-9,
            "{cost:?}"
        );
        assert!((measured.cost["create"].cpu() - 1_000.0).abs() < 1e-9);
    }

    #[test]
    fn a_line_that_is_no_measurement_is_told() {
        assert!(Measured::parse(r#"{"step":"dance"}"#).is_err());
        assert!(Measured::parse("what").is_err());
    }
}
