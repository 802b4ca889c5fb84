//! Reading a file that only root can have written: configuration, tokens, CA bundle.

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;

/// Why such a file is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeFileError {
    /// There is none.
    Missing,
    /// The process may not read it.
    Denied,
    /// Not a regular file, not root's, writable by others, a symbolic link, too large.
    Unsafe,
    /// No descriptor, no memory, an I/O error: try again.
    Transient,
}

/// The bytes of the regular file at `path`, at most `max`. The last component must not be a symbolic link; owner uid 0; not writable by
/// group or others.
pub fn read_safe(path: &str, max: usize) -> Result<Vec<u8>, SafeFileError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT | Errno::NOTDIR => SafeFileError::Missing,
        Errno::ACCESS | Errno::PERM => SafeFileError::Denied,
        Errno::LOOP => SafeFileError::Unsafe,
        _ => SafeFileError::Transient,
    })?;
    let meta = fstat(&file).map_err(|_| SafeFileError::Transient)?;
    let regular = FileType::from_raw_mode(meta.st_mode) == FileType::RegularFile;
    let size = usize::try_from(meta.st_size).unwrap_or(usize::MAX);
    if !regular || meta.st_uid != 0 || meta.st_mode & 0o022 != 0 || size > max {
        return Err(SafeFileError::Unsafe);
    }
    let mut bytes = vec![0; size];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(&file, rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(_) => return Err(SafeFileError::Transient),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
