//! `run`: an open loop. Operations are due when the schedule says so, whatever the service does, and their latency counts
//! from then.

mod events;
mod followers;
mod outage;
mod processes;
mod results;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Args;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

pub use followers::Spread;
pub use outage::Outage;
pub use processes::Used;
pub use results::Results;

use crate::client::{Connection, Target};
use crate::cpu::Watched;
use crate::nss_module::NssModule;
use crate::personas::{Action, Performer, Stage};
use crate::profile::{Profile, Work};
use crate::random::Random;
use crate::schedule::{Arrival, Schedule};
use events::Commands;
use followers::Followers;
use processes::Watch;
use results::Recorder;

/// Arrivals that may wait for a connection; more than these are failures.
const WAITING: usize = 100_000;

/// Longest time after the last arrival for what still runs.
const PATIENCE: Duration = Duration::from_mins(2);

/// What to run, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The profile.
    profile: PathBuf,
    /// Base address of the SCIM service, as <http://127.0.0.1:8080/scim/v2>.
    #[arg(long)]
    scim: String,
    /// File with its bearer token; for sign-ins it needs the scope `login`.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Base address of the read API, as <http://127.0.0.1:8081/nss/v1>, for profiles with nodes.
    #[arg(long)]
    read: Option<String>,
    /// File with its bearer token.
    #[arg(long)]
    read_token_file: Option<PathBuf>,
    /// The NSS module, for profiles in which nodes look up.
    #[arg(long)]
    module: Option<PathBuf>,
    /// The command of an event of the profile, as failover=./fail-over; may be repeated.
    #[arg(long = "on", value_name = "NAME=COMMAND")]
    on: Vec<String>,
    /// Process whose CPU time and memory are told, as service=1234; may be repeated.
    #[arg(long = "watch", value_name = "NAME=PID")]
    watch: Vec<String>,
    /// Every rate times this.
    #[arg(long, default_value_t = 1.0)]
    rate: f64,
    /// Every length times this.
    #[arg(long, default_value_t = 1.0)]
    time: f64,
    /// Write the results here, as JSON, for `report`.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What all arrivals share.
#[derive(Debug)]
struct Shared {
    target: Arc<Target>,
    stage: Stage,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    recorder: Mutex<Recorder>,
    work: Vec<Work>,
    seed: u64,
    began: Instant,
}

/// Runs the profile and prints its results. Raises what makes it impossible, and results beyond its limits.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut profile = Profile::read(&arguments.profile)?;
    profile.scale(arguments.rate, arguments.time);
    let actions: Vec<Action> = profile.work.iter().map(|work| work.action).collect();
    let base = if actions.contains(&Action::Login) {
        anyhow::ensure!(
            actions.iter().all(|action| *action == Action::Login),
            "sign-ins go to another address than SCIM: give them a profile of their own"
        );
        arguments.scim.trim_end_matches('/').trim_end_matches("/scim/v2")
    } else {
        &arguments.scim
    };
    let target = Target::new(base, &crate::cli::token(arguments.token_file.as_deref())?)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let series = format!("{now:x}");
    let module = arguments.module.as_deref().map(NssModule::open).transpose()?;
    let stage = Stage::set(&mut target.connection(), &actions, module, profile.seed, &series).await?;
    let commands = Commands::parse(&arguments.on)?;
    let followers = match profile.nodes {
        None => None,
        Some(nodes) => {
            let base = arguments
                .read
                .as_deref()
                .context("the profile has nodes: give --read")?;
            let read = Target::new(base, &crate::cli::token(arguments.read_token_file.as_deref())?)?;
            Some(Followers::start(nodes, &read, &target, profile.seed).await?)
        }
    };
    let watch = Watch::start(Watched::parse(&arguments.watch)?)?;
    let shared = Arc::new(Shared {
        idle: Mutex::new(Vec::new()),
        permits: Semaphore::new(profile.connections),
        recorder: Mutex::new(Recorder::new(&profile)),
        work: profile.work.clone(),
        seed: profile.seed,
        began: Instant::now(),
        stage,
        target,
    });
    let events = commands.start(&profile.event, shared.began)?;
    let unfinished = drive(&shared, &profile).await;
    let mut results = {
        let mut recorder = shared.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        recorder.unfinished(unfinished);
        recorder.results()
    };
    if let Some(followers) = followers {
        results.spread = Some(followers.finish().await?);
    }
    results.processes = watch.finish(results.total.count);
    if let Ok(outcome) = tokio::task::spawn_blocking(move || events.join()).await? {
        outcome?;
    }
    if let Some(out) = &arguments.out {
        std::fs::write(out, serde_json::to_string_pretty(&results)?)?;
    }
    print!("{}", crate::report::text::table(&results));
    let broken = results.beyond(&profile.limits);
    anyhow::ensure!(
        broken.is_empty(),
        "beyond the limits of the profile: {}",
        broken.join("; ")
    );
    Ok(())
}

/// Starts every arrival when it is due; returns how many were given up in the end.
async fn drive(shared: &Arc<Shared>, profile: &Profile) -> u64 {
    let (arrivals, mut due) = mpsc::channel(1_024);
    let schedule = Schedule::new(&profile.load, profile.spread, profile.seed);
    let began = shared.began;
    // A thread of its own, because the runtime's timer knows whole milliseconds only.
    std::thread::spawn(move || pace(schedule, began, &arrivals));
    let mut running = JoinSet::new();
    while let Some(arrival) = due.recv().await {
        while running.try_join_next().is_some() {}
        if running.len() >= WAITING {
            shared.record(arrival, &Err(anyhow::anyhow!("too many operations wait")));
            continue;
        }
        running.spawn(arrive(Arc::clone(shared), arrival));
    }
    let rest = async { while running.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(PATIENCE, rest).await;
    running.len() as u64
}

fn pace(schedule: Schedule, began: Instant, arrivals: &mpsc::Sender<Arrival>) {
    for arrival in schedule {
        if let Some(pause) = (began + arrival.due).checked_duration_since(Instant::now()) {
            std::thread::sleep(pause);
        }
        if arrivals.blocking_send(arrival).is_err() {
            return;
        }
    }
}

async fn arrive(shared: Arc<Shared>, arrival: Arrival) {
    // Never closed.
    let Ok(_permit) = shared.permits.acquire().await else {
        return;
    };
    let idle = shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut connection = idle.unwrap_or_else(|| shared.target.connection());
    let work = shared.pick(arrival.number);
    let outcome = Performer::new(&mut connection, &shared.stage, arrival.number)
        .perform(work.persona, work.action)
        .await;
    shared.record(arrival, &outcome);
    shared
        .idle
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(connection);
}

impl Shared {
    /// Which kind of work an arrival is.
    fn pick(&self, number: u64) -> Work {
        let total: f64 = self.work.iter().map(|work| work.weight).sum();
        let mut left = Random::new(self.seed ^ 0x77_6f72, number).fraction() * total;
        for work in &self.work {
            left -= work.weight;
            if left < 0.0 {
                return *work;
            }
        }
        self.work[0]
    }

    fn record(&self, arrival: Arrival, outcome: &anyhow::Result<()>) {
        let work = self.pick(arrival.number);
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        recorder.record(arrival, work, self.began.elapsed(), outcome);
    }
}
