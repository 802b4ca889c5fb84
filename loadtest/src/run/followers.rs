//! Agents of many nodes that follow the change feed of one read replica, and how long a change takes to reach all of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Connection, Request, Target, escape};
use crate::directory;
use crate::latency::{Latencies, Quantiles};
use crate::profile::Nodes;
use crate::random::Random;

/// Records asked for at once, as the node agent does.
const PAGE: u32 = 2_000;

/// How long after the last change followers may still tell of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What nodes have shown.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Spread {
    /// Agents, each with a connection of its own.
    pub followers: u32,
    /// Questions answered, per second.
    pub questions_per_second: f64,
    /// Time of one question.
    pub question: Quantiles,
    /// Bytes of all bodies, per second.
    pub body_bytes_per_second: f64,
    /// Changes made while they followed.
    pub changes: u64,
    /// From when a change was sent to the service to when one agent had it.
    pub one: Quantiles,
    /// The same until the last agent had it, one figure per change.
    pub all: Quantiles,
    /// Changes that did not reach everybody.
    pub unreached: u64,
    /// Questions that failed, by their reason.
    pub errors: BTreeMap<String, u64>,
}

/// A change under way.
#[derive(Debug)]
struct Change {
    sent: Instant,
    seen: u32,
    last: Duration,
}

#[derive(Debug, Default)]
struct Seen {
    changes: HashMap<String, Change>,
    one: Option<Latencies>,
    question: Option<Latencies>,
    bytes: u64,
    errors: BTreeMap<String, u64>,
}

/// The agents at work.
#[derive(Debug)]
pub struct Followers {
    nodes: Nodes,
    began: Instant,
    seen: Arc<Mutex<Seen>>,
    running: JoinSet<()>,
    is_over: Arc<AtomicBool>,
    changer: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Followers {
    /// Starts them at the present end of the feed, and somebody who changes one user after the other through SCIM. Raises
    /// a read API that does not answer, and a service without users.
    pub async fn start(nodes: Nodes, read: &Arc<Target>, scim: &Arc<Target>, seed: u64) -> anyhow::Result<Self> {
        let page = read
            .connection()
            .send(&Request::get("/snapshot?limit=1"))
            .await?
            .json()?;
        let cursor = page["cursor"]
            .as_str()
            .context("a directory without a cursor")?
            .to_owned();
        let users = directory::users(&mut scim.connection(), 1_000).await?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut running = JoinSet::new();
        for number in 0..nodes.followers {
            let follower = Follower {
                connection: read.connection(),
                cursor: cursor.clone(),
                random: Random::new(seed ^ 0x6e6f_6465, number.into()),
                period: Duration::from_millis(nodes.period_ms),
                known: HashSet::new(),
                seen: Arc::clone(&seen),
            };
            running.spawn(follower.follow());
        }
        let ids: Vec<String> = users.into_iter().map(|(id, _)| id).collect();
        let every = Duration::from_millis(nodes.change_every_ms);
        let is_over = Arc::new(AtomicBool::new(false));
        let changer = change(scim.connection(), ids, every, Arc::clone(&seen), Arc::clone(&is_over));
        let changer = tokio::spawn(changer);
        Ok(Self {
            nodes,
            began: Instant::now(),
            seen,
            running,
            is_over,
            changer,
        })
    }

    /// Ends the changes, waits until the last one has reached everybody, and tells. Raises a change that was refused.
    pub async fn finish(mut self) -> anyhow::Result<Spread> {
        self.is_over.store(true, Ordering::Relaxed);
        self.changer.await?.context("a change for the nodes")?;
        let seconds = self.began.elapsed().as_secs_f64();
        let (answered, bytes) = {
            let seen = lock(&self.seen);
            (seen.question.as_ref().map_or(0, |q| q.quantiles().count), seen.bytes)
        };
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && lock(&self.seen).changes.values().any(|c| c.seen < self.nodes.followers) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.running.shutdown().await;
        let seen = lock(&self.seen);
        let mut all = Latencies::new();
        let reached = seen
            .changes
            .values()
            .filter(|change| change.seen == self.nodes.followers);
        reached.for_each(|change| all.record(change.last));
        let quantiles =
            |latencies: &Option<Latencies>| latencies.as_ref().map(Latencies::quantiles).unwrap_or_default();
        Ok(Spread {
            followers: self.nodes.followers,
            questions_per_second: (answered as f64 / seconds).round(),
            question: quantiles(&seen.question),
            body_bytes_per_second: (bytes as f64 / seconds).round(),
            changes: seen.changes.len() as u64,
            one: quantiles(&seen.one),
            unreached: seen.changes.len() as u64 - all.quantiles().count,
            all: all.quantiles(),
            errors: seen.errors.clone(),
        })
    }
}

/// One node's agent: asks, remembers the cursor, pauses.
struct Follower {
    connection: Connection,
    cursor: String,
    random: Random,
    period: Duration,
    /// The changes that it has told of; the feed may send one twice.
    known: HashSet<String>,
    seen: Arc<Mutex<Seen>>,
}

impl Follower {
    async fn follow(mut self) {
        // Agents that start together must not ask together, and neither must these.
        tokio::time::sleep(self.period.mul_f64(self.random.fraction())).await;
        loop {
            let more = match self.ask().await {
                Ok(more) => more,
                Err(error) => {
                    *lock(&self.seen).errors.entry(format!("{error:#}")).or_default() += 1;
                    false
                }
            };
            if !more {
                let part = 0.9 + self.random.fraction() / 5.0;
                tokio::time::sleep(self.period.mul_f64(part)).await;
            }
        }
    }

    async fn ask(&mut self) -> anyhow::Result<bool> {
        let request = Request::get(format!("/changes?since={}&limit={PAGE}", escape(&self.cursor)));
        let began = Instant::now();
        let answer = self.connection.send(&request).await?;
        let now = Instant::now();
        let feed: Value = answer.json()?;
        feed["cursor"]
            .as_str()
            .context("no cursor")?
            .clone_into(&mut self.cursor);
        let mut seen = lock(&self.seen);
        seen.bytes += answer.body.len() as u64;
        seen.question.get_or_insert_with(Latencies::new).record(now - began);
        for id in feed["changes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|change| change["id"].as_str())
        {
            if !self.known.contains(id)
                && let Some(change) = seen.changes.get_mut(id)
            {
                let delay = now.saturating_duration_since(change.sent);
                change.seen += 1;
                change.last = change.last.max(delay);
                seen.one.get_or_insert_with(Latencies::new).record(delay);
                self.known.insert(id.to_owned());
            }
        }
        Ok(feed["more"] == true)
    }
}

/// Changes the name of one user after the other, each once: his id tells the changes apart.
async fn change(
    mut connection: Connection,
    ids: Vec<String>,
    every: Duration,
    seen: Arc<Mutex<Seen>>,
    is_over: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let run = std::process::id();
    for (number, id) in ids.into_iter().enumerate() {
        tokio::time::sleep(every).await;
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                          "Operations": [{"op": "replace", "path": "displayName", "value": format!("Change {run} {number}")}]});
        let sent = Instant::now();
        let last = Duration::ZERO;
        lock(&seen).changes.insert(id.clone(), Change { sent, seen: 0, last });
        let request = Request::with_body(Method::PATCH, format!("/Users/{id}"), &body);
        connection.send(&request).await?.accept()?;
    }
    Ok(())
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
