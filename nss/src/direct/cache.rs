//! What one process has learnt: records by name and id, "there is none", and for how long either counts.

mod gate;

use crate::clock::now_ms;
use crate::config::Config;
use crate::hash::random;
use crate::http::Response;
use crate::record::Key;
use moka::sync;
use std::sync::{Arc, OnceLock};

/// Most entries; a user takes two (name and uid), about 850 bytes together.
const ENTRIES_MAX: u64 = 4000;
/// What holds when an answer says nothing, s.
const DEFAULT_TTL_S: u64 = 60;
const DEFAULT_NEGATIVE_TTL_S: u64 = 5;
const DEFAULT_STALE_S: u64 = 86_400;

/// One answer of the service.
#[derive(Debug)]
pub(super) struct Entry {
    /// The record; None = there is none.
    pub(super) record: Option<Arc<[u8]>>,
    /// `ETag` to ask again with.
    pub(super) etag: Option<String>,
    fresh_until: u64,
    usable_until: u64,
}

impl Entry {
    /// Whether it may be handed out without asking.
    pub(super) fn is_fresh(&self, now: u64) -> bool {
        now < self.fresh_until
    }

    /// Whether it may be handed out when nobody can be asked.
    pub(super) fn is_usable(&self, now: u64) -> bool {
        now < self.usable_until
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum OwnedKey {
    Name(u8, Box<[u8]>),
    Id(u8, u32),
}

impl OwnedKey {
    fn new(key: &Key<'_>) -> Self {
        match *key {
            Key::UserName(name) | Key::GroupName(name) => Self::Name(key.tag(), name.into()),
            Key::Uid(id) | Key::Gid(id) => Self::Id(key.tag(), id),
        }
    }
}

/// The cache, built at the first answer: a process that never misses pays nothing for it.
#[derive(Debug)]
pub(super) struct Cache {
    entries: OnceLock<sync::Cache<OwnedKey, Arc<Entry>>>,
    ttl_s: u64,
    negative_ttl_s: u64,
    stale_s: u64,
}

impl Cache {
    pub(super) fn new(config: &Config) -> Self {
        let Config {
            ttl_s,
            negative_ttl_s,
            stale_s,
            ..
        } = *config;
        Self {
            entries: OnceLock::new(),
            ttl_s,
            negative_ttl_s,
            stale_s,
        }
    }

    pub(super) fn get(&self, key: &Key<'_>) -> Option<Arc<Entry>> {
        let entries = self.entries.get()?;
        let _inside = gate::enter();
        entries.get(&OwnedKey::new(key))
    }

    /// Keeps `record` under `keys`.
    pub(super) fn put(&self, keys: &[Key<'_>], record: Arc<[u8]>, response: &Response) -> Arc<Entry> {
        let ttl = response.max_age.unwrap_or(DEFAULT_TTL_S).min(self.ttl_s);
        let stale = response.stale_if_error.unwrap_or(DEFAULT_STALE_S).min(self.stale_s);
        let now = now_ms();
        let fresh_until = now + jittered(ttl * 1000);
        let usable_until = fresh_until + stale * 1000;
        let etag = response.etag.clone();
        let entry = Arc::new(Entry {
            record: Some(record),
            etag,
            fresh_until,
            usable_until,
        });
        for key in keys {
            self.insert(key, &entry);
        }
        entry
    }

    /// Keeps "there is none" under `key`; never longer than it is fresh.
    pub(super) fn put_negative(&self, key: &Key<'_>, response: &Response) -> Arc<Entry> {
        let ttl = response
            .max_age
            .unwrap_or(DEFAULT_NEGATIVE_TTL_S)
            .min(self.negative_ttl_s);
        let until = now_ms() + ttl * 1000;
        let entry = Arc::new(Entry {
            record: None,
            etag: None,
            fresh_until: until,
            usable_until: until,
        });
        self.insert(key, &entry);
        entry
    }

    fn insert(&self, key: &Key<'_>, entry: &Arc<Entry>) {
        let _inside = gate::enter();
        let entries = self.entries.get_or_init(|| sync::Cache::new(ENTRIES_MAX));
        entries.insert(OwnedKey::new(key), Arc::clone(entry));
    }
}

/// `ms` ± 10 %, so that processes started together don't ask together.
fn jittered(ms: u64) -> u64 {
    let mut byte = [128];
    random(&mut byte);
    let [byte] = byte;
    ms - ms / 10 + ms * u64::from(byte) / (5 * 255)
}
