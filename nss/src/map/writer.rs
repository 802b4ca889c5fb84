//! Writing the map: the agent's side. Append a record, then let its slots point to it.

use super::reader::{Database, Map, offset_of};
use super::{COMPLETE, HEADER, MAGIC, MAP_FILE, Region, RegionError, SUPERSEDED, Service, VERSION, word};
use crate::record::Key;
use crate::rules::IdRange;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// How large a new map is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Users it will hold at first.
    pub users: usize,
    /// Groups it will hold at first.
    pub groups: usize,
    /// Bytes of their records.
    pub bytes: usize,
    /// Ids the node accepts.
    pub ids: IdRange,
    /// Number of this file.
    pub generation: u64,
}

/// The map has no room left: write a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The agent's handle on the map that has the name, or on one that is being written.
#[derive(Debug)]
pub struct Writer {
    map: Map,
    folder: String,
    temporary: Option<String>,
    used_slots: usize,
    slots: usize,
    end: usize,
    users: usize,
    groups: usize,
}

/// Room for negative entries and newcomers, beside the planned ones.
const SPARE_ENTRIES: usize = 8192;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Room for their records, in bytes.
const SPARE_BYTES: usize = 1 << 20;

impl Writer {
    /// Makes a new, still nameless map in `folder`; [`Self::publish`] gives it the name.
    pub fn create(folder: &str, plan: Plan) -> Result<Self, RegionError> {
        let [users, groups] = [plan.users + plan.users / 4 + 1024, plan.groups + plan.groups / 4 + 1024];
        // Twice as many as keys, and no more: the fewer pages and cache lines, the more of the table stays near a processor.
        let slots = ((plan.users + plan.groups + SPARE_ENTRIES / 2) * 4).next_power_of_two();
        let records = HEADER + 8 * (slots + users + groups);
        let size = (records + plan.bytes + plan.bytes / 2 + SPARE_BYTES).next_multiple_of(HEADER);
        let temporary = format!("{folder}/.{MAP_FILE}.{}", plan.generation);
        let _ = std::fs::remove_file(&temporary);
        let region = Region::create(&temporary, size)?;
        let mut key = [0; 16];
        crate::hash::random(&mut key);
        let (key0, key1) = key.split_at(8);
        let number = |half: &[u8]| half.try_into().map_or(0, u64::from_le_bytes);
        let header = [
            (word::VERSION, VERSION),
            (word::SIZE, size as u64),
            (word::KEY0, number(key0)),
            (word::KEY1, number(key1)),
            (word::TABLE, HEADER as u64),
            (word::SLOTS, slots as u64),
            (word::USERS, (HEADER + 8 * slots) as u64),
            (word::USERS_CAPACITY, users as u64),
            (word::GROUPS, (HEADER + 8 * (slots + users)) as u64),
            (word::GROUPS_CAPACITY, groups as u64),
            (word::RECORDS, records as u64),
            (word::RECORDS_END, records as u64),
            (word::GENERATION, plan.generation),
            (word::IDS, u64::from(plan.ids.max) << 32 | u64::from(plan.ids.min)),
            (word::AGENT_PID, u64::from(std::process::id())),
            (word::MAGIC, MAGIC),
        ];
        for (index, value) in header {
            if let Some(cell) = region.word(index) {
                cell.store(value, Release);
            }
        }
        let map = Map::from_region(region).ok_or(RegionError::Unsafe)?;
        let temporary = Some(temporary);
        Ok(Self {
            map,
            folder: folder.to_owned(),
            temporary,
            used_slots: 0,
            slots,
            end: records,
            users: 0,
            groups: 0,
        })
    }

    /// Gives the new map the name, and tells the readers of the `old` one.
    pub fn publish(&mut self, old: Option<&Self>) -> std::io::Result<()> {
        if let Some(temporary) = self.temporary.take() {
            std::fs::rename(temporary, format!("{}/{MAP_FILE}", self.folder))?;
        }
        if let Some(old) = old {
            old.retire();
        }
        Ok(())
    }

    /// Tells the readers of this map that it has lost its name.
    pub fn retire(&self) {
        self.set(word::FLAGS, SUPERSEDED);
    }

    /// The map as readers see it.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// Appends a record and returns its offset. It lies in as few cache lines as it can: each costs a reader as much as all his arithmetic.
    pub fn append(&mut self, record: &[u8]) -> Result<usize, Full> {
        let lines = record.len().div_ceil(LINE);
        let crosses = self.end % LINE + record.len() > lines * LINE;
        let offset = if crosses {
            self.end.next_multiple_of(LINE)
        } else {
            self.end
        };
        let end = offset.checked_add(record.len()).ok_or(Full)?.next_multiple_of(8);
        if end > self.map.region().size() || !self.map.region().store(offset / 8, record) {
            return Err(Full);
        }
        self.end = end;
        self.set(word::RECORDS_END, end as u64);
        Ok(offset)
    }

    /// Lets `key` be answered by the record at `offset` from now on.
    pub fn point(&mut self, key: &Key<'_>, offset: usize) -> Result<(), Full> {
        let (slots, tag) = self.map.probe(key);
        let value = tag << 32 | (offset / 8) as u64;
        for index in slots {
            let cell = self.map.region().word(index).ok_or(Full)?;
            let slot = cell.load(Relaxed);
            let same = slot >> 32 == tag && self.map.record_at(offset_of(slot)).is_some_and(|old| old.answers(key));
            if slot == 0 {
                if (self.used_slots + 1) * 2 > self.slots {
                    return Err(Full);
                }
                self.used_slots += 1;
            }
            if slot == 0 || same {
                // Readers that see the slot see the whole record.
                cell.store(value, Release);
                return Ok(());
            }
        }
        Err(Full)
    }

    /// Puts the record at `offset` into a list: at entry `place`, or at its end. Returns the entry.
    pub fn list(&mut self, database: Database, place: Option<usize>, offset: usize) -> Result<usize, Full> {
        let used = if database == Database::Passwd {
            self.users
        } else {
            self.groups
        };
        let place = place.unwrap_or(used);
        let index = self.map.list_word(database, place).ok_or(Full)?;
        self.set(index, offset as u64);
        if place == used {
            match database {
                Database::Passwd => self.users += 1,
                Database::Group => self.groups += 1,
            }
            let count = if database == Database::Passwd {
                word::USERS_USED
            } else {
                word::GROUPS_USED
            };
            self.set(count, used as u64 + 1);
        }
        Ok(place)
    }

    /// Takes entry `place` out of a list.
    pub fn unlist(&mut self, database: Database, place: usize) {
        if let Some(index) = self.map.list_word(database, place) {
            self.set(index, 0);
        }
    }

    /// Says that the whole directory is in the map, and when it was last known to be so.
    pub fn set_complete(&self, unix_seconds: u64) {
        self.set(word::SYNCED, unix_seconds);
        self.set(word::FLAGS, COMPLETE);
    }

    /// Opens or closes the node's breaker.
    pub fn set_service(&self, service: Service, since_ms: u64) {
        self.set(word::SERVICE_SINCE, since_ms);
        self.set(word::SERVICE, service as u64);
    }

    /// Sign of life.
    pub fn beat(&self, now_ms: u64) {
        self.set(word::HEARTBEAT, now_ms);
    }

    fn set(&self, index: usize, value: u64) {
        if let Some(cell) = self.map.region().word(index) {
            cell.store(value, Release);
        }
    }
}

/// The map of an agent that ran before this one.
#[derive(Debug)]
pub struct Former(Region);

impl Former {
    /// Opens it; None when there is none, or it is not one.
    pub fn open(folder: &str) -> Option<Self> {
        let region = Region::open_writable(format!("{folder}/{MAP_FILE}")).ok()?;
        let is_map = region.word(word::MAGIC).is_some_and(|cell| cell.load(Relaxed) == MAGIC);
        is_map.then_some(Self(region))
    }

    /// Tells its readers that it has lost its name.
    pub fn retire(&self) {
        if let Some(cell) = self.0.word(word::FLAGS) {
            cell.store(SUPERSEDED, Release);
        }
    }
}
