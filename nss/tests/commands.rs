//! The command line of `rollcall-node`: options, answers as JSON, exit codes.

use crate::harness::node::Folder;
use serde_json::{Value, json};
use std::process::{Command, Output};

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rollcall-node"))
        .args(arguments)
        .arg(format!("--run-dir={}", folder.0))
        .arg(format!("--config={}", folder.path("conf")))
        .env_remove("PAM_USER")
        .output()
        .unwrap()
}

fn answer(folder: &Folder, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = run(folder, &[arguments, &["--output=json"]].concat());
    let answer = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        answer.unwrap_or_else(|error| panic!("{error}: {output:?}")),
    )
}

#[test]
fn every_command_that_answers_answers_in_json_also_when_nothing_is_there() {
    let folder = Folder::new("commands");
    let missing = json!({"file": folder.path("conf"), "findings":
        [{"file": folder.path("conf"), "line": null, "message": "there is no such file"}]});
    assert_eq!(answer(&folder, &["check"]), (Some(1), missing));
    assert_eq!(answer(&folder, &["status"]), (Some(4), json!({})));
    assert_eq!(answer(&folder, &["clear"]), (Some(0), json!({"cleared": false})));
}

#[test]
fn a_check_tells_lines_and_tokens_that_are_not_used() {
    let folder = Folder::new("check");
    let config = folder.config_text("http://127.0.0.1:1", "no-such-key=1");
    folder.write("conf", &config, 0o644);
    let (code, told) = answer(&folder, &["check"]);
    let findings = told["findings"].as_array().unwrap();
    assert_eq!((code, findings.len()), (Some(1), 1), "{told}");
    assert_eq!(findings[0]["line"], 4);
    folder.write("conf", &folder.config_text("http://127.0.0.1:1", ""), 0o644);
    assert_eq!(answer(&folder, &["check"]).0, Some(0));
    folder.write("user-token", " \n", 0o644);
    folder.write("admin-token", "rc_a.b", 0o666);
    let (code, told) = answer(&folder, &["check"]);
    let files: Vec<&Value> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["file"])
        .collect();
    assert_eq!(code, Some(1));
    assert_eq!(
        files,
        [&json!(folder.path("admin-token")), &json!(folder.path("user-token"))]
    );
}

#[test]
fn what_a_command_does_not_know_is_wrong_usage() {
    let folder = Folder::new("usage");
    for arguments in [
        &["nonsense"][..],
        &["check", "--no-such-option"],
        &["check", "--output"],
        &["check", "--output", "yaml"],
        &["check", "--prometheus"],
        &["status", "--prometheus", "--output", "json"],
        &["status", "--prometheus=1"],
        &["run", "--output", "json"],
        &["--output=json"],
        &["make-home"],
        &["make-home", "a", "b"],
        &["authorized-keys"],
        &["status", "check"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_rollcall-node"))
            .args(["--run-dir", &folder.0, "--config", &folder.path("conf")])
            .args(arguments)
            .env_remove("PAM_USER")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}
