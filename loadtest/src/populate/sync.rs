//! Populating as an identity provider does in its first cycle: each user looked for and created, each group created and
//! filled, several connections at once. Timed, because it is also a measurement.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Arguments;
use super::progress::{Kind, Progress};
use crate::client::Target;
use crate::directory;
use crate::latency::Latencies;
use crate::personas::Persona;
use crate::population::Population;

/// Most members of a group that a sync sends: the sizes of teams and departments, not those of everybody.
const MEMBERS: u64 = 200;

/// The first groups of a population hold everybody; a sync begins behind them.
const FIRST_GROUP: u64 = 100;

/// What all workers share. `ids` leads from a user's index to his id.
#[derive(Debug)]
struct Work {
    target: Arc<Target>,
    population: Population,
    persona: Persona,
    kind: Kind,
    users: u64,
    total: u64,
    next: AtomicU64,
    ids: Mutex<HashMap<u64, String>>,
    latencies: Mutex<Latencies>,
}

/// Runs the cycle from where it stopped; what is there already stays. Raises what the service refuses.
pub async fn populate(
    target: &Arc<Target>,
    population: &Population,
    persona: Persona,
    arguments: &Arguments,
    mut progress: Progress,
) -> anyhow::Result<()> {
    let mut ids = HashMap::new();
    for (kind, total) in [(Kind::Users, arguments.users), (Kind::Groups, arguments.groups)] {
        let begins_at = progress.done(kind);
        if begins_at >= total {
            continue;
        }
        if kind == Kind::Groups && (ids.len() as u64) < arguments.users {
            ids = known_ids(target, population, arguments.users).await?;
        }
        let work = Arc::new(Work {
            target: Arc::clone(target),
            population: population.clone(),
            persona,
            kind,
            users: arguments.users,
            total,
            next: AtomicU64::new(begins_at),
            ids: Mutex::new(std::mem::take(&mut ids)),
            latencies: Mutex::new(Latencies::new()),
        });
        let began = Instant::now();
        let (done, mut indices) = mpsc::channel(64);
        let mut workers = JoinSet::new();
        for _ in 0..arguments.connections {
            workers.spawn(sync(Arc::clone(&work), done.clone()));
        }
        drop(done);
        while let Some(index) = indices.recv().await {
            progress.add(kind, index, index + 1, total)?;
        }
        while let Some(worker) = workers.join_next().await {
            worker??;
        }
        tell(&work, began, total - begins_at, arguments)?;
        ids = std::mem::take(&mut *work.ids.lock().unwrap_or_else(PoisonError::into_inner));
    }
    Ok(())
}

/// One line for people, and one for `scale`.
fn tell(work: &Work, began: Instant, count: u64, arguments: &Arguments) -> anyhow::Result<()> {
    let seconds = (began.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0;
    let name = if work.kind == Kind::Users { "users" } else { "groups" };
    let rate = count as f64 / seconds;
    let latency = work
        .latencies
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .quantiles();
    println!(
        "{count} {name} in {seconds:.1} s: {rate:.0}/s, p99 {} us each",
        latency.p99_us
    );
    if let (Some(file), Some(server)) = (&arguments.record, &arguments.server) {
        let line = json!({"step": "sync", "server": server, "kind": name, "count": count, "seconds": seconds,
                          "users": work.users, "connections": arguments.connections, "latency": latency});
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
        writeln!(file, "{line}")?;
    }
    Ok(())
}

async fn sync(work: Arc<Work>, done: mpsc::Sender<u64>) -> anyhow::Result<()> {
    let mut connection = work.target.connection();
    loop {
        let index = work.next.fetch_add(1, Ordering::Relaxed);
        if index >= work.total {
            return Ok(());
        }
        let began = Instant::now();
        match work.kind {
            Kind::Users => {
                let user = work.population.user(index);
                let id = work.persona.sync_user(&mut connection, &user).await?;
                work.ids
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(index, id);
            }
            Kind::Groups => {
                let mut group = work.population.group(FIRST_GROUP + index, work.users);
                group.members.truncate(usize::try_from(MEMBERS).unwrap_or_default());
                let members: Vec<String> = {
                    let ids = work.ids.lock().unwrap_or_else(PoisonError::into_inner);
                    group
                        .members
                        .iter()
                        .filter_map(|member| ids.get(member).cloned())
                        .collect()
                };
                work.persona.sync_group(&mut connection, &group, &members).await?;
            }
        }
        let latency = began.elapsed();
        work.latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .record(latency);
        if done.send(index).await.is_err() {
            return Ok(());
        }
    }
}

/// The ids of users whom an earlier run has made.
async fn known_ids(target: &Arc<Target>, population: &Population, users: u64) -> anyhow::Result<HashMap<u64, String>> {
    let by_name = directory::ids_by_user_name(&mut target.connection()).await?;
    let id = |index| Some((index, by_name.get(&population.user(index).user_name)?.clone()));
    Ok((0..users).filter_map(id).collect())
}
