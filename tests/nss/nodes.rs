//! Which nodes ask, and what is said of them to whoever changes a name or a uid.

use std::time::Duration;

use serde_json::json;
use tokio_postgres::error::SqlState;

use crate::harness::database::{Database, Role};
use crate::harness::service::Service;
use crate::harness::{Rollcall, wait_until};

#[tokio::test]
async fn nodes_are_listed_with_the_time_that_each_may_show_what_was() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let client = reqwest::Client::new();
    let url = format!("{}/nss/v1/passwd?name=nobody-here", rollcall.service.url("read"));
    for (announced, token) in [
        ("follows.example; feed", token.as_str()),
        ("keeps.example; cache-ttl=30", &token),
        ("keeps-longer.example; cache-ttl=300", &token),
        ("both.example; feed", &token),
        ("both.example; cache-ttl=5", &token),
        ("\u{1b}[2J; feed", &token),
        ("stranger.example; feed", "rc_unknown.secret"),
    ] {
        let value = reqwest::header::HeaderValue::from_bytes(announced.as_bytes());
        let Ok(value) = value else { continue };
        client
            .get(&url)
            .bearer_auth(token)
            .header("Rollcall-Node", value)
            .send()
            .await
            .unwrap();
    }
    let list = async || {
        rollcall
            .command(&["nss-conf", "nodes", "--output", "json"])
            .succeeded()
            .json()
    };
    wait_until("the nodes are noted", Duration::from_secs(20), async || {
        list().await.as_array().is_some_and(|nodes| nodes.len() >= 5)
    })
    .await;
    let nodes = list().await;
    let told: Vec<_> = nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            (
                &node["name"],
                &node["follows_feed"],
                &node["cache_ttl_s"],
                &node["outdated_for_s"],
                &node["seen_from"],
            )
        })
        .map(|told| json!(told))
        .collect();
    assert_eq!(
        told,
        [
            json!(["both.example", true, null, null, "127.0.0.1"]),
            json!(["both.example", false, 5, 5, "127.0.0.1"]),
            json!(["follows.example", true, null, null, "127.0.0.1"]),
            json!(["keeps-longer.example", false, 300, 60, "127.0.0.1"]),
            json!(["keeps.example", false, 30, 30, "127.0.0.1"]),
        ]
    );
    rollcall.command(&["user", "add", "jane"]).succeeded();
    for change in [["user", "rename", "jane", "jdoe"], ["user", "set-uid", "jane", "5000"]] {
        let asked = rollcall.command(&change);
        assert_eq!(asked.code, 3);
        for words in [
            "follows.example within seconds",
            "keeps.example after about 30 s",
            "keeps-longer.example after about 60 s",
        ] {
            assert!(asked.stderr.contains(words), "{words}: {}", asked.stderr);
        }
    }
    rollcall.finish().await;
}

/// As in the chart, or with the database's role `read` at the primary too.
#[tokio::test]
async fn nodes_of_replicas_of_role_read_are_listed_where_these_know_the_primary() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let standby = rollcall.database.uri(Role::Read);
    let replica = |name: &str, primary: Option<Role>| {
        let primary = primary.map(|role| rollcall.database.uri(role));
        let mut settings = vec![("role", "read"), ("database-read-uri", standby.as_str())];
        settings.extend(primary.as_deref().map(|uri| ("database-uri", uri)));
        (Service::start(&settings), format!("{name}; feed"))
    };
    let mut replicas = [
        replica("of-app", Some(Role::App)),
        replica("of-read", Some(Role::Read)),
        replica("of-none", None),
    ];
    for (service, announced) in &replicas {
        let url = format!("{}/nss/v1/passwd?name=nobody-here", service.url("read"));
        let request = reqwest::Client::new().get(url).bearer_auth(&token);
        request.header("Rollcall-Node", announced).send().await.unwrap();
    }
    for (service, _) in &mut replicas {
        // Whoever ends writes what waits.
        assert_eq!(service.stop(Duration::from_secs(20)).await, 0);
    }
    let nodes = rollcall.command(&["nss-conf", "nodes", "--output", "json"]).succeeded();
    let names: Vec<_> = nodes
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].clone())
        .collect();
    assert_eq!(names, ["of-app", "of-read"]);
    let reader = rollcall.database.connect(Role::Read).await;
    for write in ["select api.token_touch(null)", "delete from store.nodes"] {
        reader.batch_execute("begin read write").await.unwrap();
        let refused = reader.batch_execute(write).await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{write}");
        reader.batch_execute("rollback").await.unwrap();
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn nodes_are_forgotten_after_a_week_and_invented_names_do_not_fill_the_table() {
    let database = Database::create().await;
    let client = database.connect(Role::Superuser).await;
    let note = "select api.nodes_note($1::text::jsonb)";
    let names = async || {
        let rows = client
            .query("select name, cache_ttl_s from api.node_list()", &[])
            .await
            .unwrap();
        rows.iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect::<Vec<(String, Option<i32>)>>()
    };
    let sight =
        |name: &str, ttl: Option<i32>, at: &str| json!({"name": name, "cache_ttl_s": ttl, "at": at, "from": "::1"});
    let now: String = client.query_one("select api.now()::text", &[]).await.unwrap().get(0);
    let batch = json!([sight("new", None, &now), sight("old", Some(60), "2020-01-01T00:00:00Z")]);
    client.execute(note, &[&batch.to_string()]).await.unwrap();
    assert_eq!(names().await, [("new".to_owned(), None)]);
    client.execute("select api.maintain('{}')", &[]).await.unwrap();
    let count = "select count(*) from store.nodes";
    assert_eq!(client.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 1);

    let fill = "insert into store.nodes (name, cache_ttl_s, seen_at, seen_from)
                  select 'n' || n, 10, api.now() - interval '1 hour', '::1' from generate_series(2, 20000) n";
    client.execute(fill, &[]).await.unwrap();
    let batch = json!([sight("one-more", None, &now), sight("n2", Some(20), &now)]);
    client.execute(note, &[&batch.to_string()]).await.unwrap();
    assert_eq!(client.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 20000);
    assert!(names().await.contains(&("n2".to_owned(), Some(20))));
    // A replica that writes late does not undo what a faster one has written.
    let late = json!([sight("n2", Some(30), "2020-01-01T00:00:00Z")]);
    client.execute(note, &[&late.to_string()]).await.unwrap();
    assert!(names().await.contains(&("n2".to_owned(), Some(20))));
    database.finish().await;
}
