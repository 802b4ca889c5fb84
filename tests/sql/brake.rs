//! The brake, as replicas of the release before ask for it.

use crate::harness::database::{Database, Role};

#[tokio::test]
async fn the_release_before_sees_removals_and_overrides_and_nobody_who_only_has_a_limit() {
    let database = Database::create().await;
    let client = database.connect(Role::Superuser).await;
    client
        .batch_execute(
            "insert into store.removals (actor, at, subject) values ('os:removes', api.now(), gen_random_uuid());
             insert into store.brake_limits (actor, removal_limit) values ('os:limited', 5);
             insert into store.brake_overrides (actor, removal_limit, until) values ('os:released', 9, api.now() + interval '1 hour')",
        )
        .await
        .unwrap();
    let rows = client
        .query("select actor, removals, override_limit from api.brake_state()", &[])
        .await
        .unwrap();
    let told: Vec<(String, i64, Option<i64>)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(
        told,
        [
            ("os:released".to_owned(), 0, Some(9)),
            ("os:removes".to_owned(), 1, None)
        ]
    );
    database.finish().await;
}
