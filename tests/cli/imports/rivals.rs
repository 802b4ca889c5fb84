//! Somebody takes a name or number between the look at a file and its writing.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::desk::Desk;
use crate::harness::command::run;
use crate::harness::database::Role;
use crate::harness::wait_until;

/// Somebody else's transaction, which the import cannot see until it is committed.
struct Rival(Client);

impl Rival {
    async fn begin(desk: &Desk) -> Self {
        let client = desk.database.connect(Role::App).await;
        client.batch_execute("begin").await.unwrap();
        Self(client)
    }

    async fn user(&self, name: &str, posix_name: &str, uid: Option<i64>) {
        let draft = json!({"id": Uuid::new_v4(), "user_name_key": name, "posix_name": posix_name, "key_version": 1, "uid": uid,
                           "doc": {"userName": name}, "doc_key": {"userName": name}, "emails": []});
        self.call("select from api.user_create($1, $2, $3)", &draft).await;
    }

    async fn group(&self, name: &str, posix_name: &str, gid: i64) {
        let draft = json!({"id": Uuid::new_v4(), "display_name_key": name, "posix_name": posix_name, "key_version": 1, "gid": gid,
                           "doc": {"displayName": name}, "doc_key": {"displayName": name}});
        self.call("select from api.group_create($1, '{}'::uuid[], $2, $3)", &draft)
            .await;
    }

    async fn call(&self, sql: &str, draft: &Value) {
        let options = json!({"uid_start": 20000, "uid_max": 60000, "gid_start": 20000, "gid_max": 60000, "collision": "reject",
                             "protected": "root", "home_root": "/home", "removal_limit": 0});
        let audit = json!({"actor": "test", "path": "scim"});
        self.0.execute(sql, &[draft, &options, &audit]).await.unwrap();
    }
}

/// Imports while `rival` holds what he took, does `meanwhile` when the import waits for him, lets him commit; code and report.
async fn import_against(
    desk: &Desk,
    rival: Rival,
    (what, format, file): (&str, &str, &str),
    meanwhile: impl FnOnce(),
) -> (i32, Value) {
    let arguments = [what, "import", "--format", format, file, "--output", "json"].map(str::to_owned);
    let environment = desk.database.environment();
    let import = tokio::task::spawn_blocking(move || {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run(&arguments.each_ref().map(String::as_str), &environment)
    });
    let watcher = desk.database.connect(Role::Superuser).await;
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%import%apply%'";
    wait_until("the import waits for its rival", Duration::from_mins(1), async || {
        watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
    meanwhile();
    rival.0.batch_execute("commit").await.unwrap();
    let outcome = import.await.unwrap();
    assert!(!outcome.stdout.is_empty(), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("left out"), "{}", outcome.stderr);
    (outcome.code, outcome.json())
}

/// Line and attribute of each fault.
fn places(report: &Value) -> Vec<(u64, &str)> {
    let faults = report["faults"].as_array().unwrap();
    faults
        .iter()
        .map(|fault| (fault["line"].as_u64().unwrap(), fault["attribute"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn who_loses_a_name_or_number_to_somebody_meanwhile_is_told_with_his_line_and_the_others_stand() {
    let desk = Desk::open().await;
    let line = |name: &str, uid: u32| format!("{name}:x:{uid}:{uid}::/home/{name}:/bin/sh\n");
    let lines = [
        line("first", 31001),
        line("number", 31002),
        line("named", 31003),
        line("second", 31004),
    ];
    let file = desk.file("passwd", lines.concat());
    let rival = Rival::begin(&desk).await;
    rival.user("other", "other", Some(31002)).await;
    rival.user("elsewhere", "named", Some(31900)).await;
    let (code, report) = import_against(&desk, rival, ("user", "passwd", &file), || {}).await;
    assert_eq!(code, 3);
    assert_eq!(places(&report), [(2, "posixUserId"), (3, "posixUserName")], "{report}");
    assert_eq!(report["faults"][0]["value"], "31002");
    assert_eq!(report["faults"][0]["reason"], "number: another user has this uid");
    assert_eq!(
        (
            &report["created"],
            &report["refused"],
            &report["present"],
            &report["records"]
        ),
        (&2.into(), &2.into(), &0.into(), &4.into())
    );
    let there = desk.exported("user", "passwd");
    assert!(there.contains(&lines[0]) && there.contains(&lines[3]), "{there}");

    let found = desk.conflicts("user", "passwd", lines.concat());
    assert_eq!(
        found.len(),
        2,
        "started again it tells the same and writes nothing: {found:?}"
    );
    let settled = lines
        .concat()
        .replace("number:x:31002:31002", "number:x:31005:31005")
        .replace("named", "called");
    let report = desk.imported("user", "passwd", &desk.file("settled", settled));
    assert_eq!((&report["created"], &report["present"]), (&2.into(), &2.into()));
    desk.close().await;
}

#[tokio::test]
async fn who_is_made_meanwhile_under_the_same_user_name_is_no_success_unless_he_is_the_same() {
    let desk = Desk::open().await;
    let csv = "userName,posixUserName,posixUserId\nfirst,first,31001\nlater,later,\nsame,same,\ntaken,taken,31002\n";
    let file = desk.file("csv", csv);
    let rival = Rival::begin(&desk).await;
    rival.user("taken", "taken", Some(31009)).await;
    // Those without a uid have their turn when the others are through.
    let (code, report) = import_against(&desk, rival, ("user", "csv", &file), || {
        for (name, posix) in [("later", "otherwise"), ("same", "same")] {
            desk.rollcall(&["user", "add", name, "--posix-name", posix]).succeeded();
        }
    })
    .await;
    assert_eq!(code, 3);
    assert_eq!(places(&report), [(3, "userName"), (5, "userName")], "{report}");
    assert_eq!(
        (&report["created"], &report["refused"], &report["present"]),
        (&1.into(), &2.into(), &1.into())
    );
    desk.close().await;
}

#[tokio::test]
async fn a_group_that_somebody_makes_meanwhile_with_another_number_gets_no_members_of_the_file() {
    let desk = Desk::open().await;
    desk.imported(
        "user",
        "passwd",
        &desk.file("passwd", "jane:x:1001:1001::/home/jane:/bin/sh\n"),
    );
    let file = desk.file(
        "group",
        "lab:x:32001:jane\nnamed:x:32002:jane\nnumber:x:32003:\nfine:x:32004:jane\n",
    );
    let rival = Rival::begin(&desk).await;
    rival.group("lab", "lab", 32901).await;
    rival.group("Elsewhere", "named", 32902).await;
    rival.group("other", "other", 32003).await;
    let (code, report) = import_against(&desk, rival, ("group", "group", &file), || {}).await;
    assert_eq!(code, 3);
    let lines: Vec<u64> = places(&report).iter().map(|(line, _)| *line).collect();
    assert!(
        lines.starts_with(&[1]) && lines.contains(&2) && lines.ends_with(&[3]),
        "{report}"
    );
    assert_eq!(
        (&report["created"], &report["refused"]),
        (&1.into(), &3.into()),
        "{report}"
    );
    let there = desk.exported("group", "group");
    assert!(
        there.contains("lab:x:32901:\n") && there.contains("fine:x:32004:jane\n"),
        "{there}"
    );
    desk.close().await;
}
