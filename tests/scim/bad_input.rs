//! What no well-behaved client sends: a precise error, nothing changed, the service alive, its memory bounded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{WORKBENCH, user};
use crate::harness::Rollcall;
use crate::harness::client::{Answer, Scim};
use crate::harness::wire::Wire;

/// How far hostile input may raise the service's memory, in KiB: four large bodies at once (8 MiB each), read and parsed.
const GROWTH: u64 = 160 * 1024;

async fn post(scim: &Scim, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = scim
        .request(Method::POST, path)
        .header("content-type", "application/scim+json")
        .body(body);
    scim.send(request).await
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_are_refused_precisely() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    let before = rollcall.number("select count(*) from store.change_feed").await;
    let nested = |levels: usize, open: &str, close: &str| {
        format!(
            "{{\"schemas\":[\"{}\"],\"userName\":\"deep\",\"name\":{}{}}}",
            super::USER,
            open.repeat(levels),
            close.repeat(levels)
        )
    };
    let bodies: Vec<(Vec<u8>, u16, &str)> = vec![
        (b"".to_vec(), 400, "invalidSyntax"),
        (b"{".to_vec(), 400, "invalidSyntax"),
        (b"null".to_vec(), 400, "invalidSyntax"),
        (b"[]".to_vec(), 400, "invalidSyntax"),
        (b"\"userName\"".to_vec(), 400, "invalidSyntax"),
        (b"{\"userName\":\"a\"} trailing".to_vec(), 400, "invalidSyntax"),
        (b"{\"userName\":\"a\xff\"}".to_vec(), 400, "invalidSyntax"),
        (b"\xef\xbb\xbf{\"userName\":\"a\"}".to_vec(), 400, "invalidSyntax"),
        (b"{\"userName\":\"a\0\"}".to_vec(), 400, "invalidSyntax"),
        (b"{\"userName\":\"a\\u0000b\"}".to_vec(), 400, "invalidValue"),
        (
            b"{\"userName\":\"a\",\"title\":\"a\\u0000b\"}".to_vec(),
            400,
            "invalidValue",
        ),
        (b"{\"userName\":\"\\ud800\"}".to_vec(), 400, "invalidSyntax"),
        (nested(10_000, "[", "]").into_bytes(), 400, "invalidSyntax"),
        (nested(10_000, "{\"a\":", "1}").into_bytes(), 400, "invalidSyntax"),
        (b"{\"userName\":7}".to_vec(), 400, "invalidValue"),
        (b"{\"userName\":\"a\",\"emails\":\"x\"}".to_vec(), 400, "invalidValue"),
        (b"{\"userName\":\"a\",\"active\":1e400}".to_vec(), 400, "invalidSyntax"),
        (
            b"{\"userName\":\"a\",\"schemas\":[\"urn:none\"]}".to_vec(),
            400,
            "invalidSyntax",
        ),
        (
            format!("{{\"userName\":\"{}\"}}", "n".repeat(300)).into_bytes(),
            400,
            "invalidValue",
        ),
        (
            format!("{{\"userName\":\"a\",\"title\":\"{}\"}}", "n".repeat(70_000)).into_bytes(),
            400,
            "invalidValue",
        ),
        (
            format!("{{\"userName\":\"a\",\"externalId\":\"{}\"}}", "n".repeat(2_000)).into_bytes(),
            400,
            "invalidValue",
        ),
    ];
    for (body, status, scim_type) in bodies {
        let shown: String = String::from_utf8_lossy(&body).chars().take(60).collect();
        let answer = post(&scim, "/Users", body).await;
        assert_eq!(
            (answer.status, answer.body["scimType"].as_str()),
            (status, Some(scim_type)),
            "{shown}: {}",
            answer.body
        );
        assert_eq!(answer.body["status"], status.to_string(), "{shown}");
    }
    assert_eq!(
        rollcall.number("select count(*) from store.change_feed").await,
        before,
        "nothing has changed"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn values_that_no_attribute_takes_are_refused_precisely() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    for uid in [
        json!(1.5),
        json!(-1),
        json!(u64::MAX),
        json!("x"),
        json!(1e300),
        json!(true),
        json!([1]),
    ] {
        let mut body = user("a");
        body[WORKBENCH] = json!({"posixUserId": uid});
        post(&scim, "/Users", body.to_string())
            .await
            .expect_error(400, "invalidValue");
    }
    for name in [" a", "a ", "a\tb", "a\u{200b}b", "a\u{202e}b", "a\nb", "\u{feff}a"] {
        post(&scim, "/Users", user(name).to_string())
            .await
            .expect_error(400, "invalidValue");
    }
    for body in [
        json!({"displayName": ""}),
        json!({"displayName": 1}),
        json!({"displayName": "g".repeat(300)}),
        json!({"displayName": "g", "members": [{"value": 7}]}),
        json!({"displayName": "g", "members": ["x"]}),
    ] {
        let answer = post(&scim, "/Groups", body.to_string()).await;
        assert_eq!(answer.status, 400, "{body:.80}: {}", answer.body);
    }
    assert_eq!(rollcall.number("select count(*) from store.change_feed").await, 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn media_types_other_than_json_are_refused() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let body = user("jane").to_string();
    for (name, value, status) in [
        ("content-type", "text/plain", 415),
        ("content-type", "application/xml", 415),
        ("content-type", "application/json; charset=latin1", 415),
        ("content-type", "", 415),
        ("content-type", "application/x-www-form-urlencoded", 415),
        ("accept", "text/html", 406),
        ("accept", "application/scim+json;q=0", 406),
    ] {
        let mut request = scim
            .request(Method::POST, "/Users")
            .body(body.clone())
            .header(name, value);
        if name != "content-type" {
            request = request.header("content-type", "application/json");
        }
        scim.send(request).await.expect_error(status, "");
    }
    let zipped = scim
        .request_with(Method::POST, "/Users", &user("jane"))
        .header("content-encoding", "gzip");
    scim.send(zipped).await.expect_error(415, "");
    for accept in [
        "*/*",
        "application/json",
        "application/*",
        "text/html, application/scim+json;q=0.5",
        "",
    ] {
        let request = scim.request(Method::GET, "/Users?count=0").header("accept", accept);
        scim.send(request).await.expect(200);
    }
    rollcall.finish().await;
}

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
    scim.post("/Groups", &super::group("small bodies need no place", &[]))
        .await
        .expect(201);
    let large = json!({"displayName": "large", "schemas": [super::GROUP], "pad": " ".repeat(2 << 20)});
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

#[tokio::test]
async fn random_operations_and_paths_never_make_a_server_error() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let team = scim
        .post("/Groups", &super::group("team", &[jane.id()]))
        .await
        .expect(201);
    let paths = [
        "",
        "emails",
        "emails[]",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "members",
        "members[value eq \"x\"].type",
        "name",
        "name.givenName",
        "schemas",
        "meta",
        "id",
        "active",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "userName.x",
        "x[y eq 1]",
        "emails.value",
        WORKBENCH,
        "displayName",
        "groups",
        "\u{0}",
        "emails[type eq \"work\" and",
        "password",
        "roles",
        "externalId",
    ];
    let values = [
        Value::Null,
        json!(""),
        json!([]),
        json!({}),
        json!(1),
        json!(-1.5e300),
        json!(true),
        json!("x"),
        json!([null]),
        json!([[]]),
        json!([{"value": {}}]),
        json!({"value": [1]}),
        json!([{"value": "x", "primary": "yes"}]),
        json!({"emails": {"emails": 1}}),
        json!({"": ""}),
        json!({"a.b.c": 1}),
        json!("\u{1}"),
    ];
    for resource in [format!("/Users/{}", jane.id()), format!("/Groups/{}", team.id())] {
        for op in ["add", "replace", "remove", "Move"] {
            for path in paths {
                let operations: Vec<Value> = values
                    .iter()
                    .map(|value| json!({"op": op, "path": path, "value": value}))
                    .collect();
                // One after the other in requests of their own, several at a time.
                let answers = operations
                    .iter()
                    .map(async |operation| scim.patch(&resource, &json!([operation])).await.status);
                for (operation, status) in operations.iter().zip(futures_util::future::join_all(answers).await) {
                    assert!(status < 500, "{resource} {operation}: {status}");
                }
            }
        }
    }
    rollcall.finish().await;
}
