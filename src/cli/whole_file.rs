//! Files that appear whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// What has become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is new, or new again.
    Written,
    /// It was there, and was not touched.
    Kept,
}

impl Outcome {
    /// The word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Kept => "kept",
        }
    }
}

/// Whether something has this name, be it a link that leads nowhere.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Writes `text` with `mode` unless something has this name, also when somebody else does the same at this moment.
pub(crate) fn keep_or_write(path: &Path, text: &str, mode: u32) -> anyhow::Result<Outcome> {
    if exists(path) {
        return Ok(Outcome::Kept);
    }
    let fresh = Fresh::write(path, text, mode)?;
    // Unlike rename(2), link(2) refuses a name that is taken.
    match std::fs::hard_link(&fresh.0, path) {
        Ok(()) => Ok(Outcome::Written),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Outcome::Kept),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Writes `text` with `mode`, whatever was there, unless it holds just that.
pub(crate) fn replace(path: &Path, text: &str, mode: u32) -> anyhow::Result<Outcome> {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(Outcome::Kept);
    }
    let fresh = Fresh::write(path, text, mode)?;
    std::fs::rename(&fresh.0, path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Outcome::Written)
}

/// A file that is being written, for its owner alone. It takes its name, whatever was there, when it is complete; dropped before, it
/// leaves nothing.
pub(crate) struct Growing {
    fresh: Fresh,
    file: File,
    destination: PathBuf,
}

impl Growing {
    /// Begins to write what shall be called `path`; where that is a link, the file it leads to.
    pub(crate) fn begin(path: &Path) -> anyhow::Result<Self> {
        let destination = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (fresh, file) = Fresh::open(&destination)?;
        Ok(Self {
            fresh,
            file,
            destination,
        })
    }

    /// Where to write.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name: it is complete.
    pub(crate) fn complete(self) -> anyhow::Result<()> {
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.fresh.0, &self.destination))
            .with_context(|| format!("cannot write {}", self.destination.display()))
    }
}

/// A file under a name of its own beside its destination; the name is gone when this is dropped.
struct Fresh(PathBuf);

impl Fresh {
    fn open(destination: &Path) -> anyhow::Result<(Self, File)> {
        let mut name = destination.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", uuid::Uuid::new_v4().simple()));
        let fresh = destination.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)
            .with_context(|| format!("cannot write beside {}", destination.display()))?;
        Ok((Self(fresh), file))
    }

    fn write(destination: &Path, text: &str, mode: u32) -> anyhow::Result<Self> {
        let (fresh, mut file) = Self::open(destination)?;
        let mut write = || -> io::Result<()> {
            file.write_all(text.as_bytes())?;
            // Set apart from opening it: nodes need the very mode, whatever the umask says.
            file.set_permissions(Permissions::from_mode(mode))?;
            File::sync_all(&file)
        };
        write().with_context(|| format!("cannot write {}", fresh.0.display()))?;
        Ok(fresh)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
