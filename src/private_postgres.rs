//! A PostgreSQL of our own on this machine, for trying Rollcall out and for one-machine sites.
//!
//! It lives in `data-dir` and is reached by a unix socket alone. One process owns it at a time: whoever holds the lock
//! on `data-dir/lock` starts it, restarts it when it dies, and stops it. It dies with its owner, however that one ends.
//! Command-line tools use the running one, or run it for as long as they take; only `serve` and `migrate` make one that is missing.

mod account;
mod binaries;
mod cluster;
mod error;
mod folder;
mod leftovers;
mod process;
mod supervisor;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

pub use error::PrivatePostgresError;
use supervisor::{Supervisor, Use};

use crate::config;

/// Whom to connect as. Nobody needs a password: the socket's folder admits its owner alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseRole {
    /// The superuser `rollcall`, which owns the database and migrates it.
    Owner,
    /// `rollcall_app`, which the migrations make.
    App,
    /// `rollcall_read`, which the migrations make.
    Read,
}

/// The name of the database, made with the cluster.
pub const DATABASE: &str = "rollcall";

/// A private PostgreSQL that takes connections.
#[derive(Debug)]
pub struct PrivatePostgres {
    sockets: PathBuf,
    supervisor: Option<Supervisor>,
}

impl PrivatePostgres {
    /// Starts the PostgreSQL in `data_dir`, which is made when missing, and owns it until [`stop`](Self::stop) or drop.
    ///
    /// `user` is the local account to run as when this process is root. Waits up to 30 seconds for a previous owner to
    /// go. Raises [`PrivatePostgresError`].
    pub async fn start(data_dir: &Path, user: &str) -> Result<Self, PrivatePostgresError> {
        Self::obtain(data_dir, user, Use::Own).await
    }

    /// Uses the PostgreSQL that a running service owns, or starts it for the duration of a command, or makes it first when there is none.
    ///
    /// Raises [`PrivatePostgresError`].
    pub async fn attach_or_make(data_dir: &Path, user: &str) -> Result<Self, PrivatePostgresError> {
        Self::obtain(data_dir, user, Use::ShareOrMake).await
    }

    /// Uses the PostgreSQL that a running service owns, or starts it for the duration of a command. Makes none, nor any file where none is.
    ///
    /// Raises [`PrivatePostgresError`]: `NoCluster` when there is none in `data_dir`.
    pub async fn attach_or_start(data_dir: &Path, user: &str) -> Result<Self, PrivatePostgresError> {
        Self::obtain(data_dir, user, Use::Share).await
    }

    /// Uses the PostgreSQL in `data_dir` if somebody runs it; `None` when there is none that listens. Starts and makes nothing.
    pub fn attach(data_dir: &Path) -> Option<Self> {
        if !data_dir.is_dir() {
            return None;
        }
        let data_dir = folder::DataDir::open(data_dir, &config::temporary_folder()).ok()?;
        let sockets = data_dir.sockets();
        let listens = sockets.join(format!(".s.PGSQL.{}", cluster::PORT)).exists();
        listens.then_some(Self {
            sockets,
            supervisor: None,
        })
    }

    /// The folder of the server binaries that a new cluster would use.
    ///
    /// Raises `NoBinaries` and `TooOld`.
    pub fn installed_binaries() -> Result<PathBuf, PrivatePostgresError> {
        Ok(binaries::find(&config::program_folders(), Path::new(""), None)?.folder)
    }

    async fn obtain(data_dir: &Path, user: &str, how: Use) -> Result<Self, PrivatePostgresError> {
        let (answer, started) = oneshot::channel();
        let supervisor = Supervisor::spawn(data_dir.to_owned(), user.to_owned(), how, answer)
            .map_err(error::at("start a thread for", data_dir))?;
        let ready = started.await.map_err(|_| PrivatePostgresError::Vanished)??;
        let supervisor = ready.owned.then_some(supervisor);
        Ok(Self {
            sockets: ready.sockets,
            supervisor,
        })
    }

    /// Whether this process runs it; if not, another one does.
    pub fn is_owned(&self) -> bool {
        self.supervisor.is_some()
    }

    /// The connection string of a role, as `key=value` words (libpq's form).
    pub fn uri(&self, role: DatabaseRole) -> String {
        let user = match role {
            DatabaseRole::Owner => "rollcall",
            DatabaseRole::App => "rollcall_app",
            DatabaseRole::Read => "rollcall_read",
        };
        let host = self
            .sockets
            .to_string_lossy()
            .replace('\\', "\\\\")
            .replace('\'', "\\'");
        format!("host='{host}' port={} user={user} dbname={DATABASE}", cluster::PORT)
    }

    /// Stops it if this process owns it: fast shutdown, after ten seconds immediate shutdown. Returns when it is gone.
    pub async fn stop(self) {
        if let Some(supervisor) = self.supervisor {
            supervisor.stop().await;
        }
    }
}
