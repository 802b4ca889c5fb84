//! `/scim/v2/Users`.

use serde_json::json;

use crate::harness::Rollcall;

#[tokio::test]
async fn a_created_user_has_a_uid_and_can_be_read_again() {
    let rollcall = Rollcall::start_with(&[("user-provisioning-start-uid", "20000")]).await;
    let scim = rollcall.scim();
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane@example.org"});
    let created = scim.post("/Users", &user).await.expect(201);
    let read = scim.get(&format!("/Users/{}", created.id())).await.expect(200);
    assert_eq!(read.body, created.body);
    assert_eq!(read.workbench("posixUserName"), "jane");
    assert_eq!(read.workbench("posixUserId"), 20000);
    rollcall.finish().await;
}
