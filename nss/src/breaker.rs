//! The direct mode's breaker: after a failure nobody asks again for a while, in this process and, as far as root can tell them, in others.

use crate::config::read_safe;
use rustix::fs::{Mode, OFlags, open};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where processes of root tell the others until when not to ask: eight bytes, ms of the node's clock.
pub const BREAKER_PATH: &str = "/run/rollcall/direct.retry";
/// Longest time ahead that the file is believed, ms: a file of before the last boot must not close the direct mode.
const AHEAD_MAX: u64 = 30_000;

/// Until when not to ask, ms of the node's clock; 0 = ask.
#[derive(Debug, Default)]
pub struct Breaker {
    until: AtomicU64,
}

impl Breaker {
    /// Whether this process has learnt for itself not to ask.
    pub fn is_open(&self, now_ms: u64) -> bool {
        now_ms < self.until.load(Relaxed)
    }

    /// Nobody asks until `until_ms`.
    pub fn open(&self, until_ms: u64) {
        self.until.store(until_ms, Relaxed);
    }

    /// All is well again.
    pub fn close(&self) {
        self.until.store(0, Relaxed);
    }

    /// What other processes have found out, from the file at `path`.
    pub fn read_shared(&self, path: &str, now_ms: u64) {
        let Some(until) = read_safe(path, 8)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_le_bytes)
        else {
            return;
        };
        if until > now_ms && until <= now_ms + AHEAD_MAX {
            self.open(until);
        }
    }

    /// Tells other processes; works for root alone, and only where the folder exists.
    pub fn write_shared(path: &str, until_ms: u64) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        if let Ok(file) = open(path, flags, Mode::from_raw_mode(0o644)) {
            let _ = rustix::io::pwrite(&file, &until_ms.to_le_bytes(), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_process_writes_another_believes_but_never_for_long() {
        let path = std::env::temp_dir().join(format!("breaker-{}", std::process::id()));
        let path = path.to_str().unwrap();
        Breaker::write_shared(path, 5000);
        let breaker = Breaker::default();
        breaker.read_shared(path, 4000);
        assert!(breaker.is_open(4999) && !breaker.is_open(5000));
        Breaker::write_shared(path, 4000 + AHEAD_MAX + 1);
        let breaker = Breaker::default();
        breaker.read_shared(path, 4000);
        assert!(!breaker.is_open(4001));
        std::fs::remove_file(path).unwrap();
    }
}
