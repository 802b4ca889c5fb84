//! Media types and encodings other than JSON.

use reqwest::Method;

use super::super::user;
use crate::harness::Rollcall;

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
