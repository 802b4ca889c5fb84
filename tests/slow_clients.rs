//! Clients that send or read slowly, or not at all: they are cut off, and nobody waits for them.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::Rollcall;
use crate::harness::wire::Wire;

#[tokio::test]
async fn slow_clients_are_cut_off_and_block_nobody() {
    let rollcall = Rollcall::start_with(&[("header-timeout", "1"), ("request-timeout", "3")]).await;
    let scim = rollcall.scim();
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut wire = Wire::open(&rollcall.service, "api").await;
        wire.send(b"GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\n").await;
        slow.push(wire);
    }
    let mut half = Wire::open(&rollcall.service, "api").await;
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        scim.token()
    );
    half.send(head.as_bytes()).await;
    scim.get("/Users?count=0").await.expect(200);
    let started = Instant::now();
    for wire in slow {
        let _ = wire.read_to_end().await;
    }
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "cut off after {:?}",
        started.elapsed()
    );
    let status = half.status().await;
    assert!(matches!(status, 400 | 408 | 503), "{status}");
    scim.post("/Users", &json!({"userName": "jane"})).await.expect(201);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answers_keeps_no_connection() {
    let rollcall = Rollcall::start_unlimited(&[("header-timeout", "1"), ("max-connections", "1")]).await;
    let scim = rollcall.scim();
    let get = format!(
        "GET /scim/v2/Schemas HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        scim.token()
    );
    let mut deaf = Wire::open(&rollcall.service, "api").await;
    let deaf = tokio::spawn(async move {
        // The answers are far more than the buffers of both ends hold.
        deaf.send(get.repeat(3_000).as_bytes()).await;
        std::future::pending::<()>().await;
        drop(deaf);
    });
    // The only connection is free again once the deaf client has been given up.
    scim.get("/Users?count=0").await.expect(200);
    deaf.abort();
    rollcall.finish().await;
}
