//! Ten times the usual load: the rest is refused in time, nodes hardly notice, memory stays bounded, and it passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::Run;
use crate::report::percentile;
use crate::site::BALANCER;

/// Clients at once: enough to ask for ten times the calm rate although each waits for its answers.
const CROWD: usize = 600;

/// How many times the calm rate of writes they ask for together.
const TIMES: f64 = 10.0;

/// How far the crowd's threads stand back for the processor: in truth its machines are its own.
const NICE: libc::c_int = 10;

/// Longest time until a request that is refused must have been refused.
const REFUSAL: Duration = Duration::from_secs(6);

/// Most memory that the overload may cost a replica, in MiB.
const MEMORY: u64 = 256;

/// How much worse the 99th percentile of nodes' reads may be than in calm.
const SLOWER: f64 = 2.0;

/// Below this a percentile says more of the machine than of the service, in milliseconds: here one machine floods, serves, stores and
/// looks on.
const NOTICEABLE: f64 = 250.0;

/// The share of the calm rate of writes that must be back five seconds after.
const BACK: f64 = 0.5;

/// What one client of the crowd met.
#[derive(Default)]
struct Met {
    accepted: usize,
    refused: Vec<Duration>,
    wrong: Vec<String>,
}

impl Run {
    /// Lets the crowd in for `span`.
    pub(super) async fn overload(&mut self, span: Duration) {
        let calm = self.pace(Duration::from_secs(6)).await;
        let memory = self.site.replicas.peak_memory();
        let stop = Arc::new(AtomicBool::new(false));
        let every = Duration::from_secs_f64(CROWD as f64 / (TIMES * calm.writes.max(1.0)));
        let (token, told) = (self.site.tokens.scim.clone(), stop.clone());
        let crowd = std::thread::spawn(move || gather_crowd(&token, every, &told));
        let under = self.pace(span).await;
        stop.store(true, Ordering::Relaxed);
        let met = tokio::task::spawn_blocking(|| crowd.join().unwrap()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let after = self.pace(Duration::from_secs(6)).await;
        let accepted: usize = met.iter().map(|met| met.accepted).sum();
        let refused: Vec<f64> = met
            .iter()
            .flat_map(|met| &met.refused)
            .map(Duration::as_secs_f64)
            .collect();
        let slowest = refused.iter().copied().fold(0.0, f64::max);
        let more = self.site.replicas.peak_memory().saturating_sub(memory);
        println!(
            "overload by {CROWD} clients for {} s: {accepted} accepted, {} refused by 429 or 503 (the slowest after {slowest:.1} s); \
             NSS p99 {:.0} ms, calm {:.0} ms; {} of {} NSS reads failed; memory {more} MiB more; writes {:.0}/s before, {:.0}/s after",
            span.as_secs(),
            refused.len(),
            under.nss_p99,
            calm.nss_p99,
            under.nss_failed,
            under.nss,
            calm.writes,
            after.writes,
        );
        let mut broken: Vec<String> = met.into_iter().flat_map(|met| met.wrong).take(5).collect();
        let mut demand = |kept: bool, what: String| {
            if !kept {
                broken.push(what);
            }
        };
        demand(
            slowest <= REFUSAL.as_secs_f64(),
            format!("a refusal took {slowest:.1} s"),
        );
        demand(more <= MEMORY, format!("{more} MiB more memory"));
        demand(
            under.nss_failed == 0,
            format!("{} reads by nodes failed", under.nss_failed),
        );
        demand(
            under.nss_p99 <= (SLOWER * calm.nss_p99).max(NOTICEABLE),
            format!(
                "p99 of nodes' reads {:.0} ms, calm {:.0} ms",
                under.nss_p99, calm.nss_p99
            ),
        );
        demand(
            after.writes >= BACK * calm.writes,
            format!("{:.0} writes/s, before {:.0}", after.writes, calm.writes),
        );
        for line in broken {
            println!("BROKEN overload: {line}");
            self.broken.push(format!("overload: {line}"));
        }
    }

    /// What the usual clients meet within `span` from now.
    async fn pace(&self, span: Duration) -> Pace {
        let begin = self.clients.journal().now();
        tokio::time::sleep(span).await;
        let entries = self.clients.journal().entries();
        let inside = || {
            entries
                .iter()
                .rev()
                .take_while(|entry| entry.end >= begin)
                .filter(|entry| entry.start >= begin)
        };
        let nodes: Vec<_> = inside().filter(|entry| entry.client == "nss").collect();
        Pace {
            nss: nodes.len(),
            nss_failed: nodes.iter().filter(|entry| entry.status != 200).count(),
            nss_p99: percentile(nodes.iter().map(|entry| entry.milliseconds()).collect(), 0.99),
            writes: inside().filter(|entry| entry.is_write() && entry.is_ok()).count() as f64 / span.as_secs_f64(),
        }
    }
}

struct Pace {
    nss: usize,
    nss_failed: usize,
    nss_p99: f64,
    writes: f64,
}

/// Runs the crowd to its end, on threads of its own.
fn gather_crowd(token: &str, every: Duration, stop: &Arc<AtomicBool>) -> Vec<Met> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(|| {
            // SAFETY: `nice` takes and gives numbers; on Linux it concerns the calling thread alone.
            unsafe { libc::nice(NICE) };
        })
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let mut crowd = JoinSet::new();
        for number in 0..CROWD {
            crowd.spawn(press(number, client.clone(), token.to_owned(), every, stop.clone()));
        }
        crowd.join_all().await
    })
}

/// Creates a user as often as `every` says, or as fast as the answers come, until told to stop.
async fn press(number: usize, client: reqwest::Client, token: String, every: Duration, stop: Arc<AtomicBool>) -> Met {
    let mut met = Met::default();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let began = Instant::now();
        let request = client
            .post(format!("http://{BALANCER}:8080/scim/v2/Users"))
            .bearer_auth(&token)
            .timeout(Duration::from_secs(40))
            .json(&json!({"userName": format!("crowd{number}-{turn}")}));
        match request.send().await {
            Ok(answer) if answer.status().as_u16() == 201 => met.accepted += 1,
            Ok(answer) if matches!(answer.status().as_u16(), 429 | 503) => met.refused.push(began.elapsed()),
            Ok(answer) => met.wrong.push(format!("status {}", answer.status())),
            Err(error) => met.wrong.push(format!("{error:?}")),
        }
        tokio::time::sleep(every.saturating_sub(began.elapsed())).await;
    }
    met
}
