//! An import that is killed leaves whole batches, and goes on when it is started again.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::Rollcall;
use crate::harness::children::{mortal, start};
use crate::harness::command::{ROLLCALL, without_settings};
use crate::harness::wait_until;

/// Users of the file: several batches.
const USERS: i64 = 15_000;

/// Users of a batch.
const BATCH: i64 = 2_000;

#[tokio::test]
async fn a_killed_import_is_taken_up_again_and_nobody_is_there_twice() {
    let rollcall = Rollcall::start().await;
    let path = std::env::temp_dir().join(format!("rollcall-resume-{}", uuid::Uuid::new_v4().simple()));
    let mut text = String::new();
    for number in 0..USERS {
        let uid = 600_000 + number;
        writeln!(
            text,
            "user{number:05}:x:{uid}:{uid}:User {number}:/home/user{number:05}:/bin/bash"
        )
        .unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let arguments = [
        "user",
        "import",
        "--format",
        "passwd",
        path.to_str().unwrap(),
        "--output",
        "json",
    ];

    let mut command = mortal(ROLLCALL);
    without_settings(&mut command)
        .args(arguments)
        .envs(rollcall.database.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut import = start(command);
    let count = async || rollcall.number("select count(*) from store.users").await;
    wait_until("the first batch is written", Duration::from_mins(2), async || {
        count().await > 0
    })
    .await;
    import.kill();
    let half = async || {
        // The batch under way ends or is rolled back by the server, which hears of the death a moment later.
        let busy = "select count(*) from pg_stat_activity where datname = current_database() and query like '%import_users_apply%' and state <> 'idle' and pid <> pg_backend_pid()";
        rollcall.number(busy).await == 0
    };
    wait_until("the killed import has let go", Duration::from_secs(30), half).await;
    let there = count().await;
    assert!(
        there > 0 && there < USERS && there % BATCH == 0,
        "whole batches: {there}"
    );

    let report = rollcall.command(&arguments).succeeded().json();
    assert_eq!(
        (report["present"].as_i64(), report["created"].as_i64()),
        (Some(there), Some(USERS - there))
    );
    assert_eq!(count().await, USERS);
    assert_eq!(
        rollcall
            .number("select count(*) from store.audit where action = 'create' and path = 'import'")
            .await,
        USERS
    );
    let staged = "select count(*) from store.import_users";
    assert!(
        rollcall.number(staged).await >= USERS,
        "the killed one's rows wait until they are old"
    );
    let owner = rollcall
        .database
        .connect(crate::harness::database::Role::Superuser)
        .await;
    owner
        .batch_execute("update store.imports set touched = now() - interval '11 minutes'")
        .await
        .unwrap();
    rollcall.command(&arguments).succeeded();
    assert_eq!(rollcall.number(staged).await, 0, "the next import clears them away");
    std::fs::remove_file(path).unwrap();
    rollcall.finish().await;
}
