//! `OneLogin`, Ping and Canaille.

use reqwest::Method;
use serde_json::json;

use super::Stage;

#[tokio::test]
async fn onelogin_may_send_its_emails_as_an_object_and_others_may_not() {
    let body = json!({"schemas": [super::super::USER], "userName": "one", "emails": {"value": "one@x"}});
    let stage = Stage::set("onelogin").await;
    let created = stage.scim.post("/Users", &body).await.expect(201);
    assert_eq!(created.body["emails"][0]["value"], "one@x");
    let strict = stage.rollcall.scim();
    let mut other = body.clone();
    other["userName"] = "two".into();
    strict.post("/Users", &other).await.expect_error(400, "invalidValue");
    stage.end().await;
}

#[tokio::test]
async fn ping_writes_operators_and_names_in_any_case() {
    let stage = Stage::set("ping").await;
    stage
        .counts(
            "/Users",
            &[("username Eq \"jane@example.com\"", 1), ("USERNAME EQ \"x\"", 0)],
        )
        .await;
    stage.end().await;
}

#[tokio::test]
async fn canaille_escapes_with_plus_and_puts_whole_groups() {
    let stage = Stage::set("strict").await;
    let found = stage
        .scim
        .get("/Users?filter=externalId+eq+%22Ext-Jane%22")
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 1);
    let body = json!({
        "schemas": [super::super::GROUP], "displayName": "Team", "externalId": "team",
        "members": [{"value": "{jane}", "type": "User", "display": "Jane", "$ref": "/Users/{jane}"},
                    {"value": "{jack}", "type": "User", "display": "Jack", "$ref": "/Users/{jack}"}],
    });
    let request = stage
        .scim
        .request(Method::PUT, &stage.fill("/Groups/{team}"))
        .header("content-type", "application/json")
        .header("accept", "*/*")
        .body(stage.fill_body(&body).to_string());
    let replaced = stage.scim.send(request).await.expect(200);
    assert_eq!(replaced.body["members"].as_array().unwrap().len(), 2);
    stage.end().await;
}
