//! Copying `home-skel` into a new home directory, by descriptors alone.

use super::FOLDER;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, fchmod, fchown, mkdirat, openat, readlinkat, statat,
    symlinkat, unlinkat,
};
use rustix::io::Errno;
use std::ffi::{CStr, CString};

/// Most files, folders and links of a skeleton.
pub const ENTRIES_MAX: usize = 10_000;
/// Deepest folder of a skeleton.
pub const DEPTH_MAX: usize = 16;
/// Most bytes of a skeleton.
pub const SKELETON_MAX: u64 = 256 << 20;

/// Bytes copied at once.
const CHUNK: usize = 64 << 10;

/// What may still be copied.
struct Copy {
    owner: (Uid, Gid),
    /// What of a file's mode is kept.
    kept: u32,
    entries: usize,
    bytes: u64,
}

/// Copies what is in `skeleton` into `home`, owned by `owner`; what `mode` denies others is denied them throughout. A skeleton that is
/// not there is an empty one.
///
/// Raises what could not be copied, or which limit it breaks.
pub(super) fn copy(skeleton: &str, home: &OwnedFd, owner: (Uid, Gid), mode: u32) -> Result<(), String> {
    let from = match openat(CWD, skeleton, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        from => from.map_err(|errno| format!("{skeleton}: {errno}"))?,
    };
    let mut copy = Copy {
        owner,
        kept: 0o700 | mode & 0o077,
        entries: ENTRIES_MAX,
        bytes: SKELETON_MAX,
    };
    copy.folder(&from, home, DEPTH_MAX)
        .map_err(|fault| format!("{skeleton}: {fault}"))
}

impl Copy {
    fn folder(&mut self, from: &OwnedFd, to: &OwnedFd, depth: usize) -> Result<(), String> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("deeper than {DEPTH_MAX} folders"));
        };
        for name in names(from).map_err(|errno| errno.to_string())? {
            self.entries = self
                .entries
                .checked_sub(1)
                .ok_or_else(|| format!("more than {ENTRIES_MAX} entries"))?;
            self.entry(from, to, &name, depth)
                .map_err(|fault| format!("{}: {fault}", name.to_string_lossy()))?;
        }
        Ok(())
    }

    fn entry(&mut self, from: &OwnedFd, to: &OwnedFd, name: &CStr, depth: usize) -> Result<(), String> {
        let told = |errno: Errno| errno.to_string();
        let meta = statat(from, name, AtFlags::SYMLINK_NOFOLLOW).map_err(told)?;
        let mode = Mode::from_raw_mode(meta.st_mode & 0o777 & self.kept);
        let (uid, gid) = (Some(self.owner.0), Some(self.owner.1));
        match FileType::from_raw_mode(meta.st_mode) {
            FileType::Directory => {
                let from = openat(from, name, FOLDER, Mode::empty()).map_err(told)?;
                mkdirat(to, name, Mode::RWXU).map_err(told)?;
                let to = openat(to, name, FOLDER, Mode::empty()).map_err(told)?;
                self.folder(&from, &to, depth)?;
                fchown(&to, uid, gid).map_err(told)?;
                fchmod(&to, mode).map_err(told)
            }
            FileType::RegularFile => {
                let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let from = openat(from, name, read, Mode::empty()).map_err(told)?;
                let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let to = openat(to, name, write, Mode::RUSR | Mode::WUSR).map_err(told)?;
                self.content(&from, &to)?;
                fchown(&to, uid, gid).map_err(told)?;
                fchmod(&to, mode).map_err(told)
            }
            FileType::Symlink => {
                let target = readlinkat(from, name, Vec::new()).map_err(told)?;
                symlinkat(&target, to, name).map_err(told)?;
                chownat(to, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW).map_err(told)
            }
            // Sockets, pipes and devices are no part of a home.
            _ => Ok(()),
        }
    }

    fn content(&mut self, from: &OwnedFd, to: &OwnedFd) -> Result<(), String> {
        let told = |errno: Errno| errno.to_string();
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match rustix::io::read(from, &mut chunk[..]) {
                Err(Errno::INTR) => continue,
                read => read.map_err(told)?,
            };
            if read == 0 {
                return Ok(());
            }
            self.bytes = self
                .bytes
                .checked_sub(read as u64)
                .ok_or_else(|| format!("more than {SKELETON_MAX} bytes"))?;
            let mut rest = chunk.get(..read).unwrap_or(&[]);
            while !rest.is_empty() {
                match rustix::io::write(to, rest) {
                    Err(Errno::INTR) => {}
                    written => rest = rest.get(written.map_err(told)?..).unwrap_or(&[]),
                }
            }
        }
    }
}

/// The names in a folder, without itself and the one above.
fn names(folder: impl AsFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name.to_owned());
        }
        if names.len() > ENTRIES_MAX {
            break;
        }
    }
    Ok(names)
}

/// Takes away a home that was not finished; what cannot be taken away stays.
pub(super) fn remove(parent: &OwnedFd, name: &str) {
    let Ok(name) = CString::new(name) else { return };
    remove_at(parent, &name, DEPTH_MAX + 1);
}

fn remove_at(parent: &OwnedFd, name: &CStr, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if let Ok(folder) = openat(parent, name, FOLDER, Mode::empty()) {
        for name in names(&folder).unwrap_or_default() {
            remove_at(&folder, &name, depth);
        }
        let _ = unlinkat(parent, name, AtFlags::REMOVEDIR);
    } else {
        let _ = unlinkat(parent, name, AtFlags::empty());
    }
}
