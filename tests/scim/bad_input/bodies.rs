//! Bodies and values that are not what they should be.

use serde_json::json;

use super::super::{USER, WORKBENCH, user};
use super::post;
use crate::harness::Rollcall;

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_are_refused_precisely() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    let before = rollcall.number("select count(*) from store.change_feed").await;
    let nested = |levels: usize, open: &str, close: &str| {
        format!(
            "{{\"schemas\":[\"{}\"],\"userName\":\"deep\",\"name\":{}{}}}",
            USER,
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
