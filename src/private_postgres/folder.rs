//! The layout of `data-dir`: lock, cluster, log, and the folder of the socket.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::cluster::PORT;
use super::error::{PrivatePostgresError, at};
use super::process::{Identity, effective_user};

/// Longest path of a unix socket, in bytes: `sun_path` of unix(7) without its NUL.
const LONGEST_SOCKET_PATH: usize = 107;

/// Bytes of a log's end that an error repeats.
const SHOWN_OF_A_LOG: u64 = 2000;

/// A data directory, made when missing; all paths absolute.
#[derive(Clone, Debug)]
pub(super) struct DataDir {
    root: PathBuf,
    temporary: PathBuf,
}

/// The lock on a data directory; given up when dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held open: the lock lives as long as the file")] File);

impl DataDir {
    /// The data directory at `path`, made with its parents when missing (mode 0700, parents as the umask says).
    pub(super) fn open(path: &Path, temporary: &Path) -> Result<Self, PrivatePostgresError> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(at("create", parent))?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(at("create", path)(error)),
            _ => {}
        }
        let root = path.canonicalize().map_err(at("open", path))?;
        Ok(Self {
            root,
            temporary: temporary.to_owned(),
        })
    }

    /// The data directory at `path`, where somebody has made a cluster or is about to. Raises `NoCluster`, and makes nothing.
    pub(super) fn existing(path: &Path, temporary: &Path) -> Result<Self, PrivatePostgresError> {
        let none = || PrivatePostgresError::NoCluster {
            folder: path.to_owned(),
        };
        let root = match path.canonicalize() {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Err(none()),
            root => root.map_err(at("open", path))?,
        };
        let data_dir = Self {
            root,
            temporary: temporary.to_owned(),
        };
        let is_used = data_dir.lock_file().exists() || data_dir.cluster().exists();
        if is_used { Ok(data_dir) } else { Err(none()) }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The cluster: PostgreSQL's own data directory.
    pub(super) fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// A cluster in the making; it gets its name when it is complete.
    pub(super) fn unfinished_cluster(&self) -> PathBuf {
        self.root.join("postgres.unfinished")
    }

    /// What the server says about its own life; begun afresh at every start.
    pub(super) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    /// The folder of the socket. A path that is too long for a socket, or that a connection string would split at its
    /// comma, is replaced by one in the folder for temporary files.
    pub(super) fn sockets(&self) -> PathBuf {
        let folder = self.root.join("run");
        let path = folder.as_os_str().as_bytes();
        let socket = format!("/.s.PGSQL.{PORT}");
        if path.len() + socket.len() <= LONGEST_SOCKET_PATH && !path.contains(&b',') {
            return folder;
        }
        let digest = Sha256::digest(self.root.as_os_str().as_bytes());
        let name = digest
            .iter()
            .take(8)
            .fold(0_u64, |name, byte| name << 8 | u64::from(*byte));
        self.temporary.join(format!("rollcall-{name:016x}"))
    }

    /// The lock, or nothing when another process has it.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>, PrivatePostgresError> {
        let path = self.lock_file();
        let open = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path);
        let mut file = open.map_err(at("open", &path))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(at("write", &path))?;
                writeln!(file, "{}", std::process::id()).map_err(at("write", &path))?;
                Ok(Some(Lock(file)))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(at("lock", &path)(error)),
        }
    }

    /// The process that says it has the lock.
    pub(super) fn lock_owner(&self) -> Option<u32> {
        std::fs::read_to_string(self.lock_file()).ok()?.trim().parse().ok()
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Makes the folder of the socket for `identity`, or checks that it is still only theirs.
    pub(super) fn prepare_sockets(&self, identity: Identity) -> Result<(), PrivatePostgresError> {
        let folder = self.sockets();
        make_private(&folder, identity)?;
        let owner = identity.owner().unwrap_or_else(effective_user).0;
        let metadata = std::fs::symlink_metadata(&folder).map_err(at("look at", &folder))?;
        if metadata.is_dir() && metadata.uid() == owner && metadata.mode().trailing_zeros() >= 6 {
            Ok(())
        } else {
            Err(PrivatePostgresError::SocketFolder { folder, owner })
        }
    }

    /// Lets `identity` pass through the data directory to its own folders, but not list it.
    pub(super) fn let_through(&self, identity: Identity) -> Result<(), PrivatePostgresError> {
        if identity.owner().is_none() {
            return Ok(());
        }
        let mode = std::fs::metadata(&self.root).map_err(at("look at", &self.root))?.mode() | 0o011;
        let permissions = std::fs::Permissions::from_mode(mode & 0o7777);
        std::fs::set_permissions(&self.root, permissions).map_err(at("change the mode of", &self.root))
    }
}

/// Makes a folder of mode 0700 that belongs to `identity`; one that exists is left as it is.
pub(super) fn make_private(folder: &Path, identity: Identity) -> Result<(), PrivatePostgresError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        result => result.map_err(at("create", folder))?,
    }
    if let Some((uid, gid)) = identity.owner() {
        std::os::unix::fs::chown(folder, Some(uid), Some(gid)).map_err(at("change the owner of", folder))?;
    }
    Ok(())
}

/// The end of a log, for an error.
pub(super) fn end_of(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(SHOWN_OF_A_LOG)))?;
        let mut bytes = Vec::new();
        file.take(SHOWN_OF_A_LOG).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_else(|error| format!("its log cannot be read: {error}"))
}
