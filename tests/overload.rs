//! More requests at once than a replica can work on.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::database::{Database, Role};
use crate::harness::service::Service;
use crate::harness::{Rollcall, wait_until};

/// Requests that a replica works on at once, and more that it lets wait, as `src/http/admission.rs` says.
const PLACES: usize = 64;
const WAITING: usize = 512;

/// Requests beyond those.
const TOO_MANY: usize = 100;

/// Longest time until those are refused: a debug build on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_crowd_is_refused_at_once_nodes_do_not_notice_and_it_passes() {
    let rollcall = Rollcall::start_unlimited(&[("database-wait-timeout", "20"), ("request-timeout", "60")]).await;
    let scim = rollcall.scim();
    scim.post("/Users", &json!({"userName": "jane"})).await.expect(201);
    let nss = rollcall.token(&["--scope", "nss-user"]);
    // Lets everybody read and nobody write.
    let lock = rollcall.database.connect(Role::Superuser).await;
    lock.batch_execute("begin; lock table store.users in share mode")
        .await
        .unwrap();
    let mut crowd = JoinSet::new();
    for number in 0..PLACES + WAITING + TOO_MANY {
        let scim = scim.clone();
        crowd.spawn(async move {
            let sent = Instant::now();
            let answer = scim
                .post("/Users", &json!({"userName": format!("crowd{number}")}))
                .await;
            (answer, sent.elapsed())
        });
    }
    for _ in 0..TOO_MANY {
        let (answer, after) = crowd.join_next().await.unwrap().unwrap();
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, "1"),
            "{:?}",
            answer.body
        );
        assert!(after < AT_ONCE, "refused after {after:?}");
    }
    let node = reqwest::Client::new()
        .get(format!("{}/nss/v1/passwd?name=jane", rollcall.service.url("read")))
        .bearer_auth(nss)
        .timeout(AT_ONCE);
    assert_eq!(node.send().await.unwrap().status().as_u16(), 200);
    lock.batch_execute("rollback").await.unwrap();
    while let Some(answered) = crowd.join_next().await {
        let (answer, _) = answered.unwrap();
        assert!(matches!(answer.status, 201 | 503), "{:?}", answer.body);
    }
    scim.post("/Users", &json!({"userName": "late"})).await.expect(201);
    rollcall.finish().await;
}

#[tokio::test]
async fn nodes_have_connections_that_no_write_can_take() {
    let database = Database::create().await;
    let uri = database.uri(Role::App);
    // No standby: nodes read where the writes go.
    let service = Service::start(&[("database-uri", &uri), ("database-pool-size", "2")]);
    let rollcall = Rollcall { database, service };
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &json!({"userName": "jane"})).await.expect(201);
    let nss = rollcall.token(&["--scope", "nss-user"]);
    let lock = rollcall.database.connect(Role::Superuser).await;
    lock.batch_execute("begin; select from store.users for update")
        .await
        .unwrap();
    let mut writers = JoinSet::new();
    for number in 0..8 {
        let (scim, path) = (scim.clone(), format!("/Users/{}", jane.id()));
        let title = json!([{"op": "replace", "path": "title", "value": number.to_string()}]);
        writers.spawn(async move { scim.patch(&path, &title).await });
    }
    let http = reqwest::Client::new();
    wait_until("writes wait for connections", Duration::from_secs(5), async || {
        let metrics = http
            .get(format!("{}/metrics", rollcall.service.url("ops")))
            .send()
            .await;
        let text = metrics.unwrap().text().await.unwrap();
        !text.contains("rollcall_db_pool_waiters{pool=\"primary\"} 0")
    })
    .await;
    for (name, status) in [("jane", 200), ("nobody-knows", 404)] {
        let node = http
            .get(format!("{}/nss/v1/passwd?name={name}", rollcall.service.url("read")))
            .bearer_auth(&nss)
            .send();
        assert_eq!(node.await.unwrap().status().as_u16(), status, "{name}");
    }
    lock.batch_execute("rollback").await.unwrap();
    writers.join_all().await;
    rollcall.finish().await;
}

#[tokio::test]
async fn threads_of_the_api_let_those_of_the_read_listener_go_first() {
    let rollcall = Rollcall::start().await;
    rollcall.scim().get("/Users").await.expect(200);
    let mut seen = [0, 0];
    for task in std::fs::read_dir(format!("/proc/{}/task", rollcall.service.id())).unwrap() {
        let folder = task.unwrap().path();
        let name = std::fs::read_to_string(folder.join("comm")).unwrap();
        let is_api = name.trim() == "api";
        seen[usize::from(is_api)] += 1;
        let expected = nice(Path::new("/proc/self")) + if is_api { 5 } else { 0 };
        assert_eq!(nice(&folder), expected.min(19), "thread {}", name.trim());
    }
    assert!(
        seen.iter().all(|threads| *threads > 0),
        "threads of either kind: {seen:?}"
    );
    rollcall.finish().await;
}

/// The nice value of a process or thread by its folder: the nineteenth field, of which the second is in brackets (`proc_pid_stat`(5)).
fn nice(folder: &Path) -> i64 {
    let stat = std::fs::read_to_string(folder.join("stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap();
    fields.split_whitespace().nth(16).unwrap().parse().unwrap()
}
