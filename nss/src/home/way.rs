//! The way to a home directory, one name after the other: through folders that nobody but root could have put there, and links likewise.

use super::FOLDER;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

/// Most links on one way, as many as the kernel follows.
pub const LINKS_MAX: usize = 40;

/// Who can write into a folder, beside root.
const OTHERS: u32 = 0o022;

/// Only the owner of an entry can take it away.
const STICKY: u32 = 0o1000;

/// Opens the folder that holds `home`, and gives the home's own name.
///
/// Every folder on the way must be root's. One that others can write must be sticky, holds no link that is followed, and is not the last.
/// Links are followed where they are root's own; what they lead to is walked in the same way, so nothing can be exchanged meanwhile.
pub(super) fn to(home: &str) -> Result<(OwnedFd, &str), String> {
    let (above, name) =
        plain(home).ok_or_else(|| format!("{home} is no plain absolute path with a folder above it"))?;
    let mut place = Place::root()?;
    let mut rest: Vec<OsString> = names(above);
    let mut links = 0;
    while let Some(name) = rest.pop() {
        let Some(target) = place.link(&name)? else {
            place = place.enter(&name)?;
            continue;
        };
        links += 1;
        if links > LINKS_MAX {
            return Err(format!("more than {LINKS_MAX} links lead to {home}"));
        }
        if target.is_absolute() {
            place = Place::root()?;
        }
        rest.extend(names(&target));
    }
    if place.meta.st_mode & OTHERS != 0 {
        return Err(place.refused());
    }
    Ok((place.folder, name))
}

/// What is above `home`, and its own name; `None` for a path that is not absolute, or has `..` or nothing above it.
fn plain(home: &str) -> Option<(&Path, &str)> {
    let path = Path::new(home);
    let is_plain = home.starts_with('/')
        && !home.ends_with('/')
        && path
            .components()
            .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let name = path.file_name()?.to_str()?;
    is_plain.then_some((path.parent()?, name))
}

/// The names of a path, the first last.
fn names(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    });
    let mut names: Vec<OsString> = parts.collect();
    names.reverse();
    names
}

fn told(path: &Path, errno: Errno) -> String {
    match errno {
        Errno::NOENT => format!(
            "{} is missing: root must make it first, writable by root alone",
            path.display()
        ),
        errno => format!("{}: {errno}", path.display()),
    }
}

/// A folder on the way.
struct Place {
    folder: OwnedFd,
    meta: Stat,
    /// How it was come to, for people.
    path: PathBuf,
}

impl Place {
    fn root() -> Result<Self, String> {
        Self::of(openat(rustix::fs::CWD, "/", FOLDER, Mode::empty()), PathBuf::from("/"))
    }

    fn of(folder: Result<OwnedFd, Errno>, path: PathBuf) -> Result<Self, String> {
        let told = |errno: Errno| told(&path, errno);
        let folder = folder.map_err(told)?;
        let meta = fstat(&folder).map_err(told)?;
        let place = Self { folder, meta, path };
        let is_shared = place.meta.st_mode & OTHERS != 0 && place.meta.st_mode & STICKY == 0;
        if place.meta.st_uid != 0 || is_shared {
            return Err(place.refused());
        }
        Ok(place)
    }

    fn refused(&self) -> String {
        format!(
            "{}: every folder above a home directory must be root's and writable by root alone",
            self.path.display()
        )
    }

    fn enter(&self, name: &OsStr) -> Result<Self, String> {
        Self::of(openat(&self.folder, name, FOLDER, Mode::empty()), self.path.join(name))
    }

    /// What the link of this name leads to; `None` when it is no link. Raises a link that is not root's, or stands where others could
    /// have put it.
    fn link(&self, name: &OsStr) -> Result<Option<PathBuf>, String> {
        let path = self.path.join(name);
        let told = |errno: Errno| told(&path, errno);
        let meta = statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(told)?;
        if FileType::from_raw_mode(meta.st_mode) != FileType::Symlink {
            return Ok(None);
        }
        if meta.st_uid != 0 || self.meta.st_mode & OTHERS != 0 {
            return Err(format!(
                "{}: a link above a home directory must be root's, in a folder that root alone can write",
                path.display()
            ));
        }
        let target = readlinkat(&self.folder, name, Vec::new()).map_err(told)?;
        Ok(Some(PathBuf::from(OsString::from_vec(target.into_bytes()))))
    }
}
