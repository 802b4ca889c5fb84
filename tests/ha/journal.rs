//! What the clients were told: every attempt with its instants, kept in memory and written as JSON lines.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// What was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Action {
    /// POST of a user.
    Create,
    /// PATCH of his title.
    Patch,
    /// DELETE of him.
    Delete,
    /// GET of him.
    Read,
    /// A sign-in with groups.
    Login,
    /// A read of a known user by a node without an agent: a request each.
    Nss,
    /// A read of a known user on a node with an agent: from its map.
    Map,
    /// An insert by the plain probe of PostgreSQL.
    Probe,
}

/// One attempt. Instants are microseconds since the journal began.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Which client, by its way in.
    pub client: &'static str,
    /// What was attempted.
    pub action: Action,
    /// On whom: a userName.
    pub key: String,
    /// The title or the groups that were sent; unique for each attempt that writes.
    pub value: String,
    /// The request's id, which the audit log has too.
    pub request_id: String,
    /// When it was sent.
    pub start: u64,
    /// When the answer was there, or given up.
    pub end: u64,
    /// The status of the answer; 0 for none.
    pub status: u16,
    /// The user's id as told.
    pub id: Option<String>,
    /// His uid as told.
    pub uid: Option<i64>,
    /// The title as told.
    pub seen: Option<String>,
    /// Whether the answer was marked stale.
    pub is_stale: bool,
}

impl Entry {
    /// An attempt that begins now.
    pub fn begin(journal: &Journal, client: &'static str, action: Action, key: &str, value: &str) -> Self {
        Self {
            client,
            action,
            key: key.to_owned(),
            value: value.to_owned(),
            request_id: format!("ha-{}", uuid::Uuid::new_v4().simple()),
            start: journal.now(),
            end: 0,
            status: 0,
            id: None,
            uid: None,
            seen: None,
            is_stale: false,
        }
    }

    /// Whether it was acknowledged.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it may have taken effect although nobody said so.
    pub fn is_unknown(&self) -> bool {
        self.status == 0 || self.status >= 500
    }

    /// Whether it was meant to change a user of SCIM.
    pub fn is_write(&self) -> bool {
        matches!(self.action, Action::Create | Action::Patch | Action::Delete)
    }

    /// How long it took, in milliseconds.
    pub fn milliseconds(&self) -> f64 {
        self.end.saturating_sub(self.start) as f64 / 1000.0
    }
}

/// The journal; shared by all clients.
pub struct Journal {
    began: Instant,
    entries: Mutex<Vec<Entry>>,
    file: Mutex<BufWriter<std::fs::File>>,
}

impl Journal {
    /// A new one, written to `path`.
    pub fn create(path: &Path) -> Self {
        Self {
            began: Instant::now(),
            entries: Mutex::default(),
            file: Mutex::new(BufWriter::new(std::fs::File::create(path).unwrap())),
        }
    }

    /// Microseconds since it began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Notes an attempt that has ended now.
    pub fn note(&self, mut entry: Entry) {
        entry.end = self.now();
        let line = serde_json::to_string(&entry).unwrap();
        writeln!(self.file.lock().unwrap_or_else(PoisonError::into_inner), "{line}").unwrap();
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Everything noted so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What began at `instant` or later and has ended. Cheap while that is not long ago: it keeps no client from noting.
    pub fn entries_since(&self, instant: u64) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let late = entries.iter().rev().take_while(|entry| entry.end >= instant);
        late.filter(|entry| entry.start >= instant).cloned().collect()
    }
}
