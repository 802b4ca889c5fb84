//! What `rollcall-node status` shows: lines of `key value`.

pub mod metrics;

use super::Node;
use crate::clock::{now_ms, unix_seconds};
use crate::map::{Map, Service};
use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

/// The agent's own view.
pub fn text(node: &Node) -> String {
    let core = node.core();
    let mut text = String::new();
    if let Some(map) = core.publisher.map() {
        text.push_str(&of_map(map));
    }
    let counters = &node.counters;
    let rows = [
        ("epoch", core.directory.epoch.clone()),
        ("cursor", core.directory.cursor.clone()),
        ("users", core.directory.users().len().to_string()),
        ("groups", core.directory.groups().len().to_string()),
        ("answers", counters.answers.load(Relaxed).to_string()),
        ("faults", counters.faults.load(Relaxed).to_string()),
        ("changes", counters.changes.load(Relaxed).to_string()),
        ("refused_records", counters.refused.load(Relaxed).to_string()),
        ("requests", counters.requests.load(Relaxed).to_string()),
        ("joined_requests", counters.joined.load(Relaxed).to_string()),
        ("snapshots", counters.snapshots.load(Relaxed).to_string()),
    ];
    for (key, value) in rows {
        let _ = writeln!(text, "{key} {value}");
    }
    text
}

/// What the map itself tells, with or without an agent.
pub fn of_map(map: &Map) -> String {
    let service = match map.service() {
        Service::Starting => "starting",
        Service::Up => "up",
        Service::Down => "down",
    };
    let now = now_ms();
    let [since, beat] = [map.service_since(), map.heartbeat()].map(|at| now.saturating_sub(at) / 1000);
    let age = match map.synced() {
        0 => "never".to_owned(),
        synced => unix_seconds().saturating_sub(synced).to_string(),
    };
    let (used, size) = map.fill();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "service {service}\nservice_since_seconds {since}\nlast_beat_seconds {beat}"
    );
    let _ = writeln!(
        text,
        "complete {}\ndirectory_age_seconds {age}",
        u8::from(map.is_complete())
    );
    let _ = writeln!(
        text,
        "map_generation {}\nmap_used_bytes {used}\nmap_size_bytes {size}",
        map.generation()
    );
    text
}
