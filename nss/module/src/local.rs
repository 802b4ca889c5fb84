//! Which names are local accounts: a filter over `/etc/passwd` that says "surely not", or "perhaps", and then the file itself.

use core::ffi::CStr;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU64};
use rollcall_nss::foreign::open_existing;
use rustix::fs::{OFlags, Stat, fstat};
use std::os::fd::OwnedFd;

/// Bits of the filter, in words: a hundred local accounts take one name in 400 for "perhaps".
const WORDS: usize = 64;
/// How long the file is believed unchanged, ms.
const CHECK_MS: u64 = 1000;
/// Largest file that is read, in pieces of [`PIECE`]; of a larger one nobody is surely absent.
const PIECES_MAX: usize = 16_384;
/// Bytes that are read at once.
const PIECE: usize = 4096;
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// FNV-1a, good enough for a file that belongs to root.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Fnv {
    const START: Self = Self(0xcbf2_9ce4_8422_2325);

    fn with(self, byte: u8) -> Self {
        Self((self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        bytes.into_iter().fold(Self::START, Self::with)
    }

    /// The two bits of a name: index of the word, and the bit in it.
    fn bits(self) -> [(usize, u64); 2] {
        [self.0 >> 8, self.0 >> 32].map(|part| ((part >> 6) as usize % WORDS, 1 << (part & 63)))
    }
}

/// The filter; empty at first.
pub(super) struct Local {
    words: [AtomicU64; WORDS],
    identity: AtomicU64,
    /// When the file was last looked at, ms; 0: never.
    checked_ms: AtomicU64,
    reading: AtomicBool,
}

impl Local {
    pub(super) const fn new() -> Self {
        Self {
            words: [const { AtomicU64::new(0) }; WORDS],
            identity: AtomicU64::new(0),
            checked_ms: AtomicU64::new(0),
            reading: AtomicBool::new(false),
        }
    }

    /// Whether `name` is in the file at `path`; `now_ms` decides whether the filter is looked after. None = that cannot be told now.
    pub(super) fn contains(&self, path: &CStr, name: &[u8], now_ms: u64) -> Option<bool> {
        let checked = self.checked_ms.load(Acquire);
        if (checked == 0 || now_ms.saturating_sub(checked) >= CHECK_MS) && !self.refresh(path, now_ms) {
            return None;
        }
        let all = |(word, bit): (usize, u64)| self.words.get(word).is_none_or(|word| word.load(Relaxed) & bit != 0);
        if Fnv::of(name.iter().copied()).bits().into_iter().all(all) {
            is_in(path, name)
        } else {
            Some(false)
        }
    }

    /// False: the filter cannot be trusted now. Another thread that reads the file is not waited for.
    #[cold]
    #[inline(never)]
    fn refresh(&self, path: &CStr, now_ms: u64) -> bool {
        if self.reading.swap(true, Acquire) {
            return false;
        }
        let fresh = self.read(path);
        if fresh {
            self.checked_ms.store(now_ms.max(1), Release);
        }
        self.reading.store(false, Release);
        fresh
    }

    fn read(&self, path: &CStr) -> bool {
        let Ok(file) = open_existing(path, FLAGS) else {
            return false;
        };
        let Ok(meta) = fstat(&file) else { return false };
        let identity = identity(&meta);
        if identity == self.identity.load(Relaxed) {
            return true;
        }
        let mut words = [0; WORDS];
        let mut name = Some(Fnv::START);
        let whole = each_byte(&file, |byte| {
            name = match (byte, name) {
                (b'\n', _) => Some(Fnv::START),
                (b':', Some(hash)) => {
                    for (word, bit) in hash.bits() {
                        if let Some(word) = words.get_mut(word) {
                            *word |= bit;
                        }
                    }
                    None
                }
                (_, Some(hash)) => Some(hash.with(byte)),
                (_, None) => None,
            };
        });
        if whole {
            for (place, word) in self.words.iter().zip(words) {
                place.store(word, Relaxed);
            }
            self.identity.store(identity, Relaxed);
        }
        whole
    }
}

/// Whether a line of the file at `path` is about `name`. None = it cannot be read.
#[cold]
#[inline(never)]
fn is_in(path: &CStr, name: &[u8]) -> Option<bool> {
    let file = open_existing(path, FLAGS).ok()?;
    let mut found = false;
    let mut same = Some(0);
    let whole = each_byte(&file, |byte| {
        same = match (byte, same) {
            (b'\n', _) => Some(0),
            (b':', Some(length)) => {
                found |= length == name.len();
                None
            }
            (_, Some(length)) if name.get(length) == Some(&byte) => Some(length + 1),
            _ => None,
        };
    });
    whole.then_some(found)
}

/// Reads `file` to its end. False = it was not reached.
fn each_byte(file: &OwnedFd, mut each: impl FnMut(u8)) -> bool {
    let mut piece = [0; PIECE];
    for _ in 0..PIECES_MAX {
        match rustix::io::read(file, &mut piece) {
            Ok(0) => return true,
            Ok(count) => piece.iter().take(count).for_each(|&byte| each(byte)),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Never 0.
fn identity(meta: &Stat) -> u64 {
    // The types differ with rustix' backend, and fit into this one.
    let parts = [
        i128::from(meta.st_dev),
        i128::from(meta.st_ino),
        i128::from(meta.st_mtime),
        i128::from(meta.st_mtime_nsec),
        i128::from(meta.st_size),
    ];
    Fnv::of(parts.into_iter().flat_map(i128::to_le_bytes)).0 | 1
}

#[cfg(test)]
mod tests;
