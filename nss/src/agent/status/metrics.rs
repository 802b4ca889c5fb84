//! The status in Prometheus' text format 0.0.4, for the textfile collector of `node_exporter`.

use std::fmt::Write as _;

/// What a line of the status is called as a metric: key, name, type, help.
const METRICS: &[(&str, &str, &str, &str)] = &[
    (
        "service",
        "rollcall_node_service_up",
        "gauge",
        "1 when the service answers the agent, 0 when it does not or nobody can tell",
    ),
    (
        "service_since_seconds",
        "rollcall_node_service_since_seconds",
        "gauge",
        "Seconds for which the service has been up, or down",
    ),
    (
        "last_beat_seconds",
        "rollcall_node_last_beat_seconds",
        "gauge",
        "Seconds since the agent's last sign of life",
    ),
    (
        "complete",
        "rollcall_node_complete",
        "gauge",
        "1 when the map holds the whole directory",
    ),
    (
        "directory_age_seconds",
        "rollcall_node_directory_age_seconds",
        "gauge",
        "Seconds since the map was last known to equal the service's directory",
    ),
    (
        "map_generation",
        "rollcall_node_map_generation",
        "gauge",
        "How often the map has been written anew",
    ),
    (
        "map_used_bytes",
        "rollcall_node_map_used_bytes",
        "gauge",
        "Bytes of the map in use",
    ),
    (
        "map_size_bytes",
        "rollcall_node_map_size_bytes",
        "gauge",
        "Bytes of the map",
    ),
    ("users", "rollcall_node_users", "gauge", "Users in the directory"),
    ("groups", "rollcall_node_groups", "gauge", "Groups in the directory"),
    (
        "answers",
        "rollcall_node_answers_total",
        "counter",
        "Answers of the service that were used",
    ),
    (
        "faults",
        "rollcall_node_faults_total",
        "counter",
        "Questions that the service did not answer",
    ),
    (
        "changes",
        "rollcall_node_changes_total",
        "counter",
        "Changes of the directory that were applied",
    ),
    (
        "refused_records",
        "rollcall_node_refused_records_total",
        "counter",
        "Records of the service that were refused",
    ),
    (
        "requests",
        "rollcall_node_requests_total",
        "counter",
        "Requests on the agent's socket",
    ),
    (
        "joined_requests",
        "rollcall_node_joined_requests_total",
        "counter",
        "Requests that joined another one's question",
    ),
    (
        "snapshots",
        "rollcall_node_snapshots_total",
        "counter",
        "Whole directories that were loaded",
    ),
];

/// The metrics of a status, as [`text`](super::text) or [`of_map`](super::of_map) gave it; without one the service counts as down.
pub fn exposition(status: &str) -> String {
    let mut text = String::new();
    for &(key, name, kind, help) in METRICS {
        let mut lines = status.lines().filter_map(|line| line.split_once(' '));
        let value = lines.find_map(|(found, value)| (found == key).then_some(value));
        let value = match (key, value) {
            ("service", up) => u64::from(up == Some("up")),
            (_, Some(value)) => match value.parse() {
                Ok(number) => number,
                Err(_) => continue,
            },
            (_, None) => continue,
        };
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    text
}
