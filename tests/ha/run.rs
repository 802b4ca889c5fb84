//! The run: builds the site, strikes by the schedule, compares after each fault, and says which promises were broken.

mod asynchronous;
mod away;
mod overload;
mod upgrade;

use std::time::{Duration, Instant, SystemTime};

use crate::check::{Evidence, judge};
use crate::clients::Clients;
use crate::faults::Fault;
use crate::harness::command::ROLLCALL;
use crate::harness::wait_until;
use crate::isolation::PREVIOUS;
use crate::journal::Entry;
use crate::report::{Figures, HEAD, scim_reads_broken};
use crate::site::{BALANCER, Site, front};
use crate::watch::{self, Watch};

/// How long the clients work undisturbed before the first fault.
const CALM: Duration = Duration::from_secs(6);

/// How long the whole database is away, in `make test` and in a soak.
const AWAY: Duration = Duration::from_secs(20);
const AWAY_SOAK: Duration = Duration::from_mins(5);

/// Longest time until every way to the primary takes writes again after a fault was healed.
const RECOVERY: Duration = Duration::from_secs(40);

/// Runs everything; fails when a promise was broken.
pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(Run::go());
}

/// A number that makes a run repeatable, and how long the random schedule goes on.
struct Plan {
    seed: u64,
    minutes: u64,
    only: Option<String>,
}

impl Plan {
    fn read() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        Self {
            seed: number("ROLLCALL_HA_SEED").unwrap_or_else(rand::random),
            minutes: number("ROLLCALL_HA_MINUTES").unwrap_or(0),
            only: std::env::var("ROLLCALL_HA_ONLY").ok(),
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.split(',').any(|part| name.contains(part)))
    }
}

/// A run.
pub struct Run {
    /// What is broken.
    pub site: Site,
    /// Who notices.
    pub clients: Clients,
    /// One for each fault so far.
    pub figures: Vec<Figures>,
    /// Promises that were broken so far.
    pub broken: Vec<String>,
    /// Prometheus, when somebody watches.
    pub watch: Option<Watch>,
}

impl Run {
    async fn go() {
        let plan = Plan::read();
        let began = Instant::now();
        println!(
            "seed {} (ROLLCALL_HA_SEED={} repeats the schedule)",
            plan.seed, plan.seed
        );
        let previous = std::env::var(PREVIOUS).ok().filter(|_| plan.wants("upgrade"));
        let site = Site::build(previous.as_deref().unwrap_or(ROLLCALL)).await;
        println!(
            "the site is up after {:.0} s, files in {}",
            began.elapsed().as_secs_f64(),
            site.folder.path("").display()
        );
        let clients = Clients::begin(&site).await;
        let mut run = Self {
            site,
            clients,
            figures: Vec::new(),
            broken: Vec::new(),
            watch: Watch::start().await,
        };
        println!("{HEAD}");
        if plan.wants("upgrade") {
            run.rolling_upgrade(previous.as_deref()).await;
        }
        run.observe("calm", async |_| {
            tokio::time::sleep(CALM).await;
        })
        .await;
        run.try_nginx().await;
        let mut seed = plan.seed;
        loop {
            for fault in Fault::schedule(seed) {
                if plan.wants(&fault.name()) {
                    run.observe(&fault.name(), async |site| fault.strike(site).await).await;
                }
            }
            if began.elapsed() >= Duration::from_mins(plan.minutes) {
                break;
            }
            seed = seed.wrapping_add(1);
        }
        if plan.wants("away") {
            let span = match run.watch {
                Some(_) => watch::AWAY,
                None if plan.minutes > 0 => AWAY_SOAK,
                None => AWAY,
            };
            run.database_away(span).await;
        }
        if plan.wants("overload") {
            run.overload().await;
        }
        run.end(&plan).await;
    }

    /// Strikes, heals, compares, and prints the row of the fault.
    async fn observe(&mut self, name: &str, strike: impl AsyncFnOnce(&mut Site)) {
        self.site.cluster.await_healthy().await;
        let sequences = self.sequences().await;
        let (begin, began) = (self.clients.journal().now(), SystemTime::now());
        strike(&mut self.site).await;
        self.site.heal().await;
        self.await_writes().await;
        if let Some(watch) = &self.watch {
            watch.note(name, began);
        }
        let end = self.clients.journal().now();
        self.clients.quiet().await;
        let (entries, found) = self.compare().await;
        let mut figures = Figures::of(name, &entries, begin, end);
        figures.found = found;
        for (before, now) in sequences.into_iter().zip(self.sequences().await) {
            if now < before {
                figures
                    .found
                    .push(format!("a sequence went back from {before} to {now}"));
            }
        }
        println!("{}", figures.row());
        for line in figures.broken() {
            println!("BROKEN {line}");
            self.broken.push(line);
        }
        self.figures.push(figures);
        self.clients.go_on();
    }

    /// What the checker finds among all that was told so far.
    async fn compare(&self) -> (Vec<Entry>, Vec<String>) {
        let client = self.site.cluster.connect_primary("rollcall").await;
        let evidence = Evidence::gather(&client).await;
        let entries = self.clients.journal().entries();
        let found = judge(&entries, &evidence).lines();
        (entries, found)
    }

    /// nginx serves as well as `HAProxy` does, on its reference configuration.
    async fn try_nginx(&mut self) {
        let _nginx = front::nginx(&self.site.folder);
        for (port, path, token) in [
            (8090, "/scim/v2/Users?count=1", &self.site.tokens.scim),
            (8091, "/nss/v1/passwd?name=known0", &self.site.tokens.nss),
        ] {
            let url = format!("http://{BALANCER}:{port}{path}");
            wait_until("nginx answers", RECOVERY, async || {
                let answer = self.site.cluster.http.get(&url).bearer_auth(token).send().await;
                answer.is_ok_and(|answer| answer.status().as_u16() == 200)
            })
            .await;
        }
    }

    /// Where the sequences of users and of groups stand.
    async fn sequences(&self) -> [i64; 2] {
        let client = self.site.cluster.connect_primary("rollcall").await;
        let both = "select u.last_value, g.last_value from store.uid_seq u, store.gid_seq g";
        let row = client.query_one(both, &[]).await.unwrap();
        [row.get(0), row.get(1)]
    }

    /// Waits until a write that began after this moment was acknowledged on every way.
    async fn await_writes(&self) {
        let begin = self.clients.journal().now();
        wait_until("writes on every way", RECOVERY, async || {
            let late = self.clients.journal().entries_since(begin);
            ["front", "haproxy", "hosts", "pgbouncer"].iter().all(|way| {
                late.iter()
                    .any(|entry| entry.client == *way && entry.is_write() && entry.is_ok())
            })
        })
        .await;
    }

    async fn end(mut self, plan: &Plan) {
        if let Some(watch) = &self.watch {
            watch.await_clear().await;
        }
        self.broken.extend(scim_reads_broken(&self.figures));
        self.clients.finish().await;
        if plan.wants("asynchronous") {
            self.asynchronous_failover().await;
        }
        self.site.replicas.write_logs(&self.site.folder);
        let table: Vec<String> = self.figures.iter().map(Figures::row).collect();
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ha.md");
        std::fs::write(&path, format!("{HEAD}\n{}\n", table.join("\n"))).unwrap();
        println!("figures: {}", path.display());
        for line in &self.broken {
            println!("broken: {line}");
        }
        assert!(self.broken.is_empty(), "{} promises were broken", self.broken.len());
        self.site.folder.remove();
    }
}
