//! A write that the service sends again, because its connection broke before the answer, is carried out once.

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use super::{create_user, options};
use crate::harness::database::{Database, Role};

/// `p_audit` of one write.
fn write() -> Value {
    json!({"actor": "test", "path": "scim", "write": Uuid::now_v7()})
}

/// Gives a user a title if he has this version; his title afterwards, or the SQLSTATE.
async fn retitle(client: &Client, id: Uuid, expected: i64, title: &str, audit: &Value) -> Result<String, String> {
    let draft = json!({"user_name_key": "jane", "key_version": 1, "doc": {"userName": "jane", "title": title},
                       "doc_key": {"userName": "jane", "title": title}, "emails": []});
    let row = client
        .query_one(
            "select doc->>'title', version from api.user_update($1, $2, $3, $4, $5)",
            &[&id, &expected, &draft, &options(&Value::Null), audit],
        )
        .await;
    match row {
        // The document is left out when it is the one that was sent.
        Ok(row) => Ok(row.get::<_, Option<String>>(0).unwrap_or_else(|| title.to_owned())),
        Err(error) => Err(error.code().unwrap().code().to_owned()),
    }
}

async fn title(database: &Database, id: Uuid) -> String {
    let client = database.connect(Role::Superuser).await;
    let sql = "select doc->>'title' from store.users where id = $1";
    client.query_one(sql, &[&id]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_repeated_change_of_a_user_does_not_undo_what_a_rival_wrote_in_between() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let id = Uuid::now_v7();
    create_user(&client, id, "jane", &Value::Null, &options(&Value::Null))
        .await
        .unwrap();
    let mine = write();
    retitle(&client, id, 1, "mine", &mine).await.unwrap();
    retitle(&client, id, 2, "theirs", &write()).await.unwrap();
    retitle(&client, id, 1, "mine", &mine)
        .await
        .expect("the write is known");
    assert_eq!(title(&database, id).await, "theirs");
    let other = retitle(&client, id, 1, "late", &write()).await;
    assert_eq!(
        other,
        Err("IDVER".to_owned()),
        "another write of that version is refused"
    );
    database.finish().await;
}

#[tokio::test]
async fn a_repeated_deletion_succeeds_and_another_finds_nobody() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let id = Uuid::now_v7();
    create_user(&client, id, "jane", &Value::Null, &options(&Value::Null))
        .await
        .unwrap();
    let mine = write();
    let delete = async |audit: Value| {
        let sql = "select api.user_delete($1, null, $2, $3)";
        let done = client.execute(sql, &[&id, &options(&Value::Null), &audit]).await;
        done.map_err(|error| error.code().unwrap().code().to_owned())
    };
    assert!(delete(mine.clone()).await.is_ok());
    assert!(delete(mine).await.is_ok(), "the write is known");
    assert_eq!(delete(write()).await, Err("IDNOF".to_owned()));
    database.finish().await;
}

#[tokio::test]
async fn a_repeated_change_of_members_does_not_bring_back_who_was_removed_in_between() {
    let database = Database::create().await;
    let client = database.connect(Role::App).await;
    let (jane, group) = (Uuid::now_v7(), Uuid::now_v7());
    create_user(&client, jane, "jane", &Value::Null, &options(&Value::Null))
        .await
        .unwrap();
    let draft = json!({"id": group, "display_name_key": "eng", "posix_name_derived": "eng", "key_version": 1,
                       "doc": {"displayName": "eng"}, "doc_key": {"displayName": "eng"}});
    let create = "select gid from api.group_create($1, '{}'::uuid[], $2, $3)";
    client
        .query_one(create, &[&draft, &options(&Value::Null), &write()])
        .await
        .unwrap();
    let change = async |add: Vec<Uuid>, remove: Vec<Uuid>, audit: &Value| {
        let sql = "select id from api.group_update($1, null, null, $2, $3, false, $4, $5)";
        client
            .query_one(sql, &[&group, &add, &remove, &options(&Value::Null), audit])
            .await
            .unwrap();
    };
    let mine = write();
    change(vec![jane], vec![], &mine).await;
    change(vec![], vec![jane], &write()).await;
    change(vec![jane], vec![], &mine).await;
    let owner = database.connect(Role::Superuser).await;
    let members: i64 = owner
        .query_one("select count(*) from store.memberships", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(members, 0);
    database.finish().await;
}

#[tokio::test]
async fn whether_a_write_is_known_is_read_from_the_newest_rows_alone() {
    let database = Database::create().await;
    let mut client = database.connect(Role::Superuser).await;
    let (group, known) = (Uuid::now_v7(), Uuid::now_v7());
    // A directory that is being filled adds members to one group thousands of times within minutes.
    let rows = "insert into store.audit (at, actor, path, action, resource, subject, write, detail)
        select api.now(), 'test', 'scim', 'update', 'group', $1, case when n = 5000 then $2::uuid end, '{}' from generate_series(1, 5000) n";
    client.execute(rows, &[&group, &known]).await.unwrap();
    let transaction = client.transaction().await.unwrap();
    for (write, expected) in [(known, true), (Uuid::now_v7(), false)] {
        let sql = "select store.write_is_known($1, $2)";
        let row = transaction
            .query_one(sql, &[&group, &json!({"write": write})])
            .await
            .unwrap();
        assert_eq!(row.get::<_, bool>(0), expected);
    }
    let sql = "select sum(coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0))::bigint from pg_stat_xact_user_tables
               where schemaname = 'store' and relname like 'audit%'";
    let read: i64 = transaction.query_one(sql, &[]).await.unwrap().get(0);
    assert!(read <= 100, "{read} rows were read for two questions");
    transaction.commit().await.unwrap();
    database.discard().await;
}
