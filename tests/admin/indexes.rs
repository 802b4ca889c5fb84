//! What the pages read is found by indexes, however many users there are.

use super::{signed_in, start};
use crate::harness::database::Role;

#[tokio::test]
async fn no_search_and_no_page_reads_a_whole_table() {
    let rollcall = start().await;
    rollcall.database.populate(20_000).await;
    let mut client = rollcall.database.connect(Role::Superuser).await;
    client.batch_execute("analyze").await.unwrap();
    let nil = "'00000000-0000-0000-0000-000000000000'";
    let mut calls: Vec<String> = [
        "",
        "member-77",
        "member",
        "member 12",
        "member-77@example.org",
        "1000",
        "1",
        "nobody",
        "%",
    ]
    .iter()
    .map(|prefix| format!("api.admin_users_find('{prefix}', '{prefix}', 1, '', {nil}, 51, 2000)"))
    .collect();
    calls.push(format!("api.admin_users_find('1', '1', 5, '100500', {nil}, 51, 2000)"));
    calls.push("api.admin_groups_find('a', 'a', 1, '', 51, 2000)".to_owned());
    calls.push(format!("api.admin_members(gen_random_uuid(), {nil}, 101)"));
    calls.push(format!("api.admin_memberships(gen_random_uuid(), {nil}, 101)"));
    calls.push("api.admin_failed_pushes(50, 5)".to_owned());
    calls.push("api.admin_database()".to_owned());
    for call in calls {
        assert_eq!(
            rows_read_in_sequence(&mut client, &format!("select * from {call}")).await,
            0,
            "{call}"
        );
    }
    let whole = rows_read_in_sequence(&mut client, "select max(home) from store.users").await;
    assert_eq!(whole, 20_001, "what reads a whole table is noticed");
    rollcall.finish().await;
}

/// How many rows of the large tables a statement reads without an index.
async fn rows_read_in_sequence(client: &mut tokio_postgres::Client, statement: &str) -> i64 {
    let transaction = client.transaction().await.unwrap();
    transaction.query(statement, &[]).await.unwrap();
    let read = "select coalesce(sum(seq_tup_read), 0)::bigint from pg_stat_xact_all_tables where schemaname = 'store'
                and relname in ('users', 'user_emails', 'groups', 'posix_group_names', 'memberships')";
    transaction.query_one(read, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_group_of_twenty_thousand_is_shown_a_hundred_at_a_time() {
    let rollcall = start().await;
    rollcall.database.populate(20_000).await;
    rollcall.command(&["group", "add", "all"]).succeeded();
    let client = rollcall.database.connect(Role::Superuser).await;
    let join = "insert into store.memberships select g.id, u.id, false, 1 from store.groups g, store.users u";
    client.batch_execute(join).await.unwrap();
    client.batch_execute("vacuum analyze store.memberships").await.unwrap();
    let group: uuid::Uuid = client
        .query_one("select id from store.groups", &[])
        .await
        .unwrap()
        .get(0);
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let started = std::time::Instant::now();
    let page = ann
        .get(&format!("{}/admin/groups/{group}", rollcall.service.url("api")))
        .await;
    println!("{} bytes in {:?}", page.body.len(), started.elapsed());
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(
        page.body.contains("<dt>Members</dt><dd><bdi>20001</bdi></dd>"),
        "{}",
        page.body
    );
    assert_eq!(page.body.matches("/admin/users/").count(), 100);
    assert!(super::next(&page).is_some());
    rollcall.finish().await;
}

#[tokio::test]
async fn a_search_that_many_match_looks_at_a_bounded_number_and_goes_on_where_it_stopped() {
    let rollcall = start().await;
    rollcall.database.populate(5_000).await;
    let client = rollcall.database.connect(Role::Superuser).await;
    // Everybody's userName begins like his POSIX name, so the second stage has nobody to tell that the first has not told.
    let mut place = (2, String::new(), uuid::Uuid::nil());
    let mut pages = 0;
    loop {
        let sql =
            "select stage, key, id, posix_name from api.admin_users_find('member', 'member', $1, $2, $3, 51, 2000)";
        let rows = client.query(sql, &[&place.0, &place.1, &place.2]).await.unwrap();
        assert!(rows.iter().all(|row| row.get::<_, Option<String>>(3).is_none()));
        let Some(last) = rows.last() else { break };
        place = (last.get(0), last.get(1), last.get(2));
        pages += 1;
    }
    assert_eq!(pages, 7, "5,000 candidates in each of three stages, 2,000 at a time");
    rollcall.finish().await;
}
