//! Many nodes at the same place of the change feed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Rollcall, wait_until};

/// Nodes that ask at once.
const NODES: usize = 300;

async fn ask(rollcall: &Rollcall, client: &reqwest::Client, token: &str, path: &str) -> Value {
    let url = format!("{}/nss/v1{path}", rollcall.service.url("read"));
    let answer = client.get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// How often the database was asked what has changed.
async fn questions(rollcall: &Rollcall) -> u64 {
    let url = format!("{}/metrics", rollcall.service.url("ops"));
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| {
        let count = line.strip_prefix("rollcall_db_query_duration_seconds_count{op=\"nss_changes\"} ")?;
        count.parse().ok()
    });
    line.unwrap_or(0)
}

#[tokio::test]
async fn nodes_at_the_same_place_share_what_the_database_tells_and_hear_of_a_change_in_time() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let client = reqwest::Client::new();
    let cursor = ask(&rollcall, &client, &token, "/snapshot").await["cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/changes?since={cursor}");
    let (before, began) = (questions(&rollcall).await, Instant::now());
    let asking = (0..NODES).map(|_| ask(&rollcall, &client, &token, &path));
    let told = futures_util::future::join_all(asking).await;
    let asked = questions(&rollcall).await - before;
    // One in each tenth of a second, and what begins and ends within one.
    let most = u64::try_from(began.elapsed().as_millis() / 100).unwrap() + 2;
    assert!(asked <= most, "{asked} questions to the database, {most} at most");
    assert!(told.iter().all(|answer| answer["changes"] == json!([])), "{told:?}");

    rollcall
        .scim()
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201);
    wait_until("the change is told", Duration::from_secs(2), async || {
        ask(&rollcall, &client, &token, &path).await["changes"]
            .as_array()
            .is_some_and(|changes| changes.iter().any(|change| change["user"]["name"] == "jane"))
    })
    .await;
    rollcall.finish().await;
}
