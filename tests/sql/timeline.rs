//! A failover or a restore may rewind the sequences: the allocator notices and jumps.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{create_user, options};
use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::{Database, Role};
use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};

#[tokio::test]
async fn another_timeline_makes_the_sequences_jump_once() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&Value::Null);
    let mut last = 0;
    for n in 0..40 {
        last = create_user(&client, Uuid::new_v4(), &format!("u{n}"), &Value::Null, &site)
            .await
            .unwrap()
            .0;
    }
    let owner = database.connect(Role::Superuser).await;
    // As after an asynchronous failover: another timeline, and a sequence that has lost its last values.
    owner
        .batch_execute("update store.id_epoch set timeline = '000000FE'; select setval('store.uid_seq', 1010, true)")
        .await
        .unwrap();
    let (uid, _) = create_user(&client, Uuid::new_v4(), "after", &Value::Null, &site)
        .await
        .unwrap();
    assert_eq!(
        uid,
        last + 81,
        "twice the 40 of the last minute beyond the highest that is known"
    );
    let (next, _) = create_user(&client, Uuid::new_v4(), "then", &Value::Null, &site)
        .await
        .unwrap();
    assert_eq!(next, uid + 1, "one jump");
    assert_eq!(
        owner
            .query_one("select epoch from store.id_epoch", &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        2
    );
    database.finish().await;
}

#[tokio::test]
async fn a_jump_is_at_least_fifty_and_at_most_a_thousand() {
    for (recent, jump) in [(1, 50), (700, 1000)] {
        let database = Database::create().await;
        let client = database.connect(Role::App).await;
        let site = options(&Value::Null);
        let mut last = 0;
        for n in 0..recent {
            last = create_user(&client, Uuid::new_v4(), &format!("u{n}"), &Value::Null, &site)
                .await
                .unwrap()
                .0;
        }
        let owner = database.connect(Role::Superuser).await;
        owner
            .batch_execute("update store.id_epoch set system_identifier = 1")
            .await
            .unwrap();
        client.execute("select api.id_follow_epoch()", &[]).await.unwrap();
        let (uid, _) = create_user(&client, Uuid::new_v4(), "after", &Value::Null, &site)
            .await
            .unwrap();
        assert_eq!(uid, last + jump + 1, "after {recent} users");
        database.finish().await;
    }
}

#[tokio::test]
async fn a_promoted_standby_and_a_restored_dump_jump_by_themselves() {
    let mut postgres = Postgres::synced();
    let site = options(&Value::Null);
    let client = postgres.connect("rollcall_app", TEMPLATE).await;
    let (first, _) = create_user(&client, Uuid::new_v4(), "before", &Value::Null, &site)
        .await
        .unwrap();
    postgres.promote().await;
    let client = postgres.connect("rollcall_app", TEMPLATE).await;
    let (second, _) = create_user(&client, Uuid::new_v4(), "promoted", &Value::Null, &site)
        .await
        .unwrap();
    assert!(second >= first + 50, "{first} then {second}");

    // The same data in another cluster, which a service notices at its start by the system identifier.
    let dump = std::env::temp_dir().join(format!("rollcall-dump-{}", std::process::id()));
    let dumped = std::process::Command::new("pg_dump")
        .args(["-d", &postgres.uri(SUPERUSER, TEMPLATE), "-f"])
        .arg(&dump)
        .status()
        .unwrap();
    assert!(dumped.success());
    let database = Database::create_empty().await;
    database.run_script(&std::fs::read_to_string(&dump).unwrap());
    std::fs::remove_file(&dump).unwrap();
    let service = Rollcall::replica(&database, &[]);
    let environment = database.environment();
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let made = run(&["token", "generate", "t", "--output", "json"], &environment)
        .succeeded()
        .json();
    let scim = Rollcall::scim_at(&service, made["token"].as_str().unwrap());
    let restored = scim.post("/Users", &json!({"userName": "restored"})).await.expect(201);
    let third = restored.workbench("posixUserId").as_i64().unwrap();
    assert!(third >= second + 50, "{second} then {third}");
    drop(service);
    database.finish().await;
}

#[tokio::test]
async fn an_operator_may_skip_numbers_by_hand() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let before = scim.post("/Users", &json!({"userName": "a"})).await.expect(201);
    rollcall.command(&["migrate", "reseed", "500"]).succeeded();
    let after = scim.post("/Users", &json!({"userName": "b"})).await.expect(201);
    let uid = |answer: &crate::harness::client::Answer| answer.workbench("posixUserId").as_i64().unwrap();
    assert_eq!(uid(&after), uid(&before) + 501);
    assert_eq!(
        rollcall
            .number("select count(*) from store.audit where action = 'reseed'")
            .await,
        1
    );
    assert_eq!(rollcall.command(&["migrate", "reseed", "0"]).code, 2);
    rollcall.finish().await;
}
