//! While no primary answers, SCIM reads come from the standby that has replayed most.

use std::time::Duration;

use serde_json::json;

use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};
use crate::harness::rollcall::UNLIMITED;
use crate::harness::service::Service;
use crate::harness::wait_until;

const SOON: Duration = Duration::from_secs(20);

/// Whether a server knows this user.
async fn knows(postgres: &Postgres, name: &str) -> bool {
    let client = postgres.connect(SUPERUSER, TEMPLATE).await;
    let sql = "select exists (select from store.users where user_name_key = $1)";
    client.query_one(sql, &[&name]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_standby_that_lags_is_not_asked_whatever_its_place_in_the_connection_string() {
    let mut primary = Postgres::synced();
    let (slow, mut fresh) = (primary.standby(), primary.standby());
    let uri = primary.uri("rollcall_app", TEMPLATE);
    let made = run(
        &["token", "generate", "t", "--output", "json"],
        &[("ROLLCALL_DATABASE_URI", &uri)],
    );
    let token = made.succeeded().json()["token"].as_str().unwrap().to_owned();
    let services = [(&slow, &fresh), (&fresh, &slow)].map(|(first, second)| {
        let (first, second) = (first.sockets().display(), second.sockets().display());
        let standbys = format!("host={first},{second} user=rollcall_read dbname={TEMPLATE}");
        let settings = [("database-uri", uri.as_str()), ("database-read-uri", &standbys)];
        Service::start(&[&UNLIMITED[..], &settings].concat())
    });
    let clients = services.each_ref().map(|service| Rollcall::scim_at(service, &token));
    clients[0]
        .post("/Users", &json!({"userName": "first"}))
        .await
        .expect(201);
    wait_until("both have the first user", SOON, async || {
        knows(&slow, "first").await && knows(&fresh, "first").await
    })
    .await;
    let pause = slow.connect(SUPERUSER, TEMPLATE).await;
    pause.execute("select pg_wal_replay_pause()", &[]).await.unwrap();
    clients[0]
        .post("/Users", &json!({"userName": "last"}))
        .await
        .expect(201);
    wait_until("one has the last user", SOON, async || knows(&fresh, "last").await).await;
    assert!(!knows(&slow, "last").await);
    primary.kill();
    for client in &clients {
        let filter = [("filter", "userName eq \"last\"")];
        wait_until("a standby answers", SOON, async || {
            client.query("/Users", &filter).await.status == 200
        })
        .await;
        for _ in 0..20 {
            let found = client.query("/Users", &filter).await.expect(200);
            assert!(found.header("warning").starts_with("110"), "it says that it may be old");
            assert_eq!(found.body["totalResults"], 1, "the freshest standby answers");
        }
    }
    for service in &services {
        let metrics = reqwest::get(format!("{}/metrics", service.url("ops"))).await.unwrap();
        let text = metrics.text().await.unwrap();
        let idle = "rollcall_db_pool_connections{pool=\"freshest\",state=\"idle\"} ";
        let held = text.lines().find_map(|line| line.strip_prefix(idle));
        assert!(
            held.is_some_and(|held| held != "0"),
            "its connections are counted: {held:?}"
        );
    }
    fresh.kill();
    for client in &clients {
        let found = client
            .query("/Users", &[("filter", "userName eq \"first\"")])
            .await
            .expect(200);
        assert_eq!(found.body["totalResults"], 1, "the other one answers");
    }
    pause.execute("select pg_wal_replay_resume()", &[]).await.unwrap();
}
