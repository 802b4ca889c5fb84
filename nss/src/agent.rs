//! The node agent: keeps the shared map equal to the service's directory, answers what the map does not know, survives without either.
//!
//! Threads: one follows the change feed ([`follow`]), one serves the socket ([`socket`]), a few ask the service about misses, one gives signs of
//! life. Whatever touches directory and map does so under the one lock of [`Node`].

pub mod directory;
pub mod disk;
pub mod follow;
pub mod miss;
pub mod notify;
pub mod publish;
pub mod socket;
pub mod status;

use crate::client::{Client, Outdates};
use crate::clock::{now_ms, unix_seconds};
use crate::config::{CONFIG_PATH, Config, SafeFileError};
use crate::map::{MAP_FILE, RUN_DIR, RegionError, Service};
use directory::Directory;
use publish::Publisher;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the agent gives a sign of life, ms; readers believe it gone after ten missing ones.
const BEAT_MS: u64 = 500;
/// A follower that has not come round for so long is stuck: systemd's watchdog may have the agent, ms.
const STUCK_MS: u64 = 120_000;
/// Connections kept to the service: the follower's, and misses'.
const KEPT_CONNECTIONS: usize = 4;

/// Where the agent works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Configuration file.
    pub config_path: String,
    /// Folder of map and socket.
    pub run_dir: String,
    /// Folder of the copy on disk.
    pub cache_dir: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config_path: CONFIG_PATH.to_owned(),
            run_dir: RUN_DIR.to_owned(),
            cache_dir: "/var/cache/rollcall".to_owned(),
        }
    }
}

/// Why the agent ends.
#[derive(Debug)]
pub enum End {
    /// There is no configuration (any more); the map is gone too.
    NoConfiguration,
    /// The configuration has changed: to be started again with the new one.
    NewConfiguration,
    /// It cannot work here.
    Failed(String),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<RegionError> for End {
    fn from(error: RegionError) -> Self {
        Self::Failed(format!("the map: {error:?}"))
    }
}

/// What directory and map have to be changed under.
#[derive(Debug)]
pub struct Core {
    /// The users and groups.
    pub directory: Directory,
    /// Their map.
    pub publisher: Publisher,
    /// What is known of the service.
    pub service: Service,
    /// When the directory was last known to be whole, seconds since 1970.
    pub synced: u64,
}

/// Counters for `rollcall-node status`.
#[derive(Debug, Default)]
pub struct Counters {
    /// Answers of the service that were used.
    pub answers: AtomicU64,
    /// Questions it did not answer.
    pub faults: AtomicU64,
    /// Changes applied.
    pub changes: AtomicU64,
    /// Records that were refused.
    pub refused: AtomicU64,
    /// Requests on the socket.
    pub requests: AtomicU64,
    /// Requests that joined another one's question.
    pub joined: AtomicU64,
    /// Whole directories loaded.
    pub snapshots: AtomicU64,
    /// When the follower last came round, ms.
    pub round_ms: AtomicU64,
}

/// The running agent.
#[derive(Debug)]
pub struct Node {
    /// Where it works.
    pub options: Options,
    /// What it was started with.
    pub config: Config,
    /// Its way to the service.
    pub client: Client,
    /// Its counters.
    pub counters: Counters,
    core: Mutex<Core>,
}

impl Node {
    /// Directory and map, locked.
    pub fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service has answered, or it has not: opens or closes the node's breaker.
    pub fn note(&self, answered: bool) {
        let counter = if answered {
            &self.counters.answers
        } else {
            &self.counters.faults
        };
        counter.fetch_add(1, Relaxed);
        let service = if answered { Service::Up } else { Service::Down };
        let mut core = self.core();
        if core.service != service {
            core.service = service;
            core.publisher.set_service(service, now_ms());
        }
    }

    fn start(options: Options) -> Result<Arc<Self>, End> {
        let config = Config::load(&options.config_path).map_err(|error| match error {
            SafeFileError::Missing => End::NoConfiguration,
            other => End::Failed(format!("{}: {other:?}", options.config_path)),
        })?;
        let mut directory = Directory::default();
        let mut synced = 0;
        if let Some(copy) = disk::load(&options.cache_dir, config.ids) {
            (directory, synced) = copy;
        }
        let mut publisher = Publisher::new(&options.run_dir, config.ids, config.enumerate);
        publisher.rebuild(&directory, synced)?;
        let core = Mutex::new(Core {
            directory,
            publisher,
            service: Service::Starting,
            synced,
        });
        let client = Client::new(config.clone(), KEPT_CONNECTIONS, Outdates::WithTheFeed);
        Ok(Arc::new(Self {
            options,
            config,
            client,
            counters: Counters::default(),
            core,
        }))
    }
}

/// Runs until the configuration goes or changes, or something fails that a new start may cure.
pub fn run(options: Options) -> End {
    match try_run(options) {
        Ok(end) | Err(end) => end,
    }
}

fn try_run(options: Options) -> Result<End, End> {
    let run_dir = options.run_dir.clone();
    let node = match Node::start(options) {
        Err(End::NoConfiguration) => {
            // A map that nobody writes any more must not answer for a node that is no longer configured.
            let _ = std::fs::remove_file(Path::new(&run_dir).join(MAP_FILE));
            return Err(End::NoConfiguration);
        }
        other => other?,
    };
    socket::serve(&node)?;
    let beating = Arc::clone(&node);
    node.counters.round_ms.store(now_ms(), Relaxed);
    std::thread::Builder::new()
        .name("beat".to_owned())
        .spawn(move || beat(&beating))?;
    notify::send("READY=1\nSTATUS=serving the map");
    let end = follow::follow(&node);
    let core = node.core();
    let _ = disk::save(&node.options.cache_dir, &core.directory, core.synced);
    if matches!(end, End::NoConfiguration) {
        core.publisher.withdraw();
    }
    Ok(end)
}

/// Signs of life: to the readers of the map, and to systemd as long as the follower comes round.
fn beat(node: &Node) {
    loop {
        let now = now_ms();
        node.core().publisher.beat(now);
        if now.saturating_sub(node.counters.round_ms.load(Relaxed)) < STUCK_MS {
            notify::send("WATCHDOG=1");
        }
        std::thread::sleep(Duration::from_millis(BEAT_MS));
    }
}

/// The directory is whole as of now.
pub(crate) fn mark_synced(core: &mut Core) {
    core.synced = unix_seconds();
    core.publisher.set_complete(core.synced);
}
