//! The node-wide shared map: one file in `/run/rollcall`, written by the agent alone, read by every process through a read-only mapping.
//!
//! Layout (all words 64 bits, little-endian; offsets in bytes unless said otherwise):
//!
//! | Word | Content |
//! |---|---|
//! | 0 | magic `RCNSSMAP` |
//! | 1 | version (3) |
//! | 2 | size of the file |
//! | 3, 4 | key of the hash, random per file |
//! | 5, 6 | table: offset, number of slots (a power of two) |
//! | 7, 8 | list of users: offset, capacity |
//! | 9, 10 | list of groups: offset, capacity |
//! | 11 | offset of the first record |
//! | 12 | generation |
//! | 13 | lowest accepted id, highest << 32 |
//! | 14 | pid of the agent |
//! | 16 | flags: 1 superseded, 2 complete |
//! | 17, 18 | used entries of the lists of users and groups |
//! | 19 | end of the last record |
//! | 20 | the service: 0 starting, 1 up, 2 down |
//! | 21 | since when, ms |
//! | 22 | when the agent last lived, ms |
//! | 23 | when the directory was last known to be whole, seconds since 1970 |
//!
//! Words 0–14 never change after the file has got its name; 16–23 are atomics; words 0, 2 and 16 mean the same in all versions. A slot of the table is `hash >> 32 << 32 | offset / 8`, 0 =
//! empty; linear probing, at most [`PROBES_MAX`]; load at most one half. An entry of a list is a record's offset, 0 = gone.
//! Records ([`crate::record`]) are appended and never changed: publishing one is a single release store into its slots,
//! so that readers never wait and never loop. When space runs out the agent writes a new file, renames it over the old
//! one, and sets *superseded* in the old; readers then open the new one. The file is never truncated.

mod reader;
mod region;
mod writer;

pub use reader::{Database, Found, Map};
pub use region::{Region, RegionError};
pub use writer::{Former, Full, Plan, Writer};

/// Folder of map and socket. On tmpfs, owned by root.
pub const RUN_DIR: &str = "/run/rollcall";
/// The map's file name in that folder.
pub const MAP_FILE: &str = "nss.map";
/// The map as readers open it.
pub const MAP_PATH: &core::ffi::CStr = c"/run/rollcall/nss.map";

/// `RCNSSMAP`.
pub const MAGIC: u64 = u64::from_le_bytes(*b"RCNSSMAP");
/// Version of the layout; a reader believes no other.
pub const VERSION: u64 = 3;
/// Bytes of the header: one page.
pub const HEADER: usize = 4096;
/// Largest file that is mapped, 8 GiB: offsets / 8 fit into 32 bits with room to spare.
pub const MAP_MAX: usize = 8 << 30;
/// An agent whose last sign of life is older than this is gone, ms. It gives one every half second.
pub const AGENT_SILENT_MS: u64 = 5000;
/// Most slots that a look-up visits.
pub const PROBES_MAX: usize = 64;

/// Words of the header.
pub(crate) mod word {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const VERSION: usize = 1;
    pub(crate) const SIZE: usize = 2;
    pub(crate) const KEY0: usize = 3;
    pub(crate) const KEY1: usize = 4;
    pub(crate) const TABLE: usize = 5;
    pub(crate) const SLOTS: usize = 6;
    pub(crate) const USERS: usize = 7;
    pub(crate) const USERS_CAPACITY: usize = 8;
    pub(crate) const GROUPS: usize = 9;
    pub(crate) const GROUPS_CAPACITY: usize = 10;
    pub(crate) const RECORDS: usize = 11;
    pub(crate) const GENERATION: usize = 12;
    pub(crate) const IDS: usize = 13;
    pub(crate) const AGENT_PID: usize = 14;
    pub(crate) const FLAGS: usize = 16;
    pub(crate) const USERS_USED: usize = 17;
    pub(crate) const GROUPS_USED: usize = 18;
    pub(crate) const RECORDS_END: usize = 19;
    pub(crate) const SERVICE: usize = 20;
    pub(crate) const SERVICE_SINCE: usize = 21;
    pub(crate) const HEARTBEAT: usize = 22;
    pub(crate) const SYNCED: usize = 23;
}

/// Flag: a newer file has the name.
pub const SUPERSEDED: u64 = 1;
/// Flag: the whole directory is in the map, so that a walk over it is complete.
pub const COMPLETE: u64 = 2;

/// What the agent knows of the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u64)]
pub enum Service {
    /// Not asked yet.
    #[default]
    Starting = 0,
    /// Answers.
    Up = 1,
    /// Does not; the breaker is open for the whole node.
    Down = 2,
}

#[cfg(test)]
mod tests;
