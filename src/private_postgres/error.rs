//! Why a private PostgreSQL cannot be had, with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a private PostgreSQL cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    /// No server binaries anywhere.
    #[error(
        "no PostgreSQL server found on PATH, in /usr/lib/postgresql/*/bin or in /usr/pgsql-*/bin: install the package \
         postgresql (Debian, Ubuntu) or postgresql-server (RHEL, Fedora), or set database-uri"
    )]
    NoBinaries,
    /// Only releases that are too old.
    #[error("{} is PostgreSQL {found}; the oldest supported is {least}", folder.display())]
    TooOld {
        /// Folder of the binaries.
        folder: PathBuf,
        /// Their major version.
        found: u32,
        /// The oldest that will do.
        least: u32,
    },
    /// The cluster belongs to another major version.
    #[error(
        "{} was made by PostgreSQL {made_by}, but only PostgreSQL {installed} is installed: install {made_by}, or dump \
         and restore, or move the folder away to start empty",
        folder.display()
    )]
    OtherMajor {
        /// Folder of the cluster.
        folder: PathBuf,
        /// Major version of the cluster.
        made_by: u32,
        /// Major versions of the binaries, newest first.
        installed: String,
    },
    /// There is nothing to use, and whoever asked does not make it: the path may be mistyped.
    #[error("there is no private PostgreSQL in {}: check data-dir (`rollcall serve` and `rollcall migrate` make one)", folder.display())]
    NoCluster {
        /// The data directory as it was named.
        folder: PathBuf,
    },
    /// Another process keeps the data directory.
    #[error("{} is in use by another rollcall{}; one service at a time may use it", folder.display(), owner(*pid))]
    InUse {
        /// The data directory.
        folder: PathBuf,
        /// The owner, as it wrote itself down.
        pid: Option<u32>,
    },
    /// A PostgreSQL that is not ours runs on the cluster, or ours does not end.
    #[error("a PostgreSQL (process {pid}) still runs on {}; stop it first", folder.display())]
    StillRunning {
        /// Folder of the cluster.
        folder: PathBuf,
        /// One of its processes.
        pid: u32,
    },
    /// The cluster belongs to another account.
    #[error("{} belongs to user id {owner}, but this process is user id {own}: start it as that user", folder.display())]
    ForeignOwner {
        /// Folder of the cluster.
        folder: PathBuf,
        /// Its owner.
        owner: u32,
        /// This process's effective user id.
        own: u32,
    },
    /// Root, without an account to drop to and without user namespaces.
    #[error(
        "PostgreSQL refuses to run as root; {why}, and a user namespace cannot be had ({source}). Start rollcall as an \
         ordinary user, or set private-postgres-user to an account that can reach {}",
        folder.display()
    )]
    OnlyRoot {
        /// Why no account will do.
        why: String,
        /// The data directory.
        folder: PathBuf,
        /// What the system says about the namespace.
        source: io::Error,
    },
    /// Something lies where the folder of the socket belongs.
    #[error("{} must be a folder of user id {owner} with mode 0700, and is not: remove it", folder.display())]
    SocketFolder {
        /// The folder.
        folder: PathBuf,
        /// Who should own it.
        owner: u32,
    },
    /// A program ended in failure.
    #[error("{program} failed: {output}")]
    Failed {
        /// Its name.
        program: &'static str,
        /// The end of what it said.
        output: String,
    },
    /// The server ended, or was not ready in time.
    #[error("PostgreSQL in {} did not get ready: {output}", folder.display())]
    NotReady {
        /// Folder of the cluster.
        folder: PathBuf,
        /// The end of its log.
        output: String,
    },
    /// An operation on a file failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The caller gave up waiting, or the thread that runs it ended without an answer.
    #[error("the start of the private PostgreSQL was given up")]
    Vanished,
}

/// Turns the failure of `doing` something with `path` into an error.
pub(super) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PrivatePostgresError {
    move |source| PrivatePostgresError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

fn owner(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
