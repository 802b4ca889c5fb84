//! The one clock of module, map and agent: milliseconds since boot, coarse, the same in all processes of a node.

use crate::foreign::clock_ns;

/// Milliseconds of `CLOCK_MONOTONIC_COARSE` (a few ms of granularity, no system call).
pub fn now_ms() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC_COARSE) / 1_000_000
}

/// Seconds since 1970, for people to read; never compared with [`now_ms`].
pub fn unix_seconds() -> u64 {
    clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000
}
