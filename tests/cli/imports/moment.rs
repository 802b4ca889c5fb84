//! An export is of one moment, however slowly it is read.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::desk::Desk;
use crate::harness::command::{ROLLCALL, without_settings};
use crate::harness::database::Role;
use crate::harness::wait_until;

/// More than one page.
const USERS: usize = 6_000;

#[tokio::test]
async fn who_changes_while_a_file_is_read_is_in_it_once_as_he_was() {
    let desk = Desk::open().await;
    let lines = (0..USERS).map(|n| {
        format!(
            "user{n}:x:{}:{}:User {n}:/home/user{n}:/bin/sh\n",
            20_000 + n,
            20_000 + n
        )
    });
    desk.imported("user", "passwd", &desk.file("passwd", lines.collect::<String>()));
    let before = desk.exported("user", "passwd");

    let mut command = Command::new(ROLLCALL);
    without_settings(&mut command)
        .args(["user", "export", "--format", "passwd"])
        .envs(desk.database.environment())
        .stdout(Stdio::piped());
    let mut export = command.spawn().unwrap();
    let watcher = desk.database.connect(Role::Superuser).await;
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle in transaction' \
                 and query like '%export_users%'";
    wait_until("the export waits for its reader", Duration::from_secs(30), async || {
        watcher.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    desk.rollcall(&["user", "set-uid", "user0", "50000", "--yes"])
        .succeeded();
    desk.rollcall(&["user", "set-uid", "user5999", "1500", "--yes"])
        .succeeded();
    let mut after = String::new();
    export.stdout.take().unwrap().read_to_string(&mut after).unwrap();
    assert!(export.wait().unwrap().success());
    assert!(after == before, "the file is not of one moment");
    assert_ne!(desk.exported("user", "passwd"), before);
    desk.close().await;
}
