//! Reading the map: every offset and length is checked against the mapping, whatever the file says.

use super::{
    AGENT_SILENT_MS, COMPLETE, HEADER, MAGIC, PROBES_MAX, Region, RegionError, SUPERSEDED, Service, VERSION, word,
};
use crate::hash::HashKey;
use crate::record::{Key, Record};
use crate::rules::IdRange;
use rustix::path::Arg;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// What the processor fetches at once, in bytes.
const CACHE_LINE: usize = 64;
/// So many lines hold most users and small groups.
const RECORD_LINES: usize = 4;

/// One of the two lists of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// Users.
    Passwd,
    /// Groups.
    Group,
}

/// What the map says about a key.
#[derive(Debug)]
pub enum Found<'a> {
    /// This; a negative record may be past its time.
    Record(Record<'a>),
    /// Nothing.
    Absent,
    /// The map contradicts itself: cannot know.
    Broken,
}

/// A mapped file whose header has been checked.
#[derive(Debug)]
pub struct Map {
    region: Region,
    key: HashKey,
    table: usize,
    mask: usize,
    records: usize,
    lists: [List; 2],
    ids: IdRange,
}

#[derive(Clone, Copy, Debug)]
struct List {
    first: usize,
    capacity: usize,
    used: usize,
}

impl Map {
    /// Opens and checks the map at `path`.
    pub fn open(path: impl Arg) -> Result<Self, RegionError> {
        Self::from_region(Region::open(path)?).ok_or(RegionError::Unsafe)
    }

    /// Checks the header of `region`. None when it is no map, or one that lies about its size.
    pub fn from_region(region: Region) -> Option<Self> {
        let at = |index| region.word(index).map(|cell| cell.load(Acquire));
        let place = |index| {
            usize::try_from(at(index)?)
                .ok()
                .filter(|offset| offset.is_multiple_of(8))
        };
        let size = region.size();
        if at(word::MAGIC)? != MAGIC || at(word::VERSION)? != VERSION || at(word::SIZE)? != size as u64 {
            return None;
        }
        let [table, records] = [place(word::TABLE)?, place(word::RECORDS)?];
        let slots = usize::try_from(at(word::SLOTS)?).ok()?;
        let inside = |offset: usize, entries: usize| {
            let end = entries.checked_mul(8).and_then(|bytes| bytes.checked_add(offset));
            offset >= HEADER && end.is_some_and(|end| end <= size)
        };
        let list = |offset, capacity, used| {
            let [first, capacity] = [place(offset)?, usize::try_from(at(capacity)?).ok()?];
            inside(first, capacity).then_some(List {
                first: first / 8,
                capacity,
                used,
            })
        };
        let lists = [
            list(word::USERS, word::USERS_CAPACITY, word::USERS_USED)?,
            list(word::GROUPS, word::GROUPS_CAPACITY, word::GROUPS_USED)?,
        ];
        if !slots.is_power_of_two() || !inside(table, slots) || !inside(records, 0) {
            return None;
        }
        let ids = at(word::IDS)?;
        let ids = IdRange {
            min: u32::try_from(ids & 0xffff_ffff).ok()?,
            max: u32::try_from(ids >> 32).ok()?,
        };
        let key = HashKey(at(word::KEY0)?, at(word::KEY1)?);
        Some(Self {
            key,
            table: table / 8,
            mask: slots - 1,
            records,
            lists,
            ids,
            region,
        })
    }

    /// The memory below, for the writer.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The slots that `key` may be in, in order of probing, and the upper half of its hash.
    pub(super) fn probe(&self, key: &Key<'_>) -> (impl Iterator<Item = usize> + use<>, u64) {
        let hash = match *key {
            Key::UserName(name) | Key::GroupName(name) => self.key.hash(key.tag(), name),
            Key::Uid(id) | Key::Gid(id) => self.key.hash(key.tag(), &id.to_le_bytes()),
        };
        let [table, mask] = [self.table, self.mask];
        let start = usize::try_from(hash & 0xffff_ffff).unwrap_or(0);
        (
            (0..PROBES_MAX.min(mask + 1)).map(move |step| table + ((start + step) & mask)),
            hash >> 32,
        )
    }

    /// The record at `offset`, if there can be one.
    pub(super) fn record_at(&self, offset: usize) -> Option<Record<'_>> {
        if offset < self.records {
            None
        } else {
            Record::parse(self.region.bytes_from(offset)?)
        }
    }

    /// Looks `key` up. At most [`PROBES_MAX`] slots are visited.
    pub fn find(&self, key: &Key<'_>) -> Found<'_> {
        let (slots, tag) = self.probe(key);
        for index in slots {
            let Some(slot) = self.region.word(index).map(|cell| cell.load(Acquire)) else {
                return Found::Broken;
            };
            if slot == 0 {
                return Found::Absent;
            }
            if slot >> 32 != tag {
                continue;
            }
            let offset = offset_of(slot);
            // Its strings lie some cache lines further on, behind lengths that have to be read first.
            for line in 1..RECORD_LINES {
                self.region.prefetch(offset.wrapping_add(line * CACHE_LINE));
            }
            let Some(record) = self.record_at(offset) else {
                return Found::Broken;
            };
            if record.answers(key) {
                return Found::Record(record);
            }
        }
        Found::Absent
    }

    /// The first record of `database` at or after list entry `index`, and the entry after it. Entries that don't parse are skipped.
    pub fn next(&self, database: Database, index: usize) -> Option<(Record<'_>, usize)> {
        let [users, groups] = self.lists;
        let list = if database == Database::Passwd { users } else { groups };
        let used = self.load(list.used).min(list.capacity as u64);
        for entry in index..usize::try_from(used).unwrap_or(0) {
            let offset = self
                .region
                .word(list.first + entry)
                .map_or(0, |cell| cell.load(Acquire));
            let record = usize::try_from(offset).ok().and_then(|offset| self.record_at(offset));
            if let Some(record) = record {
                return Some((record, entry + 1));
            }
        }
        None
    }

    /// Where entry `index` of a list is, as an index of words; None past its capacity.
    pub(super) fn list_word(&self, database: Database, index: usize) -> Option<usize> {
        let [users, groups] = self.lists;
        let list = if database == Database::Passwd { users } else { groups };
        (index < list.capacity).then_some(list.first + index)
    }

    fn load(&self, index: usize) -> u64 {
        self.region.word(index).map_or(0, |cell| cell.load(Relaxed))
    }

    /// A newer file has the name.
    pub fn is_superseded(&self) -> bool {
        self.load(word::FLAGS) & SUPERSEDED != 0
    }

    /// The whole directory is in the map.
    pub fn is_complete(&self) -> bool {
        self.load(word::FLAGS) & COMPLETE != 0
    }

    /// What the agent last knew of the service.
    pub fn service(&self) -> Service {
        match self.load(word::SERVICE) {
            1 => Service::Up,
            2 => Service::Down,
            _ => Service::Starting,
        }
    }

    /// Since when the service is in that state, ms of the node's clock.
    pub fn service_since(&self) -> u64 {
        self.load(word::SERVICE_SINCE)
    }

    /// When the agent last lived, ms of the node's clock.
    pub fn heartbeat(&self) -> u64 {
        self.load(word::HEARTBEAT)
    }

    /// Whether the agent still writes this map.
    pub fn has_agent(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.heartbeat()) <= AGENT_SILENT_MS
    }

    /// Whether the agent lives and knows that the service does not answer: whatever is not in the map nobody can tell now.
    pub fn nobody_can_tell(&self, now_ms: u64) -> bool {
        self.service() == Service::Down && self.has_agent(now_ms)
    }

    /// When the directory was last known to be whole, seconds since 1970; 0 = never.
    pub fn synced(&self) -> u64 {
        self.load(word::SYNCED)
    }

    /// Pid of the agent that wrote the file, in the agent's pid namespace.
    pub fn agent_pid(&self) -> u64 {
        self.load(word::AGENT_PID)
    }

    /// Number of this file since the agent was first started after boot.
    pub fn generation(&self) -> u64 {
        self.load(word::GENERATION)
    }

    /// The ids that can be Rollcall's on this node.
    pub fn ids(&self) -> IdRange {
        self.ids
    }

    /// Bytes in use, of how many.
    pub fn fill(&self) -> (u64, u64) {
        (self.load(word::RECORDS_END), self.region.size() as u64)
    }
}

/// The record's offset in bytes that a slot holds.
pub(super) fn offset_of(slot: u64) -> usize {
    usize::try_from((slot & 0xffff_ffff) * 8).unwrap_or(usize::MAX)
}
