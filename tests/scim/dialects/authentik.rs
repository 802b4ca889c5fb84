//! authentik.

use serde_json::{Value, json};

use super::Stage;

#[tokio::test]
async fn authentik_reads_the_configuration_and_adopts_what_is_there() {
    let stage = Stage::set("authentik").await;
    let config = stage.scim.get("/ServiceProviderConfig").await.expect(200);
    assert!(
        config.body["bulk"]["maxOperations"].is_u64(),
        "its PATCH chunks have that size"
    );
    let body = json!({"schemas": [super::super::USER], "userName": "jane@example.com", "externalId": "ak", "active": true,
                      "emails": [{"primary": true, "type": "other", "value": "jane@example.com"}]});
    stage.scim.post("/Users", &body).await.expect_error(409, "uniqueness");
    stage.counts("/Users", &[("userName eq \"jane@example.com\"", 1)]).await;
    let adopted = stage.scim.put(&stage.fill("/Users/{jane}"), &body).await.expect(200);
    assert_eq!(adopted.body["externalId"], "ak");
    stage
        .scim
        .put("/Users/0190aaaa-0000-7000-8000-000000000001", &body)
        .await
        .expect_error(404, "");
    stage.end().await;
}

#[tokio::test]
async fn authentik_adds_one_member_per_operation_and_updates_without_a_path() {
    let stage = Stage::set("authentik").await;
    let add = |id: &str| json!({"op": "add", "path": "members", "value": [{"value": id}]});
    stage
        .patches(
            "/Groups/{team}",
            &[
                (json!([add("{jane}"), add("{jack}")]), "/members/1/type", json!("User")),
                (
                    json!([{"op": "replace", "value": {"schemas": [super::super::GROUP], "id": "{team}", "externalId": "ak", "displayName": "Renamed"}}]),
                    "/displayName",
                    json!("Renamed"),
                ),
                (
                    json!([{"op": "remove", "path": "members", "value": [{"value": "{jane}"}]},
                           {"op": "remove", "path": "members", "value": [{"value": "{jack}"}]}]),
                    "/members",
                    Value::Null,
                ),
            ],
        )
        .await;
    stage.end().await;
}

#[tokio::test]
async fn authentik_discovers_groups_page_after_page_until_one_is_empty() {
    let stage = Stage::set("authentik").await;
    let mut start = 1;
    let mut seen = 0;
    loop {
        let page = stage.scim.get(&format!("/Groups?startIndex={start}")).await.expect(200);
        let count = page.body["Resources"].as_array().unwrap().len();
        if count == 0 {
            break;
        }
        seen += count;
        start += count;
    }
    assert_eq!(seen, 1);
    stage.end().await;
}
