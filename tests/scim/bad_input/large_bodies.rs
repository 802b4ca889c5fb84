//! Bodies that are too large, that are many, or that never arrive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::super::{GROUP, group, user};
use super::post;
use crate::harness::Rollcall;
use crate::harness::wire::Wire;

/// How far hostile input may raise the service's memory, in KiB: four large bodies at once (8 MiB each), read and parsed.
const GROWTH: u64 = 160 * 1024;

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_and_many_of_them_cost_bounded_memory() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    scim.post("/Users", &user("jane")).await.expect(201);
    let before = rollcall.service.memory_now();
    let ten: Arc<Vec<u8>> = Arc::new(format!("{{\"displayName\":\"{}\"}}", "x".repeat(10 << 20)).into_bytes());
    let eight: Arc<Vec<u8>> =
        Arc::new(format!("{{\"displayName\":\"g\",\"members\":[{}7]}}", "1,".repeat(4_000_000)).into_bytes());
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..16 {
        let (scim, ten, eight) = (scim.clone(), ten.clone(), eight.clone());
        clients.spawn(async move {
            let (path, body) = match n % 3 {
                0 => ("/Users", ten),
                1 => ("/Groups", ten),
                _ => ("/Groups", eight),
            };
            let request = scim
                .request(Method::POST, path)
                .header("content-type", "application/json")
                .body(body.as_ref().clone())
                .build()
                .unwrap();
            // A service that has said 413 need not read the rest: the client may see the connection end instead.
            match reqwest::Client::new().execute(request).await {
                Ok(answer) => Some(answer.status().as_u16()),
                Err(_) => None,
            }
        });
    }
    while let Some(status) = clients.join_next().await {
        if let Some(status) = status.unwrap() {
            assert!(matches!(status, 400 | 413 | 503), "{status}");
        }
    }
    let grown = rollcall.service.peak_memory().saturating_sub(before);
    assert!(grown < GROWTH, "memory has grown by {grown} KiB");
    let (length, body) = (10 << 20, vec![b' '; 1]);
    for path in ["Users", "Groups", "Bulk"] {
        let mut wire = Wire::open(&rollcall.service, "api").await;
        let head = format!(
            "POST /scim/v2/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            scim.token()
        );
        assert!(wire.send(head.as_bytes()).await && wire.send(&body).await);
        assert_eq!(wire.status().await, 413, "{path}: told from the length alone");
    }
    assert_eq!(scim.get("/Users").await.expect(200).body["totalResults"], 1);
    rollcall.finish().await;
}

#[tokio::test]
async fn large_bodies_that_never_arrive_do_not_keep_the_others_out() {
    let rollcall = Rollcall::start_with(&[("request-timeout", "4"), ("scim-large-bodies-at-once", "2")]).await;
    let scim = rollcall.scim();
    let head = format!(
        "POST /scim/v2/Groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 5000000\r\n\r\n{{",
        scim.token()
    );
    let mut stuck = Vec::new();
    for _ in 0..6 {
        let mut wire = Wire::open(&rollcall.service, "api").await;
        wire.send(head.as_bytes()).await;
        stuck.push(wire);
    }
    scim.post("/Groups", &group("small bodies need no place", &[]))
        .await
        .expect(201);
    let large = json!({"displayName": "large", "schemas": [GROUP], "pad": " ".repeat(2 << 20)});
    let (sent, deadline) = (Instant::now(), Duration::from_secs(15));
    let answer = loop {
        let answer = post(&scim, "/Groups", large.to_string()).await;
        if answer.status != 503 || sent.elapsed() > deadline {
            break answer;
        }
    };
    assert!(
        answer.status < 500,
        "still out after {:?}: {}",
        sent.elapsed(),
        answer.body
    );
    rollcall.finish().await;
}
