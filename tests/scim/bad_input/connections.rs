//! Requests that are no HTTP, and clients that are slow.

use std::time::{Duration, Instant};

use reqwest::Method;

use super::super::user;
use crate::harness::Rollcall;
use crate::harness::wire::Wire;

#[tokio::test]
async fn heads_of_requests_that_are_no_http_end_the_connection_and_nothing_else() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let many = "x: y\r\n".repeat(5_000);
    for head in [
        "nonsense\r\n\r\n".to_owned(),
        "GET /scim/v2/Users HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
        format!(
            "GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
            "y".repeat(200_000)
        ),
        format!(
            "GET /scim/v2/Users?filter={} HTTP/1.1\r\nhost: x\r\n\r\n",
            "y".repeat(200_000)
        ),
        "GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
        "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        "\u{16}\u{3}\u{1}".to_owned(),
    ] {
        let mut wire = Wire::open(&rollcall.service, "api").await;
        let _ = wire.send(head.as_bytes()).await;
        let _ = wire.send(b"\r\n\r\n").await;
        if let Some(status) = wire.read_to_end().await.get(9..12) {
            assert!(status.starts_with('4'), "{head:.60}: {status}");
        }
    }
    let exactly = (0..70).fold(scim.request(Method::GET, "/Users?count=0"), |request, n| {
        request.header(format!("x-{n}"), "y")
    });
    scim.send(exactly).await.expect(200);
    rollcall.finish().await;
}

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
    scim.post("/Users", &user("jane")).await.expect(201);
    rollcall.finish().await;
}

#[tokio::test]
async fn clients_that_read_nothing_are_cut_off() {
    let rollcall = Rollcall::start_with(&[("request-timeout", "2"), ("max-connections", "3")]).await;
    let asking = async || {
        let mut wire = Wire::open(&rollcall.service, "api").await;
        let many = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
        while wire.send(many.as_bytes()).await {}
    };
    let all = futures_util::future::join_all([asking(), asking(), asking()]);
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("the service ends connections whose clients do not read");
    rollcall.scim().get("/Users?count=0").await.expect(200);
    rollcall.finish().await;
}
