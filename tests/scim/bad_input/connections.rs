//! Requests that are no HTTP.

use reqwest::Method;

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
