//! UIDs and GIDs over HTTP: the answers that the rules of the allocator become.

use serde_json::json;

use super::{WORKBENCH, group, user};
use crate::harness::Rollcall;

#[tokio::test]
async fn a_used_up_pool_is_507_and_changes_nothing() {
    let limits = [
        ("user-provisioning-start-uid", "20000"),
        ("user-provisioning-max-uid", "20001"),
        ("group-provisioning-start-gid", "30000"),
        ("group-provisioning-max-gid", "30000"),
    ];
    let rollcall = Rollcall::start_with(&limits).await;
    let scim = rollcall.scim();
    for name in ["a", "b"] {
        scim.post("/Users", &user(name)).await.expect(201);
    }
    let refused = scim.post("/Users", &user("c")).await.expect_error(507, "");
    assert!(
        refused.body["detail"].as_str().unwrap().contains("20001"),
        "{}",
        refused.body
    );
    scim.post("/Groups", &group("x", &[])).await.expect(201);
    scim.post("/Groups", &group("y", &[])).await.expect_error(507, "");
    assert_eq!(scim.get("/Users?count=0").await.body["totalResults"], 2);
    assert_eq!(rollcall.number("select count(*) from store.posix_ids").await, 3);
    let mut explicit = user("c");
    explicit[WORKBENCH] = json!({"posixUserId": 25000});
    scim.post("/Users", &explicit).await.expect(201);
    rollcall.finish().await;
}

#[tokio::test]
async fn numbers_asked_for_are_honoured_or_refused_with_the_reason() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let ask = async |name: &str, uid: i64| {
        let mut body = user(name);
        body[WORKBENCH] = json!({"posixUserId": uid});
        scim.post("/Users", &body).await
    };
    assert_eq!(ask("a", 31_000).await.expect(201).workbench("posixUserId"), 31_000);
    assert_eq!(
        ask("b", 70_000).await.expect(201).workbench("posixUserId"),
        70_000,
        "a soft block"
    );
    for (uid, word) in [
        (31_000, "in use"),
        (999, "reserved"),
        (65_534, "reserved"),
        (2_147_483_647, "reserved"),
    ] {
        let refused = ask("c", uid).await.expect_error(409, "uniqueness");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(word) && detail.contains("posixUserId"), "{detail}");
    }
    for uid in [-1, 4_294_967_295, i64::MAX] {
        ask("c", uid).await.expect_error(400, "invalidValue");
    }
    let extension = "urn:rollcall:params:scim:schemas:extension:posix:1.0:Group";
    let mut team = group("team", &[]);
    team[extension] = json!({"posixGroupId": 32_000, "posixGroupName": "team_posix"});
    let created = scim.post("/Groups", &team).await.expect(201);
    assert_eq!(
        created.body[extension],
        json!({"posixGroupName": "team_posix", "posixGroupId": 32_000})
    );
    let mut rival = group("rival", &[]);
    rival[extension] = json!({"posixGroupId": 32_000});
    scim.post("/Groups", &rival).await.expect_error(409, "uniqueness");
    rival[extension] = json!({"posixGroupName": "team_posix"});
    scim.post("/Groups", &rival).await.expect_error(409, "uniqueness");
    rival[extension] = json!({"posixGroupName": "a:b"});
    scim.post("/Groups", &rival).await.expect_error(400, "invalidValue");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_person_who_comes_back_gets_his_numbers_back_under_a_new_id() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut body = user("jane@example.org");
    body["externalId"] = "E-1".into();
    let first = scim.post("/Users", &body).await.expect(201);
    scim.delete(&format!("/Users/{}", first.id())).await.expect(204);
    let other = scim.post("/Users", &user("somebody")).await.expect(201);
    assert_ne!(other.workbench("posixUserId"), first.workbench("posixUserId"));
    body["userName"] = "JANE@example.org".into();
    let again = scim.post("/Users", &body).await.expect(201);
    assert_eq!(again.workbench("posixUserId"), first.workbench("posixUserId"));
    assert_eq!(again.workbench("homeDirectory"), first.workbench("homeDirectory"));
    assert_ne!(again.id(), first.id());
    assert_eq!(again.body["active"], true);
    rollcall.finish().await;
}
