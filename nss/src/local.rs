//! The names in `/etc/passwd`: local accounts never wait for the network, and never get a group from Rollcall.

use crate::hash::HashKey;
use rustix::fs::{Mode, OFlags, fstat, open, stat};

/// Where local accounts are.
pub const PASSWD_PATH: &str = "/etc/passwd";
/// Largest file that is read; of a larger one only the beginning counts.
const PASSWD_MAX: usize = 64 << 20;
/// How long the file is believed unchanged, ms.
const CHECK_MS: u64 = 1000;
/// Any key does: the file belongs to root.
const KEY: HashKey = HashKey(0x726f_6c6c, 0x6361_6c6c);

/// What is known of the file; empty at first.
#[derive(Debug, Default)]
pub struct Local {
    hashes: Vec<u64>,
    identity: Option<Identity>,
    checked_ms: u64,
}

/// Device, inode, time of change (s, ns), size. The type of the last part of the time is another with each backend of rustix.
type Identity = (u64, u64, i64, i128, i64);

impl Local {
    /// Whether `name` is in the file at `path`; `now_ms` decides whether the file is looked at again.
    pub fn contains(&mut self, path: &str, name: &[u8], now_ms: u64) -> bool {
        if self.identity.is_none() || now_ms.saturating_sub(self.checked_ms) >= CHECK_MS {
            self.refresh(path);
            self.checked_ms = now_ms;
        }
        self.hashes.binary_search(&KEY.hash(0, name)).is_ok()
    }

    fn refresh(&mut self, path: &str) {
        let Ok(meta) = stat(path) else { return };
        if self.identity == Some(identity(&meta)) {
            return;
        }
        let Some((identity, text)) = read(path) else { return };
        self.hashes.clear();
        for line in text.split(|&byte| byte == b'\n') {
            if let Some(name) = line.split(|&byte| byte == b':').next().filter(|name| !name.is_empty()) {
                self.hashes.push(KEY.hash(0, name));
            }
        }
        self.hashes.sort_unstable();
        self.identity = Some(identity);
    }
}

fn identity(meta: &rustix::fs::Stat) -> Identity {
    (
        meta.st_dev,
        meta.st_ino,
        meta.st_mtime,
        i128::from(meta.st_mtime_nsec),
        meta.st_size,
    )
}

fn read(path: &str) -> Option<(Identity, Vec<u8>)> {
    let file = open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()).ok()?;
    let meta = fstat(&file).ok()?;
    let size = usize::try_from(meta.st_size).unwrap_or(0).min(PASSWD_MAX);
    let mut text = vec![0; size];
    let mut filled = 0;
    while let Some(rest) = text.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(&file, rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    text.truncate(filled);
    Some((identity(&meta), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_local_once_it_is_in_the_file_and_a_second_has_gone_by() {
        let path = std::env::temp_dir().join(format!("local-{}", std::process::id()));
        std::fs::write(&path, "root:x:0:0::/root:/bin/sh\nada:x:500:500::/:/bin/sh\n").unwrap();
        let path_text = path.to_str().unwrap();
        let mut local = Local::default();
        assert!(local.contains(path_text, b"root", 0));
        assert!(local.contains(path_text, b"ada", 1));
        assert!(!local.contains(path_text, b"ad", 2));
        std::fs::write(&path, "root:x:0:0::/root:/bin/sh\nbob:x:501:501::/:/bin/sh\nx:y\n").unwrap();
        assert!(local.contains(path_text, b"bob", 1001));
        assert!(!local.contains(path_text, b"ada", 1002));
        std::fs::remove_file(path).unwrap();
    }
}
