//! What `doctor` says of a service that should run on this machine, and of settings that are taken and wrong nevertheless.

use std::net::TcpListener;

use serde_json::Value;

use super::machine::{Machine, assert_found, findings};
use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::Role;

/// An address at which nothing listens.
fn silent() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string()
}

fn severity<'a>(found: &'a [Value], check: &str) -> Option<&'a str> {
    found.iter().find(|finding| finding["check"] == check)?["severity"].as_str()
}

#[tokio::test]
async fn a_service_that_should_run_here_and_does_not_answer_is_an_error() {
    let machine = Machine::new();
    let rollcall = Rollcall::start().await;
    let uri = rollcall.database.uri(Role::App);
    let nobody = silent();
    let settings = ["--ops-listen", &nobody];
    let (_, found) = findings("service", &machine, &uri, &settings);
    assert_eq!(severity(&found, "service"), None, "it may run elsewhere: {found:#?}");
    let folder = machine.write("etc/systemd/system/multi-user.target.wants/other.service", "");
    std::os::unix::fs::symlink(
        "/usr/lib/systemd/system/rollcall.service",
        folder.with_file_name("rollcall.service"),
    )
    .unwrap();
    let (code, found) = findings("service", &machine, &uri, &settings);
    assert_eq!((code, severity(&found, "service")), (1, Some("error")));
    assert_found(&found, "service", "rollcall.service is enabled here");

    let address = |label: &str| rollcall.service.url(label).replace("http://", "");
    let (api, read, ops) = (address("api"), address("read"), address("ops"));
    let right = ["--listen", &api, "--read-listen", &read, "--ops-listen", &ops];
    let (_, found) = findings("service", &machine, &uri, &right);
    assert_eq!(
        (severity(&found, "service"), severity(&found, "listeners")),
        (None, None),
        "{found:#?}"
    );
    let changed = ["--listen", &nobody, "--read-listen", &read, "--ops-listen", &ops];
    let (code, found) = findings("service", &machine, &uri, &changed);
    assert_eq!((code, severity(&found, "listeners")), (1, Some("error")));
    assert_found(&found, "listeners", &format!("nothing listens at {nobody} (listen)"));
    rollcall.finish().await;
}

#[test]
fn a_private_database_without_its_service_is_an_error() {
    let machine = Machine::new();
    let data = machine.0.join("data");
    let data = data.to_str().unwrap();
    run(&["migrate", "--data-dir", data], &[]).succeeded();
    let nobody = silent();
    let arguments = [
        "doctor",
        "--data-dir",
        data,
        "--ops-listen",
        &nobody,
        "--output",
        "json",
    ];
    let outcome = run(&arguments, &[]);
    assert_eq!(outcome.code, 1);
    assert_found(
        outcome.json().as_array().unwrap(),
        "service",
        "served from this machine alone",
    );
}

#[tokio::test]
async fn a_name_that_nobody_knows_a_brake_that_is_off_and_a_certificate_of_today_are_found() {
    let machine = Machine::new();
    let rollcall = Rollcall::start().await;
    rollcall.command(&["token", "generate", "it's free"]).succeeded();
    rollcall
        .command(&["brake", "limit", "it's free", "--limit", "0"])
        .succeeded();
    let uri = rollcall.database.uri(Role::App);
    let (cert, key) = machine.certificate("today", 1);
    let file = machine.write("rollcall.conf", "frobnicate-zzz=1\n");
    let settings = [
        "--config",
        file.to_str().unwrap(),
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
    ];
    let (code, found) = findings("service", &machine, &uri, &settings);
    assert_eq!(code, 1);
    assert_found(&found, "settings", "frobnicate-zzz");
    assert_found(&found, "certificates", "expires in 23 hours");
    assert_eq!(severity(&found, "certificates"), Some("error"));
    assert_found(&found, "deletion brake", "deletion-limit-per-hour=0");
    let (_, found) = findings("service", &machine, &uri, &["--deletion-limit-per-hour", "50"]);
    assert_found(&found, "deletion brake", "off for \"it's free\"");
    let brake = found
        .iter()
        .find(|finding| finding["check"] == "deletion brake")
        .unwrap();
    assert_eq!(brake["fix"], r"rollcall brake limit --default -- 'it'\''s free'");
    rollcall.finish().await;
}

#[test]
fn a_root_that_is_no_folder_is_wrong_usage() {
    let machine = Machine::new();
    let file = machine.write("file", "");
    for root in ["/nowhere", file.to_str().unwrap()] {
        for scope in ["service", "node"] {
            let outcome = run(
                &["doctor", "--scope", scope, "--root", root, "--data-dir", "/nowhere"],
                &[],
            );
            assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{}", outcome.stderr);
        }
    }
}
