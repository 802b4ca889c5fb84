//! Following the service: the whole directory once, then its changes, once a second; and being told when the configuration has changed.

use super::directory::{Directory, Dirty};
use super::{End, Node, disk, mark_synced};
use crate::client::{Fault, Said};
use crate::clock::{now_ms, unix_seconds};
use crate::config::{Config, SafeFileError};
use crate::contract::{self, Change};
use crate::hash::random;
use crate::http::encode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Time between two questions, ms ± 10 %.
const PERIOD_MS: u64 = 1000;
/// Records asked for at once.
const PAGE: usize = 2000;
/// Most pages of one directory: four million records.
const PAGES_MAX: usize = 2000;
/// Most answers of the feed that are taken in one round.
const ROUND_MAX: usize = 100;
/// Deadline of one page of the directory.
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(30);
/// How often the configuration is looked at, and a changed directory copied to disk.
const CONFIG_PERIOD: Duration = Duration::from_secs(5);
const DISK_PERIOD: Duration = Duration::from_mins(1);

/// What went wrong in a round.
enum Trouble {
    /// The service did not answer, or not usefully.
    NoAnswer,
    /// The cursor is of no use: load the directory afresh.
    StartAfresh,
}

impl From<Fault> for Trouble {
    fn from(_: Fault) -> Self {
        Self::NoAnswer
    }
}

/// Goes round until there is a reason to end. A kill at any moment loses nothing: the copy on disk has its cursor, from which the feed goes on.
pub fn follow(node: &Arc<Node>) -> End {
    let mut config_seen = Instant::now();
    let mut saved: Option<Instant> = None;
    let mut afresh = !node.core().directory.is_loaded();
    let mut unsaved = false;
    loop {
        match if afresh { load(node) } else { changes(node) } {
            Ok(changed) => {
                node.note(true);
                unsaved |= changed;
                afresh = false;
            }
            Err(Trouble::StartAfresh) => afresh = true,
            Err(Trouble::NoAnswer) => node.note(false),
        }
        node.counters.round_ms.store(now_ms(), Relaxed);
        if unsaved && saved.is_none_or(|saved| saved.elapsed() > DISK_PERIOD) {
            unsaved = !save(node);
            saved = Some(Instant::now());
        }
        if config_seen.elapsed() > CONFIG_PERIOD {
            config_seen = Instant::now();
            match Config::load(&node.options.config_path) {
                Ok(config) if config != node.config => return End::NewConfiguration,
                Err(SafeFileError::Missing) => return End::NoConfiguration,
                Ok(_) | Err(_) => {}
            }
        }
        std::thread::sleep(Duration::from_millis(period()));
    }
}

/// Copies the directory to disk, without holding up those who ask meanwhile.
fn save(node: &Node) -> bool {
    let (directory, synced) = {
        let core = node.core();
        (core.directory.clone(), core.synced)
    };
    disk::save(&node.options.cache_dir, &directory, synced).is_ok()
}

/// Nodes that start together must not ask together.
fn period() -> u64 {
    let mut byte = [128];
    random(&mut byte);
    let [byte] = byte;
    PERIOD_MS * 9 / 10 + PERIOD_MS * u64::from(byte) / (5 * 255)
}

/// Takes the changes since the cursor. Whether there were any.
fn changes(node: &Node) -> Result<bool, Trouble> {
    let limit = Duration::from_millis(node.config.request_timeout_ms);
    let mut changed = false;
    for _ in 0..ROUND_MAX {
        let (epoch, cursor) = {
            let core = node.core();
            (core.directory.epoch.clone(), core.directory.cursor.clone())
        };
        let target = format!("/changes?since={}&limit={PAGE}", encode(cursor.as_bytes()));
        let response = match node.client.get(&target, false, None, limit)? {
            Said::Yes(response) => response,
            Said::Gone => return Err(Trouble::StartAfresh),
            Said::None(_) | Said::Unchanged(_) => return Err(Trouble::NoAnswer),
        };
        let feed = contract::changes(&response.body, node.config.ids).map_err(|_| Fault::Failed)?;
        node.counters.refused.fetch_add(feed.skipped as u64, Relaxed);
        if feed.epoch != epoch {
            return Err(Trouble::StartAfresh);
        }
        node.counters.changes.fetch_add(feed.changes.len() as u64, Relaxed);
        changed |= !feed.changes.is_empty();
        apply(node, feed.changes, feed.cursor)?;
        if !feed.more {
            break;
        }
    }
    Ok(changed)
}

fn apply(node: &Node, changes: Vec<Change>, cursor: String) -> Result<(), Trouble> {
    let mut core = node.core();
    let mut dirty = Dirty::default();
    for change in changes {
        core.directory.apply(change, &mut dirty);
    }
    core.directory.cursor = cursor;
    let super::Core {
        directory, publisher, ..
    } = &mut *core;
    if dirty != Dirty::default() {
        publisher.apply(directory, &dirty).map_err(|_| Fault::Failed)?;
    }
    mark_synced(&mut core);
    Ok(())
}

/// Loads the whole directory beside the present one, and puts it in its place once it is complete.
fn load(node: &Node) -> Result<bool, Trouble> {
    let mut directory = Directory::default();
    let mut dirty = Dirty::default();
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let cursor = after
            .as_ref()
            .map_or(String::new(), |after| format!("&after={}", encode(after.as_bytes())));
        let target = format!("/snapshot?limit={PAGE}{cursor}");
        let response = match node.client.get(&target, false, None, SNAPSHOT_LIMIT)? {
            Said::Yes(response) => response,
            Said::Gone => return Err(Trouble::StartAfresh),
            Said::None(_) | Said::Unchanged(_) => return Err(Trouble::NoAnswer),
        };
        let page = contract::snapshot(&response.body, node.config.ids).map_err(|_| Fault::Failed)?;
        node.counters.refused.fetch_add(page.skipped as u64, Relaxed);
        node.counters.round_ms.store(now_ms(), Relaxed);
        if directory.is_loaded() && (directory.epoch != page.epoch || directory.cursor != page.cursor) {
            return Err(Trouble::StartAfresh);
        }
        directory.epoch = page.epoch;
        directory.cursor = page.cursor;
        for group in page.groups {
            directory.put_group(group, &mut dirty);
        }
        for user in page.users {
            directory.put_user(user, &mut dirty);
        }
        if page.next.is_none() {
            let mut core = node.core();
            let super::Core {
                directory: present,
                publisher,
                synced,
                ..
            } = &mut *core;
            *present = directory;
            *synced = unix_seconds();
            publisher.rebuild(present, *synced).map_err(|_| Fault::Failed)?;
            node.counters.snapshots.fetch_add(1, Relaxed);
            return Ok(true);
        }
        if page.next == after {
            return Err(Trouble::NoAnswer);
        }
        after = page.next;
    }
    Err(Trouble::NoAnswer)
}
