//! `closed`: a number of clients, each sending its next request when the last one is answered. Says what the service can
//! do; what people would wait at a given load, `run` says.

mod filter;
mod login;
mod measure;
mod metronome;
mod nss;
mod operation;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::client::{Connection, Target};
use crate::cpu::Watched;
use crate::database::{self, Work};
use crate::latency::{Latencies, Quantiles};
use measure::Measure;
use metronome::Metronome;
use operation::Operation;

/// What to send, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    operation: operation::Arguments,
    /// Base address of the SCIM service.
    #[arg(long)]
    scim: String,
    /// File with its bearer token.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Clients, each with a connection of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    clients: u32,
    /// Operations per second of all clients together, evenly spread; what an operation waits for its turn counts as latency.
    /// Without it each client sends as soon as it can.
    #[arg(long)]
    rate: Option<f64>,
    /// Length of one round, in seconds.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Rounds; each prints its own result.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Seconds before the first round that do not count.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Process whose CPU time is told per operation, as service=1234; may be repeated.
    #[arg(long = "watch", value_name = "NAME=PID")]
    watch: Vec<String>,
    /// A database whose rows and write-ahead log per operation are told, as a URI or in libpq's form; it works for nobody else.
    #[arg(long)]
    watch_database: Option<String>,
    /// One JSON object per round instead of text.
    #[arg(long)]
    json: bool,
    /// A measurement for `summary`: GOAL:SIDE:ops, GOAL:SIDE:wal, GOAL:SIDE:p99, GOAL:SIDE:p50 or GOAL:SIDE:p50:VARIANT; may be repeated.
    #[arg(long = "measure", requires = "append")]
    measures: Vec<Measure>,
    /// The file that measurements are appended to.
    #[arg(long)]
    append: Option<PathBuf>,
    /// Number of the first round in measurements.
    #[arg(long, default_value_t = 1)]
    first_round: u32,
    /// Append each round to this file, for `scale`.
    #[arg(long, requires = "step", requires = "size")]
    record: Option<PathBuf>,
    /// Which step of `loadtest/scale` the rounds belong to.
    #[arg(long)]
    step: Option<String>,
    /// How many users the service holds.
    #[arg(long)]
    size: Option<u64>,
}

/// One round.
#[derive(Debug, Serialize)]
struct Outcome {
    operation: String,
    clients: u32,
    round: u32,
    seconds: f64,
    ops_per_second: f64,
    latency: Quantiles,
    variants: BTreeMap<String, Quantiles>,
    errors: BTreeMap<String, u64>,
    cpu_us_per_op: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_per_op: Option<Work>,
}

/// What one client saw in one round, or all of them together.
#[derive(Debug)]
struct Seen {
    latencies: Vec<Latencies>,
    errors: BTreeMap<String, u64>,
}

/// One client, over all rounds.
#[derive(Debug)]
struct Client {
    connection: Connection,
    number: u32,
    step: u64,
}

/// Runs the rounds. Raises what makes the operation impossible, and a round in which nothing succeeded.
pub async fn closed(arguments: &Arguments) -> anyhow::Result<()> {
    let target = Target::new(&arguments.scim, &crate::cli::token(arguments.token_file.as_deref())?)?;
    let watched = Watched::parse(&arguments.watch)?;
    let database = database::Watched::connect(arguments.watch_database.as_deref()).await?;
    let operation = Operation::prepare(&arguments.operation, &target, arguments.clients).await?;
    let operation = Arc::new(operation);
    let mut clients: Vec<Client> = (0..arguments.clients)
        .map(|number| Client {
            connection: target.connection(),
            number,
            step: 0,
        })
        .collect();
    let pace = arguments.rate.map(|rate| {
        let pace = Duration::try_from_secs_f64(1.0 / rate).ok();
        pace.filter(|pace| !pace.is_zero()).context("--rate must be above 0")
    });
    let pace = pace.transpose()?;
    if arguments.warm_up > 0.0 {
        (clients, _) = round(clients, &operation, arguments.warm_up, pace).await?;
    }
    for number in 0..arguments.rounds {
        let (before, worked_before) = (watched.cpu_us()?, database.work().await?);
        let began = Instant::now();
        let seen;
        (clients, seen) = round(clients, &operation, arguments.seconds, pace).await?;
        let seconds = began.elapsed().as_secs_f64();
        let (after, worked_after) = (watched.cpu_us()?, database.work().await?);
        let mut all = Latencies::new();
        for latencies in &seen.latencies {
            all.merge(latencies);
        }
        let latency = all.quantiles();
        anyhow::ensure!(latency.count > 0, "no operation succeeded: {:?}", seen.errors);
        let count = latency.count as f64;
        let cpu = after.iter().map(|(name, used)| {
            let spent = used.saturating_sub(before.get(name).copied().unwrap_or(*used));
            (name.clone(), rounded(spent as f64 / count))
        });
        let names = operation.variants().into_iter();
        let outcome = Outcome {
            operation: operation.name(),
            clients: arguments.clients,
            round: arguments.first_round + number,
            seconds: rounded(seconds),
            ops_per_second: rounded(latency.count as f64 / seconds),
            variants: names.zip(seen.latencies.iter().map(Latencies::quantiles)).collect(),
            latency,
            errors: seen.errors,
            cpu_us_per_op: cpu.collect(),
            database_per_op: worked_before
                .zip(worked_after)
                .map(|(before, after)| after.per_operation(&before, count)),
        };
        print(&outcome, arguments.json)?;
        if let Some(file) = &arguments.append {
            measure::append(file, &arguments.measures, &outcome)?;
        }
        if let (Some(file), Some(step), Some(size)) = (&arguments.record, &arguments.step, arguments.size) {
            measure::record(file, step, size, &outcome)?;
        }
    }
    operation.clean_up(&mut target.connection()).await
}

/// `pace`: the time between two operations, the clients taking turns.
async fn round(
    clients: Vec<Client>,
    operation: &Arc<Operation>,
    seconds: f64,
    pace: Option<Duration>,
) -> anyhow::Result<(Vec<Client>, Seen)> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let count = u32::try_from(clients.len())?;
    let mut running = JoinSet::new();
    for client in clients {
        let metronome = pace.map(|pace| {
            // Clients begin at different moments, or all would come at once.
            Metronome::start(pace * (client.number + 1), pace * count)
        });
        running.spawn(work(client, Arc::clone(operation), end, metronome.transpose()?));
    }
    let mut clients = Vec::new();
    let mut together = Seen::new(operation.variants().len());
    while let Some(ended) = running.join_next().await {
        let (client, seen) = ended??;
        clients.push(client);
        together.add(seen);
    }
    Ok((clients, together))
}

/// `metronome`: says when to send; without it the client sends as soon as it can.
async fn work(
    mut client: Client,
    operation: Arc<Operation>,
    end: Instant,
    mut metronome: Option<Metronome>,
) -> anyhow::Result<(Client, Seen)> {
    let mut seen = Seen::new(operation.variants().len());
    while Instant::now() < end {
        let (variant, request) = operation.request(client.number, client.step);
        let sent = match &mut metronome {
            Some(metronome) => metronome.beat().await?,
            None => Instant::now(),
        };
        let answer = client.connection.send(&request).await;
        let latency = sent.elapsed();
        match operation.judge(client.step, answer) {
            Ok(()) => seen.latencies[variant].record(latency),
            Err(fault) => *seen.errors.entry(fault).or_default() += 1,
        }
        client.step += 1;
    }
    Ok((client, seen))
}

impl Seen {
    fn new(variants: usize) -> Self {
        Self {
            latencies: vec![Latencies::new(); variants],
            errors: BTreeMap::new(),
        }
    }

    fn add(&mut self, other: Self) {
        for (own, others) in self.latencies.iter_mut().zip(&other.latencies) {
            own.merge(others);
        }
        for (fault, count) in other.errors {
            *self.errors.entry(fault).or_default() += count;
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn print(outcome: &Outcome, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        println!("{}", serde_json::to_string(outcome)?);
        return Ok(());
    }
    println!(
        "{}, {} clients, {} s: {:.0}/s",
        outcome.operation, outcome.clients, outcome.seconds, outcome.ops_per_second
    );
    for (variant, quantiles) in &outcome.variants {
        println!(
            "  {variant:<20} {:>8} ops  p50 {:>8} us  p90 {:>8} us  p99 {:>8} us",
            quantiles.count, quantiles.p50_us, quantiles.p90_us, quantiles.p99_us
        );
    }
    for (name, cost) in &outcome.cpu_us_per_op {
        println!("  CPU of {name}: {cost:.0} us per operation");
    }
    for (name, amount) in outcome.database_per_op.iter().flat_map(Work::parts) {
        println!("  {name}: {amount} per operation");
    }
    for (fault, count) in &outcome.errors {
        println!("  failed {count} times: {fault}");
    }
    Ok(())
}
