//! `rollcall migrate`: from several places at once, again, and against what it must refuse.

use std::time::Duration;

use serde_json::Value;

use crate::harness::command::{Outcome, run};
use crate::harness::database::{Database, Role};
use crate::harness::service::Service;
use crate::harness::{Rollcall, wait_until};

/// Longer than replicas take to look at the schema again: five seconds.
const POLL: Duration = Duration::from_secs(15);

fn migrate(database: &Database) -> Outcome {
    let uri = database.uri(Role::Migrate);
    run(
        &["migrate"],
        &[("ROLLCALL_DATABASE_MIGRATE_URI", &uri), ("ROLLCALL_DATABASE_URI", &uri)],
    )
}

#[tokio::test]
async fn six_at_once_on_an_empty_database_all_succeed() {
    let database = Database::create_empty().await;
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| migrate(&database))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let applied = outcomes
        .into_iter()
        .map(Outcome::succeeded)
        .filter(|outcome| outcome.stdout.contains("applied migration"))
        .count();
    assert_eq!(applied, 1, "one does the work, the others find it done");
    database.finish().await;
}

#[tokio::test]
async fn a_second_run_has_nothing_to_do_and_waits_for_nobody() {
    let database = Database::create().await;
    let owner = database.connect(Role::Superuser).await;
    owner
        .batch_execute("begin; lock table store.users; select pg_advisory_lock(1, 1)")
        .await
        .unwrap();
    assert_eq!(migrate(&database).succeeded().stdout, "Nothing to do.\n");
    owner.batch_execute("rollback").await.unwrap();
    database.finish().await;
}

#[tokio::test]
async fn functions_that_were_tampered_with_are_put_right() {
    let database = Database::create().await;
    let owner = database.connect(Role::Superuser).await;
    owner
        .batch_execute("update store.functions_state set hash = 'old'; create or replace function api.now() returns timestamptz language sql stable as 'select null::timestamptz'")
        .await
        .unwrap();
    assert!(migrate(&database).succeeded().stdout.contains("functions"));
    let now = owner.query_one("select api.now() is not null", &[]).await.unwrap();
    assert!(now.get::<_, bool>(0));
    database.finish().await;
}

#[tokio::test]
async fn a_service_waits_for_the_schema_and_says_so() {
    let database = Database::create_empty().await;
    let (app, migrate_uri) = (database.uri(Role::App), database.uri(Role::Migrate));
    // With the address for migrations it makes the schema itself.
    let service = Service::start(&[("database-uri", &app), ("database-migrate-uri", &migrate_uri)]);
    let ready = reqwest::get(format!("{}/readyz", service.url("ops"))).await.unwrap();
    assert_eq!(ready.status().as_u16(), 200);
    drop(service);
    database.finish().await;
}

#[tokio::test]
async fn a_replica_that_a_later_release_has_broken_with_is_not_ready() {
    let rollcall = Rollcall::start().await;
    let ready = async || {
        let answer = reqwest::get(format!("{}/readyz", rollcall.service.url("ops"))).await;
        answer.unwrap().json::<Value>().await.unwrap()
    };
    let owner = rollcall.database.connect(Role::Superuser).await;
    let apply = async |version: i32, name: &str| {
        let row =
            "insert into store.migrations (version, name, applied_on, checksum) values ($1, $2, now()::text, '0')";
        owner.execute(row, &[&version, &name]).await.unwrap();
    };
    apply(998, "expanding").await;
    apply(999, "breaking_names").await;
    wait_until("the replica is not ready", POLL, async || {
        ready().await["ready"] == false
    })
    .await;
    assert!(ready().await["reason"].as_str().unwrap().contains("later release"));
    owner
        .execute("delete from store.migrations where version = 999", &[])
        .await
        .unwrap();
    wait_until("an expanding one breaks with nobody", POLL, async || {
        ready().await["ready"] == true
    })
    .await;
    owner
        .execute("delete from store.migrations where version = 998", &[])
        .await
        .unwrap();
    rollcall.finish().await;
}

#[tokio::test]
async fn a_role_that_may_not_migrate_is_told_so() {
    let database = Database::create_empty().await;
    let uri = database.uri(Role::App);
    let refused = run(&["migrate"], &[("ROLLCALL_DATABASE_URI", &uri)]);
    assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("permission denied"), "{}", refused.stderr);
    database.discard().await;
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let database = Database::create_latin1().await;
    let refused = migrate(&database);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("it must be UTF8"), "{}", refused.stderr);
    database.discard().await;
}
