//! More requests at once than a replica can work on.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::Rollcall;
use crate::harness::database::Role;

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
