//! What a format cannot hold, and how much of a report is listed.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use super::desk::Desk;
use crate::harness::command::{ROLLCALL, without_settings};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdOOuI7Mq1Ri7aadduQLc1AMyuDbTTa1C1+8rM+Z40J";

#[tokio::test]
async fn an_export_says_what_its_format_leaves_out_and_json_leaves_out_nothing() {
    let desk = Desk::open().await;
    let told = |what: &str, format: &str| {
        let outcome = desk.rollcall(&[what, "export", "--format", format]).succeeded();
        let note = outcome
            .stderr
            .split_once("cannot hold it: ")
            .map(|(_, rest)| rest.to_owned());
        note.map(|note| note.split(';').next().unwrap().to_owned())
    };
    let plain = "plain:x:30001:30001:Plain User,Room 1:/home/plain:/bin/sh\n";
    desk.imported("user", "passwd", &desk.file("passwd", plain));
    desk.imported("group", "group", &desk.file("group", "lab:x:31001:plain\n"));
    for (what, format) in [
        ("user", "passwd"),
        ("user", "csv"),
        ("user", "json"),
        ("group", "group"),
        ("group", "csv"),
    ] {
        assert_eq!(told(what, format), None, "{what} {format}");
    }
    let json = r#"{"userName":"jane@example.org","displayName":"Jane","name":{"givenName":"Jane"},"active":false,
        "emails":[{"value":"jane@example.org","type":"work"},{"value":"j d@example.org"}]}"#;
    desk.imported("user", "json", &desk.file("json", json));
    desk.rollcall(&["user", "ssh-keys", "jane", "--add", &desk.file("key", KEY)])
        .succeeded();
    desk.imported(
        "group",
        "csv",
        &desk.file("csv", "displayName,posixGroupName,externalId\nBig Lab,biglab,E1\n"),
    );
    desk.rollcall(&["group", "add", "#old"]).succeeded();
    assert_eq!(
        told("user", "passwd").as_deref(),
        Some("active of 1, emails of 1, name of 1, sshPublicKeys of 1, userName of 1")
    );
    assert_eq!(
        told("user", "csv").as_deref(),
        Some("emails of 1, name of 1, sshPublicKeys of 1, types of emails of 1")
    );
    assert!(
        !desk.exported("user", "csv").contains("j d@"),
        "half of it would be another address"
    );
    assert_eq!(
        told("group", "group").as_deref(),
        Some("displayName of 1, externalId of 1, groups with # before their name of 1")
    );
    for (what, format) in [("user", "json"), ("group", "json"), ("group", "csv")] {
        assert_eq!(told(what, format), None, "{what} {format}");
    }
    for (what, format) in [("user", "ldif"), ("user", "group"), ("group", "passwd")] {
        assert_eq!(
            desk.rollcall(&[what, "export", "--format", format]).code,
            2,
            "{what} {format}"
        );
    }
    desk.close().await;
}

#[tokio::test]
async fn empty_fields_are_warned_of_and_from_then_on_files_are_the_same() {
    let first = Desk::open().await;
    let report = first.imported("user", "passwd", &first.file("passwd", "bare:x:30001:30001:::\n"));
    let told = |at: usize| report["warnings"][at]["attribute"].as_str();
    assert_eq!(
        (told(0), told(1)),
        (Some("homeDirectory"), Some("loginShell")),
        "{report}"
    );
    let csv = "userName,displayName,gecos\nsilent,Silent Bob,\n";
    first.imported("user", "csv", &first.file("csv", csv));
    assert!(
        first
            .exported("user", "passwd")
            .contains("bare:x:30001:30001::/home/bare:/bin/sh\n")
    );
    for format in ["passwd", "csv", "json"] {
        let second = Desk::open().await;
        second.imported("user", format, &second.file("users", first.exported("user", format)));
        assert_eq!(
            second.exported("user", format),
            first.exported("user", format),
            "{format}"
        );
        second.close().await;
    }
    first.close().await;
}

#[tokio::test]
async fn every_conflict_is_listed_for_scripts_and_as_many_as_asked_for() {
    let desk = Desk::open().await;
    let mut text = String::new();
    for number in 0..1_500 {
        writeln!(text, "bad{number}:x:many:1002::/home/b:/bin/sh").unwrap();
    }
    let file = desk.file("passwd", text);
    let listed = |more: &[&str]| {
        let (code, report) = desk.import("user", "passwd", &file, more);
        assert_eq!((code, report["conflicts"].as_u64()), (3, Some(1_500)));
        report["faults"].as_array().unwrap().len()
    };
    assert_eq!(listed(&[]), 1_500);
    assert_eq!(listed(&["--list", "10"]), 10);
    let table = desk.rollcall(&["user", "import", "--format", "passwd", &file]);
    assert_eq!(table.code, 3);
    assert!(
        table.stdout.ends_with("and 500 more (--list N shows them)\n"),
        "{}",
        table.stderr
    );
    desk.close().await;
}

#[tokio::test]
async fn members_that_are_left_out_and_files_that_hold_nobody_are_warned_of() {
    let desk = Desk::open().await;
    desk.imported(
        "user",
        "passwd",
        &desk.file("passwd", "jane:x:30001:30001:J:/home/jane:/bin/sh\n"),
    );
    let file = desk.file("group", "lab:x:31001:jane,gone\nlate:x:31002:former\n");
    for more in [
        &["--skip-unknown-members", "--dry-run"][..],
        &["--skip-unknown-members"],
    ] {
        let (code, report) = desk.import("group", "group", &file, more);
        assert_eq!((code, &report["warned"]), (0, &2.into()), "{report}");
        let told = |at: usize| {
            (
                report["warnings"][at]["line"].clone(),
                report["warnings"][at]["value"].clone(),
            )
        };
        assert_eq!(
            (told(0), told(1)),
            ((1.into(), "gone".into()), (2.into(), "former".into()))
        );
    }
    let ldif = "dn: ou=people,dc=x\nobjectClass: organizationalUnit\nou: people\n";
    let report = desk.imported("user", "ldif", &desk.file("ldif", ldif));
    assert!(
        report["warnings"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("no user was found"),
        "{report}"
    );
    desk.close().await;
}

#[tokio::test]
async fn a_file_without_a_record_is_refused() {
    let desk = Desk::open().await;
    for (what, format) in [
        ("user", "passwd"),
        ("user", "json"),
        ("group", "csv"),
        ("group", "group"),
        ("user", "ldif"),
    ] {
        let found = desk.conflicts(what, format, "");
        assert_eq!(found.len(), 1, "{format}");
        assert!(found[0].2.contains("no record"), "{format} {found:?}");
    }
    assert_eq!(
        desk.rollcall(&["user", "import", "--format", "group", "/dev/null"])
            .code,
        2
    );
    desk.close().await;
}

#[tokio::test]
async fn a_reader_who_has_had_enough_of_an_export_is_no_error() {
    let desk = Desk::open().await;
    let users = "jane:x:30001:30001::/home/jane:/bin/sh\n";
    desk.imported("user", "passwd", &desk.file("passwd", users));
    for (what, format) in [("user", "passwd"), ("user", "csv"), ("user", "json"), ("group", "json")] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(ROLLCALL);
        let command = without_settings(&mut command)
            .args([what, "export", "--format", format])
            .envs(desk.database.environment())
            .stdin(Stdio::null())
            .stdout(writer);
        let outcome = command.output().unwrap();
        let told = String::from_utf8_lossy(&outcome.stderr);
        assert_eq!((outcome.status.code(), &*told), (Some(0), ""), "{what} {format}");
    }
    desk.close().await;
}

#[tokio::test]
async fn a_command_about_keys_or_numbers_leaves_an_imported_gecos_field() {
    let desk = Desk::open().await;
    let line = "gk:x:25060:25060:Full Name,Room 9,555,666:/home/gk:/bin/sh\n";
    desk.imported("user", "passwd", &desk.file("passwd", line));
    let key = desk.file(
        "key",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE4PhKgkKwKnyXDc0Vxdl2kPpA8KjHa9J6tXGvTYcgJj gk\n",
    );
    desk.rollcall(&["user", "ssh-keys", "gk", "--add", &key]).succeeded();
    assert_eq!(desk.exported("user", "passwd"), line);
    desk.rollcall(&["user", "rename", "gk", "gl", "--yes"]).succeeded();
    assert!(
        desk.exported("user", "passwd")
            .starts_with("gl:x:25060:25060:Full Name,Room 9,555,666:")
    );
    desk.close().await;
}
