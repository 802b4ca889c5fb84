//! UIDs and GIDs: which number whoever gets, and which are never given.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{create_group, create_user, delete_user, options};
use crate::harness::database::{Database, Role};

const NONE: Value = Value::Null;

fn code(code: &str) -> Result<(i64, i64), String> {
    Err(code.to_owned())
}

#[tokio::test]
async fn a_private_group_has_the_number_of_its_user_and_groups_get_others() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&json!({"uid_start": 20000, "gid_start": 20000}));
    let mut numbers = BTreeSet::new();
    for n in 0..10 {
        let (uid, gid) = create_user(&client, Uuid::new_v4(), &format!("u{n}"), &NONE, &site)
            .await
            .unwrap();
        assert_eq!(uid, gid);
        assert!(numbers.insert(uid));
        assert!(
            numbers.insert(create_group(&client, &format!("g{n}"), None, &site).await.unwrap()),
            "no gid is a stranger's uid"
        );
    }
    assert_eq!(numbers.first(), Some(&20000));
    assert!(*numbers.last().unwrap() < 20030);
    database.finish().await;
}

#[tokio::test]
async fn numbers_that_were_asked_for_are_honoured_or_refused_and_never_changed() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&NONE);
    let ask = async |uid: i64| {
        create_user(
            &client,
            Uuid::new_v4(),
            &format!("asks-{}", Uuid::new_v4().simple()),
            &json!({"uid": uid}),
            &site,
        )
        .await
    };
    assert_eq!(ask(5000).await, Ok((5000, 5000)));
    assert_eq!(ask(5000).await, code("IDDUP"));
    for hard in [
        0,
        1,
        999,
        60001,
        65534,
        65535,
        2_147_352_576,
        2_147_483_647,
        4_294_967_294,
    ] {
        assert_eq!(ask(hard).await, code("IDRSV"), "{hard}");
    }
    for none in [-1, 4_294_967_295, 4_294_967_296, i64::MAX] {
        assert_eq!(ask(none).await, code("IDVAL"), "{none}");
    }
    for soft in [65536, 524_288, 1_879_048_191] {
        let (uid, _) = ask(soft).await.unwrap();
        assert_eq!(uid, soft, "accepted when asked for");
    }
    let warned = "select count(*) from store.audit where detail ? 'warning'";
    assert_eq!(client_number(&database, warned).await, 3);
    for large in [1_879_048_192, 2_147_352_575, 1000, 60000] {
        assert_eq!(ask(large).await, Ok((large, large)), "{large}");
    }
    database.finish().await;
}

#[tokio::test]
async fn a_site_may_move_in_with_an_unrelated_group_of_the_same_number() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&NONE);
    assert_eq!(create_group(&client, "old group", Some(10001), &site).await, Ok(10001));
    let (uid, gid) = create_user(&client, Uuid::new_v4(), "moved", &json!({"uid": 10001}), &site)
        .await
        .unwrap();
    assert_eq!(uid, 10001);
    assert_ne!(gid, 10001, "the private group goes elsewhere");
    assert_eq!(
        create_group(&client, "another", Some(10001), &site).await,
        Err("IDDUP".to_owned())
    );
    assert_eq!(
        create_group(&client, "in the way", Some(gid), &site).await,
        Err("IDDUP".to_owned())
    );
    database.finish().await;
}

#[tokio::test]
async fn the_allocator_steps_over_what_is_taken_or_reserved() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&json!({"uid_start": 3000, "uid_max": 70000}));
    for uid in (3000..3040).chain([3041, 3043]) {
        create_user(&client, Uuid::new_v4(), &format!("e{uid}"), &json!({"uid": uid}), &site)
            .await
            .unwrap();
    }
    create_group(&client, "sits on 3042", Some(3042), &site).await.unwrap();
    let next = async |name: &str| {
        create_user(&client, Uuid::new_v4(), name, &NONE, &site)
            .await
            .unwrap()
            .0
    };
    assert_eq!(next("a").await, 3040);
    assert_eq!(next("b").await, 3044, "both sides of a number must be free");
    let owner = database.connect(Role::Superuser).await;
    owner
        .batch_execute("insert into store.id_reserved (block, hard, reason) values ('[3045,3100)', true, 'a test'), ('[3100,3200)', false, 'a test')")
        .await
        .unwrap();
    assert_eq!(next("c").await, 3200);
    owner
        .batch_execute("select setval('store.uid_seq', 60000, true)")
        .await
        .unwrap();
    let exhausted = create_user(&client, Uuid::new_v4(), "d", &NONE, &site).await;
    assert_eq!(
        exhausted,
        code("IDFUL"),
        "60001 to 65535 are hard, and 65536 to 70000 soft: never proposed"
    );
    database.finish().await;
}

#[tokio::test]
async fn a_used_up_pool_says_so_and_a_larger_one_goes_on() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let small = options(&json!({"uid_start": 2000, "uid_max": 2004, "gid_start": 2000, "gid_max": 2006}));
    let headroom = async |options: &Value| -> Vec<(String, i64, i64)> {
        let rows = client
            .query(
                "select pool, remaining, size from api.id_headroom($1) order by pool desc",
                &[options],
            )
            .await
            .unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    };
    assert_eq!(
        headroom(&small).await,
        [("user".to_owned(), 5, 5), ("group".to_owned(), 7, 7)]
    );
    create_user(&client, Uuid::new_v4(), "ahead", &json!({"uid": 2003}), &small)
        .await
        .unwrap();
    assert_eq!(
        headroom(&small).await,
        [("user".to_owned(), 4, 5), ("group".to_owned(), 6, 7)],
        "a number that somebody brought is not left for others"
    );
    for n in 0..4 {
        create_user(&client, Uuid::new_v4(), &format!("u{n}"), &NONE, &small)
            .await
            .unwrap();
    }
    assert_eq!(headroom(&small).await[0].1, 0);
    for n in 0..3 {
        assert_eq!(
            create_user(&client, Uuid::new_v4(), &format!("x{n}"), &NONE, &small).await,
            code("IDFUL")
        );
    }
    assert_eq!(create_group(&client, "a", None, &small).await, Ok(2005));
    assert_eq!(create_group(&client, "b", None, &small).await, Ok(2006));
    assert_eq!(create_group(&client, "c", None, &small).await, Err("IDFUL".to_owned()));
    let (uid, _) = create_user(
        &client,
        Uuid::new_v4(),
        "next",
        &NONE,
        &options(&json!({"uid_start": 2000})),
    )
    .await
    .unwrap();
    assert!(uid > 2006, "{uid}");
    database.finish().await;
}

#[tokio::test]
async fn raising_the_start_renumbers_nobody_and_lowering_it_issues_nothing_again() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let next = async |start: i64, name: &str| {
        create_user(
            &client,
            Uuid::new_v4(),
            name,
            &NONE,
            &options(&json!({"uid_start": start})),
        )
        .await
        .unwrap()
        .0
    };
    assert_eq!(next(1000, "a").await, 1000);
    assert_eq!(next(30000, "b").await, 30000);
    assert_eq!(next(1000, "c").await, 30001);
    assert_eq!(
        client_number(&database, "select uid from store.users where user_name_key = 'a'").await,
        1000
    );
    database.finish().await;
}

#[tokio::test]
async fn a_retired_number_is_given_back_to_its_person_alone() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&NONE);
    let person = |external: &str| json!({"external_id": external});
    let first = Uuid::new_v4();
    let (uid, gid) = create_user(&client, first, "jane", &person("E-1"), &site)
        .await
        .unwrap();
    delete_user(&client, first).await;
    let stranger = create_user(&client, Uuid::new_v4(), "x", &json!({"uid": uid}), &site).await;
    assert_eq!(stranger, code("IDDUP"));
    for external in ["E-2", "e-1", ""] {
        let id = Uuid::new_v4();
        let (other, _) = create_user(&client, id, "jane", &person(external), &site)
            .await
            .unwrap();
        assert_ne!(
            other, uid,
            "the same name with externalId {external:?} is somebody else"
        );
        delete_user(&client, id).await;
    }
    let again = Uuid::new_v4();
    assert_eq!(
        create_user(&client, again, "jane", &person("E-1"), &site).await,
        Ok((uid, gid))
    );
    delete_user(&client, again).await;
    assert_eq!(
        create_user(&client, Uuid::new_v4(), "jane", &person("E-1"), &site).await,
        Ok((uid, gid)),
        "and once more"
    );
    assert_ne!(
        create_user(&client, Uuid::new_v4(), "jack", &person("E-1"), &site)
            .await
            .unwrap()
            .0,
        uid
    );
    database.finish().await;
}

#[tokio::test]
async fn a_repeated_creation_with_the_same_id_is_the_same_user() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&NONE);
    let id = Uuid::new_v4();
    let first = create_user(&client, id, "jane", &NONE, &site).await;
    assert_eq!(create_user(&client, id, "jane", &NONE, &site).await, first);
    assert_eq!(
        create_user(&client, Uuid::new_v4(), "jane", &NONE, &site).await,
        code("IDDUP")
    );
    assert_eq!(
        client_number(&database, "select count(*) from store.audit where action = 'create'").await,
        1
    );
    assert_eq!(
        client_number(&database, "select count(*) from store.posix_ids").await,
        1,
        "a repetition issues no number"
    );
    assert_eq!(
        client_number(&database, "select last_value from store.uid_seq").await,
        first.unwrap().0
    );
    database.finish().await;
}

#[tokio::test]
async fn a_deleted_user_is_forgotten_after_his_retention_and_his_number_is_not() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let site = options(&NONE);
    let id = Uuid::new_v4();
    let (uid, _) = create_user(&client, id, "jane", &NONE, &site).await.unwrap();
    delete_user(&client, id).await;
    let maintain = async |days: i64| {
        client
            .query("select * from api.maintain($1)", &[&json!({"retain_days": days})])
            .await
            .unwrap();
        client_number(&database, "select count(*) from store.users").await
    };
    assert_eq!(maintain(90).await, 1);
    let owner = database.connect(Role::Superuser).await;
    owner
        .batch_execute("update store.users set deleted_at = now() - interval '91 days'")
        .await
        .unwrap();
    assert_eq!(maintain(90).await, 0);
    assert_eq!(
        create_user(&client, Uuid::new_v4(), "x", &json!({"uid": uid}), &site).await,
        code("IDDUP")
    );
    database.finish().await;
}

async fn client_number(database: &Database, query: &str) -> i64 {
    database
        .connect(Role::Superuser)
        .await
        .query_one(query, &[])
        .await
        .unwrap()
        .get(0)
}
