//! What the agent tells of itself: lines, and metrics that promtool finds nothing wrong with.

use crate::harness::node::{Agent, Folder, server, until};
use rollcall_nss::map::{MAP_FILE, Map};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);

fn status(folder: &Folder, form: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rollcall-node"))
        .arg("status")
        .args(form)
        .args(["--run-dir", &folder.0, "--config", &folder.path("conf")])
        .output()
        .unwrap()
}

fn metrics(folder: &Folder) -> String {
    String::from_utf8(status(folder, &["--prometheus"]).stdout).unwrap()
}

/// What `promtool check metrics` says of a text; nothing when all is well or it is not installed.
fn complaints(text: &str) -> String {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = started else {
        println!("skipped: promtool (Debian's prometheus) is not installed");
        return String::new();
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = promtool.wait_with_output().unwrap();
    let told = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    assert!(done.status.success(), "{told}");
    told
}

#[test]
fn the_metrics_of_a_node_are_what_its_status_tells_and_promtool_finds_nothing_wrong_with_them() {
    let folder = Folder::new("status");
    let server = server();
    let port = server.listen_tcp("127.0.0.1:0");
    let config = folder.config_text(&format!("http://127.0.0.1:{port}"), "");
    folder.write("conf", &config, 0o644);
    let nobody = metrics(&folder);
    assert!(nobody.ends_with("\nrollcall_node_service_up 0\n"), "{nobody}");
    assert_eq!(complaints(&nobody), "");
    let agent = Agent::start(&folder);
    until("the directory is loaded", SOON, || {
        Map::open(folder.path(MAP_FILE)).is_ok_and(|map| map.is_complete())
    });
    let told = String::from_utf8(status(&folder, &[]).stdout).unwrap();
    let numbers = told
        .lines()
        .filter(|line| !line.starts_with("epoch ") && !line.starts_with("cursor "));
    let text = metrics(&folder);
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(
        samples.count(),
        numbers.count(),
        "every number is a metric:\n{told}\n{text}"
    );
    for wanted in [
        "rollcall_node_service_up 1",
        "rollcall_node_complete 1",
        "rollcall_node_users 4",
        "rollcall_node_snapshots_total 1",
        "# TYPE rollcall_node_faults_total counter",
        "# TYPE rollcall_node_map_used_bytes gauge",
    ] {
        assert!(text.lines().any(|line| line == wanted), "no {wanted} in\n{text}");
    }
    assert_eq!(complaints(&text), "");
    drop(agent);
}
