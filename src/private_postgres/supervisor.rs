//! The thread that owns the server: takes the lock, starts it, starts it again when it dies, and stops it.
//!
//! A thread of its own, because the parent-death signal fires when the *thread* that started the child ends.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::account::{self, Choice};
use super::binaries::{self, Binaries};
use super::cluster;
use super::error::{PrivatePostgresError, at};
use super::folder::{self, DataDir, Lock};
use super::leftovers;
use super::process::{Signal, signal};
use crate::config;

/// How long to wait for another owner to go, for processes it left behind, or for its server to get ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a server may take to get ready; recovery after a crash is part of it.
const START_DEADLINE: Duration = Duration::from_mins(2);

/// How long a fast shutdown may take before an immediate one, and that one before the server is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// How often the state of another process is looked at: nothing tells us of it.
const POLL: Duration = Duration::from_millis(20);

/// How often a server that runs is looked at.
const WATCH: Duration = Duration::from_millis(200);

/// A server that dies this often within [`RESTART_WINDOW`] is not started again.
const RESTARTS: usize = 5;

/// See [`RESTARTS`].
const RESTART_WINDOW: Duration = Duration::from_mins(1);

/// What the caller wants of the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// To own it: wait for another owner to go.
    Own,
    /// To use it: whoever owns it.
    Share,
    /// The same, and to make it when there is none.
    ShareOrMake,
}

/// A server that takes connections.
pub(super) struct Ready {
    pub sockets: PathBuf,
    pub owned: bool,
}

type Started = oneshot::Sender<Result<Ready, PrivatePostgresError>>;

/// The handle on the thread; dropping it stops the server without waiting.
#[derive(Debug)]
pub(super) struct Supervisor {
    stop: Sender<oneshot::Sender<()>>,
}

impl Supervisor {
    /// Starts the thread; it answers `started` once.
    pub(super) fn spawn(data_dir: PathBuf, user: String, how: Use, started: Started) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let inbox = Inbox { stopped, answer: None };
        let name = "private-postgres".to_owned();
        std::thread::Builder::new()
            .name(name)
            .spawn(move || supervise(&data_dir, &user, how, started, inbox))?;
        Ok(Self { stop })
    }

    /// Stops the server and returns when it is gone.
    pub(super) async fn stop(self) {
        let (answer, gone) = oneshot::channel();
        if self.stop.send(answer).is_ok() {
            // An error is a thread that has ended already, and its server with it.
            let _ = gone.await;
        }
    }
}

/// The order to stop, and whom to tell when it is done.
struct Inbox {
    stopped: Receiver<oneshot::Sender<()>>,
    answer: Option<oneshot::Sender<()>>,
}

impl Inbox {
    /// Waits that long for the order to stop; says whether it has come (a handle that is gone is one).
    fn is_stopped_within(&mut self, wait: Duration) -> bool {
        if self.answer.is_some() {
            return true;
        }
        match self.stopped.recv_timeout(wait) {
            Ok(answer) => {
                self.answer = Some(answer);
                true
            }
            Err(RecvTimeoutError::Disconnected) => true,
            Err(RecvTimeoutError::Timeout) => false,
        }
    }
}

/// What it takes to start the server, again and again.
struct Server {
    data_dir: DataDir,
    binaries: Binaries,
    choice: Choice,
    _lock: Lock,
}

fn supervise(data_dir: &std::path::Path, user: &str, how: Use, started: Started, mut inbox: Inbox) {
    let (server, child) = match begin(data_dir, user, how, &mut inbox) {
        Ok(Begun::Own(server, child)) => (server, child),
        Ok(Begun::Other(sockets)) => {
            let _ = started.send(Ok(Ready { sockets, owned: false }));
            return;
        }
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let ready = Ready {
        sockets: server.data_dir.sockets(),
        owned: true,
    };
    if started.send(Ok(ready)).is_ok() {
        server.watch(child, &mut inbox);
    } else {
        end(child);
    }
    drop(server);
    if let Some(answer) = inbox.answer {
        let _ = answer.send(());
    }
}

enum Begun {
    Own(Server, Child),
    Other(PathBuf),
}

fn begin(path: &std::path::Path, user: &str, how: Use, inbox: &mut Inbox) -> Result<Begun, PrivatePostgresError> {
    let data_dir = match how {
        Use::Own | Use::ShareOrMake => DataDir::open(path, &config::temporary_folder())?,
        Use::Share => DataDir::existing(path, &config::temporary_folder())?,
    };
    let deadline = Instant::now() + PATIENCE;
    let lock = loop {
        if let Some(lock) = data_dir.try_lock()? {
            break lock;
        }
        if how != Use::Own && leftovers::is_serving(&data_dir.cluster()) {
            return Ok(Begun::Other(data_dir.sockets()));
        }
        if Instant::now() > deadline {
            return Err(PrivatePostgresError::InUse {
                folder: data_dir.root().to_owned(),
                pid: data_dir.lock_owner(),
            });
        }
        if inbox.is_stopped_within(POLL) {
            return Err(PrivatePostgresError::Vanished);
        }
    };
    // Whoever had the lock may have been about to make it, and failed.
    if how == Use::Share && cluster::made_by(&data_dir.cluster())?.is_none() {
        return Err(PrivatePostgresError::NoCluster {
            folder: path.to_owned(),
        });
    }
    let server = Server::prepare(data_dir, user, lock)?;
    let child = server.start(inbox)?;
    Ok(Begun::Own(server, child))
}

impl Server {
    /// Finds the binaries, decides as whom to run, makes the cluster when there is none.
    fn prepare(data_dir: DataDir, user: &str, lock: Lock) -> Result<Self, PrivatePostgresError> {
        let cluster = data_dir.cluster();
        let choice = account::choose(data_dir.root(), &cluster, user)?;
        data_dir.let_through(choice.identity)?;
        let made_by = cluster::made_by(&cluster)?;
        let binaries = binaries::find(&config::program_folders(), &cluster, made_by)?;
        if made_by.is_none() {
            tracing::info!(data_dir = %data_dir.root().display(), "making a private PostgreSQL cluster");
            cluster::make(&data_dir, &binaries, &choice)?;
        }
        Ok(Self {
            data_dir,
            binaries,
            choice,
            _lock: lock,
        })
    }

    /// Starts the server when nothing of an earlier one is left, and waits until it takes connections.
    fn start(&self, inbox: &mut Inbox) -> Result<Child, PrivatePostgresError> {
        let cluster = self.data_dir.cluster();
        self.wait_for_leftovers(inbox)?;
        leftovers::remove_stale_pid_file(&cluster)?;
        self.data_dir.prepare_sockets(self.choice.identity)?;
        let mut command = cluster::server(&self.data_dir, &self.binaries, self.choice.identity)?;
        let mut child = command
            .spawn()
            .map_err(|source| cluster::not_started("postgres", source, &self.data_dir, &self.choice))?;
        let deadline = Instant::now() + START_DEADLINE;
        while leftovers::postmaster(&cluster) != Some((child.id(), true)) {
            let ended = child.try_wait().map_err(at("wait for", &cluster))?;
            if ended.is_some() || Instant::now() > deadline {
                end(child);
                let output = folder::end_of(&self.data_dir.log());
                return Err(PrivatePostgresError::NotReady {
                    folder: cluster,
                    output,
                });
            }
            if inbox.is_stopped_within(POLL) {
                end(child);
                return Err(PrivatePostgresError::Vanished);
            }
        }
        tracing::debug!(version = self.binaries.major, "private PostgreSQL takes connections");
        Ok(child)
    }

    fn wait_for_leftovers(&self, inbox: &mut Inbox) -> Result<(), PrivatePostgresError> {
        let cluster = self.data_dir.cluster();
        let deadline = Instant::now() + PATIENCE;
        while let Some(pid) = leftovers::find(&cluster) {
            if Instant::now() > deadline {
                return Err(PrivatePostgresError::StillRunning { folder: cluster, pid });
            }
            if inbox.is_stopped_within(POLL) {
                return Err(PrivatePostgresError::Vanished);
            }
        }
        Ok(())
    }

    /// Keeps the server running until the order to stop comes; gives up on one that keeps dying.
    fn watch(&self, mut child: Child, inbox: &mut Inbox) {
        let mut deaths: VecDeque<Instant> = VecDeque::new();
        loop {
            if inbox.is_stopped_within(WATCH) {
                return end(child);
            }
            let Ok(Some(status)) = child.try_wait() else { continue };
            deaths.push_back(Instant::now());
            deaths.retain(|death| death.elapsed() < RESTART_WINDOW);
            tracing::error!(%status, log = %self.data_dir.log().display(), "private PostgreSQL ended by itself");
            if deaths.len() > RESTARTS {
                tracing::error!(
                    deaths = deaths.len(),
                    "private PostgreSQL keeps dying and is not started again"
                );
                return;
            }
            match self.start(inbox) {
                Ok(next) => child = next,
                Err(error) => {
                    tracing::error!(%error, "private PostgreSQL could not be started again");
                    return;
                }
            }
        }
    }
}

/// Fast shutdown, then immediate, then kill; returns when the server is gone.
fn end(mut child: Child) {
    for order in [Signal::Fast, Signal::Immediate, Signal::Kill] {
        signal(&child, order);
        let deadline = Instant::now() + STOP_DEADLINE;
        while Instant::now() < deadline {
            match child.try_wait() {
                Ok(None) => std::thread::sleep(POLL),
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }
}
