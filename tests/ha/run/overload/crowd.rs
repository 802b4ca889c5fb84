//! Many clients at once that create users, on threads of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;
use tokio::task::JoinSet;

use super::wire::Wire;
use crate::site::share::Share;

/// How often a steady crowd looks how many requests are due.
const BEAT: Duration = Duration::from_millis(5);

/// Most requests of a steady crowd that wait for an answer, each on a connection; below what the balancer takes at its front.
const OUT: usize = 3_000;

/// How nice the crowd is (setpriority(2)), where it gets no share of its own ([`Share`]): clients have machines of their own, and what
/// these spend on asking is not what the promises are about. Here it would come out of the two cores of everything that is tested.
const NICE: i32 = 10;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a crowd met.
#[derive(Default)]
pub struct Met {
    /// Users created.
    pub accepted: usize,
    /// How long each refusal by 429 or 503 took, in seconds.
    pub refused: Vec<f64>,
    /// Any other answer, or none.
    pub wrong: Vec<String>,
}

impl Met {
    /// How many requests there were.
    pub fn asked(&self) -> usize {
        self.accepted + self.refused.len() + self.wrong.len()
    }

    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused.extend(other.refused);
        self.wrong.extend(other.wrong);
    }
}

/// A crowd that presses until it is told to leave.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Met>,
}

impl Crowd {
    /// `clients` that send a request as soon as the one before is answered.
    pub fn eager(address: &str, token: &str, clients: usize) -> Self {
        let wire = Arc::new(Wire::new(address, token));
        Self::gather(move |stop| async move {
            let mut crowd = JoinSet::new();
            for _ in 0..clients {
                let (wire, stop) = (wire.clone(), stop.clone());
                crowd.spawn(async move {
                    let mut met = Met::default();
                    while !stop.load(Ordering::Relaxed) {
                        met.add(create(wire.clone()).await);
                    }
                    met
                });
            }
            all(crowd).await
        })
    }

    /// Clients that send `rate` requests a second together, whether there are answers or not.
    pub fn steady(address: &str, token: &str, rate: f64) -> Self {
        let wire = Arc::new(Wire::new(address, token));
        Self::gather(move |stop| async move {
            let (began, mut sent) = (Instant::now(), 0.0);
            let mut crowd = JoinSet::new();
            let mut met = Met::default();
            while !stop.load(Ordering::Relaxed) {
                let due = rate * began.elapsed().as_secs_f64();
                while sent < due && crowd.len() < OUT {
                    sent += 1.0;
                    crowd.spawn(create(wire.clone()));
                }
                tokio::time::sleep(BEAT).await;
                while let Some(answered) = crowd.try_join_next() {
                    met.add(answered.unwrap());
                }
            }
            met.add(all(crowd).await);
            met
        })
    }

    fn gather<F: Future<Output = Met>>(work: impl FnOnce(Arc<AtomicBool>) -> F + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            // The thread's own on Linux, and that of all it starts.
            Share::of("crowd").join_alone();
            setpriority_process(None, NICE).unwrap();
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(work(told))
        });
        Self { stop, thread }
    }

    /// Lets it go once all its requests have been answered, and tells what it met.
    pub async fn leave(self) -> Met {
        self.stop.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(|| self.thread.join().unwrap())
            .await
            .unwrap()
    }
}

async fn all(mut crowd: JoinSet<Met>) -> Met {
    let mut met = Met::default();
    while let Some(answered) = crowd.join_next().await {
        met.add(answered.unwrap());
    }
    met
}

/// Creates a user nobody has heard of.
async fn create(wire: Arc<Wire>) -> Met {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let body = format!("{{\"userName\":\"crowd{}\"}}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let began = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, wire.post("/scim/v2/Users", &body)).await;
    let mut met = Met::default();
    match answer {
        Ok(Ok(201)) => met.accepted = 1,
        Ok(Ok(429 | 503)) => met.refused.push(began.elapsed().as_secs_f64()),
        Ok(Ok(status)) => met.wrong.push(format!("status {status}")),
        Ok(Err(error)) => met.wrong.push(format!("{error:?}")),
        Err(_) => met.wrong.push(format!("no answer within {PATIENCE:?}")),
    }
    met
}
