//! The check that ends every test finds what it is there for.

use crate::harness::Rollcall;
use crate::harness::database::Role;
use serde_json::json;

#[tokio::test]
async fn each_kind_of_damage_is_found() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim
        .post("/Users", &json!({"userName": "jane", "emails": [{"value": "j@x"}]}))
        .await
        .expect(201);
    let jack = scim.post("/Users", &json!({"userName": "jack"})).await.expect(201);
    scim.post(
        "/Groups",
        &json!({"displayName": "team", "members": [{"value": jane.id()}]}),
    )
    .await
    .expect(201);
    scim.delete(&format!("/Users/{}", jack.id())).await.expect(204);
    assert_eq!(rollcall.database.violations().await, Vec::<String>::new());
    let mut owner = rollcall.database.connect(Role::Superuser).await;
    for (damage, found) in [
        (
            "update store.users set uid = 4000 where posix_name = 'jane'",
            "the ledger gives to another",
        ),
        ("update store.groups set gid = 4000", "group holds a gid"),
        (
            "update store.posix_ids set gid_owner = gen_random_uuid() where uid_owner is not null",
            "private group without its gid",
        ),
        (
            "update store.posix_ids set uid_retired_at = now()",
            "live user with a retired uid",
        ),
        (
            "update store.users set primary_gid = 0 where posix_name = 'jane'",
            "primary gid that nodes refuse",
        ),
        (
            "update store.posix_ids set uid_retired_at = null",
            "deleted user with a uid that is not retired",
        ),
        (
            "insert into store.posix_ids (id, uid_owner, asked, issued_at) values (60001, gen_random_uuid(), true, now())",
            "hard reserved",
        ),
        (
            "insert into store.posix_ids (id, uid_owner, asked, issued_at) values (4001, gen_random_uuid(), true, now())",
            "holds no such number",
        ),
        (
            "insert into store.posix_ids (id, gid_owner, asked, issued_at) values (4001, gen_random_uuid(), false, now())",
            "without both sides",
        ),
        (
            "delete from store.posix_group_names where name = 'jane'",
            "private group name missing",
        ),
        (
            "delete from store.posix_group_names where name = 'team'",
            "group name missing",
        ),
        (
            "insert into store.posix_group_names values ('ghost', gen_random_uuid())",
            "held by no one alive",
        ),
        (
            "update store.memberships set group_id = gen_random_uuid()",
            "membership of a group",
        ),
        (
            "update store.memberships set member_id = gen_random_uuid()",
            "membership of a member",
        ),
        ("delete from store.user_emails", "e-mail index differs"),
        (
            "insert into store.user_emails values ('x', gen_random_uuid())",
            "e-mail index of a user",
        ),
        ("delete from store.audit", "without a creation in the audit log"),
    ] {
        let change = owner.transaction().await.unwrap();
        change.batch_execute(damage).await.unwrap();
        let rows = change
            .query("select violation from api.check_invariants()", &[])
            .await
            .unwrap();
        let violations: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(
            violations.iter().any(|violation| violation.contains(found)),
            "{damage}: {violations:?}"
        );
        change.rollback().await.unwrap();
    }
    rollcall.finish().await;
}
