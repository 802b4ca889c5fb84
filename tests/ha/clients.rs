//! The clients: writers, sign-ins, readers and the plain probe, which go on through every fault and note what they are told.

pub mod http;
mod logins;
mod node;
mod probe;
mod readers;
mod writers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::harness::wait_until;
use crate::journal::Journal;
use crate::site::{BALANCER, Site};
use http::Http;
use node::Node;

/// Users whom nodes ask for: written once, before the first fault.
const KNOWN_USERS: usize = 40;

/// Longest time in which clients finish what they have begun.
const FINISH: Duration = Duration::from_mins(2);

/// Clients that write through the balancer. Each may be caught by a replica that freezes until it goes on; were they few, all of
/// them would be at times, and nobody left to find out when writes go on.
const FRONT_WRITERS: usize = 5;

/// What every client needs.
#[derive(Clone)]
pub struct Desk {
    /// Where it notes what it was told.
    pub journal: Arc<Journal>,
    /// Turns true when it shall end.
    pub stop: Arc<AtomicBool>,
    /// Turns true while only nodes shall ask: for a comparison, and while the whole database is away.
    pub quiet: Arc<AtomicBool>,
    /// Clients in the middle of something.
    pub busy: Arc<AtomicUsize>,
}

/// Held by a client in the middle of something.
pub struct Business(Arc<AtomicUsize>);

impl Drop for Business {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Desk {
    /// Whether to go on.
    pub fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Waits while the desk is quiet; `None` when it has closed.
    pub async fn open(&self) -> Option<Business> {
        while self.goes_on() {
            self.busy.fetch_add(1, Ordering::SeqCst);
            let business = Business(self.busy.clone());
            if !self.quiet.load(Ordering::SeqCst) {
                return Some(business);
            }
            drop(business);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }
}

/// A user that nodes know.
#[derive(Clone, Debug)]
pub struct Known {
    /// SCIM id.
    pub id: String,
    /// POSIX name, which is his userName.
    pub name: String,
    /// Number.
    pub uid: i64,
}

/// The clients at work.
pub struct Clients {
    /// What they share.
    pub desk: Desk,
    /// Whom nodes ask for.
    pub known: Arc<Vec<Known>>,
    tasks: JoinSet<()>,
}

impl Clients {
    /// Writes the known users and lets all clients begin.
    pub async fn begin(site: &Site) -> Self {
        let desk = Desk {
            journal: Arc::new(Journal::create(&site.folder.path("log/journal.jsonl"))),
            stop: Arc::default(),
            quiet: Arc::default(),
            busy: Arc::default(),
        };
        let front = Http::new("front", &format!("http://{BALANCER}:8080"), &site.tokens.scim);
        let known = Arc::new(write_known_users(&desk, &front).await);
        let mut tasks = JoinSet::new();
        for number in 0..FRONT_WRITERS {
            tasks.spawn(writers::write(desk.clone(), front.clone(), format!("f{number}")));
        }
        for (number, way) in ["haproxy", "hosts", "pgbouncer"].into_iter().enumerate() {
            let http = Http::new(way, &format!("http://10.77.0.{}:8080", 21 + number), &site.tokens.scim);
            tasks.spawn(writers::write(desk.clone(), http, way.to_owned()));
        }
        let login = Http::new("login", &format!("http://{BALANCER}:8080"), &site.tokens.login);
        tasks.spawn(logins::sign_in(desk.clone(), login));
        for _ in 0..2 {
            tasks.spawn(readers::read_scim(desk.clone(), front.clone(), known.clone()));
        }
        let nodes = Http::new("nss", &format!("http://{BALANCER}:8081"), &site.tokens.nss);
        readers::ask_as_nodes(&mut tasks, &desk, &nodes, &known);
        let node = Node::start(&site.folder, &site.tokens.nss, &known).await;
        let (its_desk, its_users) = (desk.clone(), known.clone());
        tasks.spawn_blocking(move || node.read(&its_desk, &its_users));
        tasks.spawn(probe::insert(desk.clone(), site.folder.clone()));
        Self { desk, known, tasks }
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.desk.journal
    }

    /// Lets everybody but the nodes finish what they do, and keeps them from beginning anything new.
    pub async fn quiet(&self) {
        self.desk.quiet.store(true, Ordering::SeqCst);
        wait_until("the clients finish", FINISH, async || {
            self.desk.busy.load(Ordering::SeqCst) == 0
        })
        .await;
    }

    /// Undoes [`quiet`](Self::quiet).
    pub fn go_on(&self) {
        self.desk.quiet.store(false, Ordering::SeqCst);
    }

    /// Lets all of them end, and waits.
    pub async fn finish(&mut self) {
        self.desk.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

async fn write_known_users(desk: &Desk, front: &Http) -> Vec<Known> {
    let mut known = Vec::new();
    for number in 0..KNOWN_USERS {
        let name = format!("known{number}");
        let entry = writers::create(desk, front, &name)
            .await
            .expect("a user is created in calm");
        known.push(Known {
            id: entry.id.unwrap(),
            name,
            uid: entry.uid.unwrap(),
        });
    }
    known
}
