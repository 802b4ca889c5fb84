//! The map that this process reads: found when first needed, exchanged when it is superseded, without a lock that can wait.
//!
//! There are two places. Readers count themselves in at the current one; a new map goes into the other, once nobody reads what was there, which
//! is unmapped then. Whatever a fork leaves behind — readers that no longer exist, an exchange half done — makes the exchange impossible in the
//! child, never a wait: it then gets its answers from the full module, whose state a fork wipes.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use rollcall_nss::clock::now_ms;
use rollcall_nss::map::Map;

/// How often a process without a map looks whether there is one by now, ms.
const RECHECK_MS: u64 = 1000;

/// A place for a map, and who looks at it.
struct Place {
    readers: AtomicUsize,
    map: UnsafeCell<Option<Map>>,
}

impl Place {
    const fn new() -> Self {
        Self {
            readers: AtomicUsize::new(0),
            map: UnsafeCell::new(None),
        }
    }
}

/// The two places.
pub(super) struct Current {
    places: [Place; 2],
    /// 1 or 2: the place to read; 0: neither.
    readable: AtomicUsize,
    exchanging: AtomicBool,
    /// When a map was last looked for in vain, ms; 0: never.
    missed_ms: AtomicU64,
}

// SAFETY: a place is written by the one thread that has set `exchanging`, while it is not the current one and has no reader.
unsafe impl Sync for Current {}

/// A reader, who is counted out when it goes.
struct Reader<'a>(&'a Place);

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Release);
    }
}

impl Current {
    pub(super) const fn new() -> Self {
        Self {
            places: [Place::new(), Place::new()],
            readable: AtomicUsize::new(0),
            exchanging: AtomicBool::new(false),
            missed_ms: AtomicU64::new(0),
        }
    }

    /// Calls `look` with the map at `path` that is not superseded. None = there is none, or it cannot be had at this moment.
    #[inline]
    pub(super) fn read<T>(&self, path: &CStr, look: impl Fn(&Map) -> T) -> Option<T> {
        match self.read_present(&look) {
            Some(seen) => Some(seen),
            None if self.renew(path) => self.read_present(&look),
            None => None,
        }
    }

    #[inline]
    fn read_present<T>(&self, look: impl Fn(&Map) -> T) -> Option<T> {
        let current = self.readable.load(Acquire);
        let place = self.places.get(current.wrapping_sub(1))?;
        // Counted in first and looked again then: either this thread sees that the place has been left, or the exchange sees this thread.
        place.readers.fetch_add(1, SeqCst);
        let _reader = Reader(place);
        if self.readable.load(SeqCst) != current {
            return None;
        }
        // SAFETY: the current place is not written to, nor is one with a reader.
        let map = unsafe { place.map.get().as_ref() }?.as_ref()?;
        (!map.is_superseded()).then(|| look(map))
    }

    /// Opens the map at `path` in the place that is not current. False = it stays as it is.
    #[cold]
    #[inline(never)]
    fn renew(&self, path: &CStr) -> bool {
        // The clock is left alone at the first look-up, where every microsecond shows.
        let missed = self.missed_ms.load(Relaxed);
        if missed != 0 && now_ms().saturating_sub(missed) < RECHECK_MS {
            return false;
        }
        if self.exchanging.swap(true, Acquire) {
            return false;
        }
        let renewed = self.exchange(path);
        self.exchanging.store(false, Release);
        renewed
    }

    fn exchange(&self, path: &CStr) -> bool {
        let next = if self.readable.load(SeqCst) == 1 { 2 } else { 1 };
        let Some(place) = self
            .places
            .get(next - 1)
            .filter(|place| place.readers.load(SeqCst) == 0)
        else {
            return false;
        };
        let Ok(map) = Map::open(path) else {
            self.missed_ms.store(now_ms().max(1), Relaxed);
            return false;
        };
        // SAFETY: this thread alone exchanges; the place is not current, and whoever counts himself in from now on sees that and goes.
        unsafe { *place.map.get() = Some(map) };
        self.readable.store(next, SeqCst);
        true
    }
}

#[cfg(test)]
mod tests;
