//! Probes, metrics, and the end of a service.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Rollcall;
use crate::harness::database::Role;
use crate::harness::service::Service;
use crate::harness::wait_until;
use crate::harness::wire::Wire;

async fn get(service: &Service, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("{}{path}", service.url("ops"))).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn probes_tell_that_the_replica_may_be_sent_requests() {
    let rollcall = Rollcall::start().await;
    assert_eq!(get(&rollcall.service, "/livez").await.0, 200);
    let (status, body) = get(&rollcall.service, "/readyz").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        (
            &body["ready"],
            &body["database"]["answers"],
            &body["database"]["in_recovery"]
        ),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(
        get(&rollcall.service, "/scim/v2/Users").await.0,
        404,
        "nothing but operations on that listener"
    );
    let api = reqwest::get(format!("{}/metrics", rollcall.service.url("api")))
        .await
        .unwrap();
    assert_eq!(api.status().as_u16(), 404, "metrics are not for clients");
    rollcall.finish().await;
}

#[tokio::test]
async fn metrics_count_what_was_done() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    for _ in 0..3 {
        let _ = scim.post("/Users", &json!({"userName": "jane"})).await;
    }
    scim.query("/Users", &[("filter", "userName zz")]).await.expect(400);
    scim.get("/Users/unknown").await.expect(404);
    let value = async |series: &str| -> u64 {
        let (_, text) = get(&rollcall.service, "/metrics").await;
        let line = text
            .lines()
            .find(|line| line.starts_with(series))
            .unwrap_or_else(|| panic!("no {series} in\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(
        value("rollcall_scim_operations_total{op=\"create\",outcome=\"ok\",resource=\"User\"}").await,
        1
    );
    assert_eq!(
        value("rollcall_scim_operations_total{op=\"create\",outcome=\"refused\",resource=\"User\"}").await,
        2
    );
    assert_eq!(value("rollcall_scim_errors_total{scim_type=\"uniqueness\"}").await, 2);
    assert_eq!(
        value("rollcall_scim_errors_total{scim_type=\"invalidFilter\"}").await,
        1
    );
    assert_eq!(
        value("rollcall_id_allocations_total{kind=\"user\",outcome=\"ok\"}").await,
        1
    );
    assert!(value("rollcall_db_pool_connections_max{pool=\"").await > 0);
    assert!(value("rollcall_build_info{").await > 0);
    assert_eq!(
        value("rollcall_schema_version").await,
        u64::try_from(rollcall::db::migrate::newest()).unwrap()
    );
    wait_until("the headroom is known", Duration::from_secs(5), async || {
        get(&rollcall.service, "/metrics")
            .await
            .1
            .contains("rollcall_id_pool_remaining{pool=\"user\"} 5")
    })
    .await;
    let (_, text) = get(&rollcall.service, "/metrics").await;
    assert!(
        !text.contains("jane") && !text.contains("/Users/unknown"),
        "labels are ours, never the client's"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn a_service_that_is_told_to_stop_finishes_what_it_has_begun() {
    let mut rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut wire = Wire::open(&rollcall.service, "api").await;
    let body = json!({"userName": "jane"}).to_string();
    let (half, rest) = body.split_at(5);
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{half}",
        scim.token(),
        body.len()
    );
    wire.send(head.as_bytes()).await;
    wait_until("the request is being worked on", Duration::from_secs(5), async || {
        get(&rollcall.service, "/metrics")
            .await
            .1
            .contains("rollcall_http_requests_in_flight{listener=\"api\"} 1")
    })
    .await;
    rollcall.service.process().signal("TERM");
    wait_until("no new client gets in", Duration::from_secs(5), async || {
        reqwest::get(format!("{}/livez", rollcall.service.url("ops")))
            .await
            .is_err()
    })
    .await;
    assert!(rollcall.service.is_alive(), "it waits for the request");
    wire.send(rest.as_bytes()).await;
    assert_eq!(wire.status().await, 201);
    let mut code = None;
    wait_until("the service ends", Duration::from_secs(10), async || {
        code = rollcall.service.process().exit_code();
        code.is_some()
    })
    .await;
    assert_eq!(code, Some(0));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_service_that_is_told_to_stop_answers_for_as_long_as_its_notice_and_keeps_no_connection() {
    let mut rollcall = Rollcall::start_with(&[("shutdown-notice", "300")]).await;
    let scim = rollcall.scim();
    rollcall.service.process().signal("TERM");
    wait_until("it says that it is not ready", Duration::from_secs(5), async || {
        get(&rollcall.service, "/readyz").await.0 == 503
    })
    .await;
    let answer = scim.get("/Users").await.expect(200);
    assert_eq!(answer.header("connection"), "close");
    rollcall.service.process().signal("TERM");
    wait_until("it ends", Duration::from_secs(5), async || !rollcall.service.is_alive()).await;
    rollcall.finish().await;
}

#[tokio::test]
async fn a_second_signal_ends_a_service_at_once() {
    let mut rollcall = Rollcall::start_with(&[("shutdown-drain", "60")]).await;
    let scim = rollcall.scim();
    let mut wire = Wire::open(&rollcall.service, "api").await;
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        scim.token()
    );
    wire.send(head.as_bytes()).await;
    wait_until("the request is being worked on", Duration::from_secs(5), async || {
        get(&rollcall.service, "/metrics")
            .await
            .1
            .contains("rollcall_http_requests_in_flight{listener=\"api\"} 1")
    })
    .await;
    rollcall.service.process().signal("TERM");
    wait_until("it drains", Duration::from_secs(5), async || {
        rollcall.service.log().iter().any(|line| line.contains("draining"))
    })
    .await;
    assert!(rollcall.service.is_alive());
    rollcall.service.process().signal("TERM");
    wait_until("it ends", Duration::from_secs(5), async || !rollcall.service.is_alive()).await;
    rollcall.finish().await;
}

#[tokio::test]
async fn settings_that_do_not_fit_stop_the_start_and_say_why() {
    for (settings, words) in [
        (vec![], "database-uri is not set"),
        (
            vec![
                ("database-uri", "host=/nowhere"),
                ("user-provisioning-start-uid", "999"),
            ],
            "user-provisioning-start-uid",
        ),
        (
            vec![
                ("database-uri", "host=/nowhere"),
                ("group-provisioning-start-gid", "10"),
            ],
            "group-provisioning-start-gid",
        ),
        (
            vec![
                ("database-uri", "host=/nowhere"),
                ("user-provisioning-start-uid", "5000"),
                ("user-provisioning-max-uid", "4000"),
            ],
            "the pool would be empty",
        ),
        (
            vec![("database-uri", "host=/nowhere"), ("listen", "0.0.0.0:0")],
            "public-url",
        ),
        (
            vec![
                ("data-dir", "/nowhere"),
                ("listen", "0.0.0.0:0"),
                ("public-url", "https://x"),
            ],
            "not a loopback address",
        ),
        (
            vec![("database-uri", "host=/nowhere"), ("data-dir", "/nowhere")],
            "exclude each other",
        ),
        (
            vec![("database-uri", "host=/nowhere"), ("posix-user-name-rule", "[a-")],
            "posix-user-name-rule",
        ),
        (
            vec![("database-uri", "host=/nowhere"), ("tls-cert-file", "/x")],
            "tls-key-file",
        ),
    ] {
        let log = Service::try_start(&settings).map(|_| ()).unwrap_err();
        assert!(log.contains(words), "{settings:?}: {log}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_is_in_flight_no_longer() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&[]);
    let mut superuser = rollcall.database.connect(Role::Superuser).await;
    let lock = superuser.transaction().await.unwrap();
    lock.batch_execute("lock table store.users").await.unwrap();
    let body = r#"{"userName":"jane"}"#;
    let request = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut wire = Wire::open(&rollcall.service, "api").await;
    assert!(wire.send(request.as_bytes()).await);
    let in_flight = async || -> bool {
        let (_, text) = get(&rollcall.service, "/metrics").await;
        text.contains("rollcall_http_requests_in_flight{listener=\"api\"} 1")
    };
    wait_until("the request is in flight", Duration::from_secs(20), in_flight).await;
    drop(wire);
    wait_until("it is not any more", Duration::from_secs(20), async || {
        !in_flight().await
    })
    .await;
    lock.rollback().await.unwrap();
    rollcall.finish().await;
}
