//! `/scim/v2/Users`.

use serde_json::json;

use super::{WORKBENCH, group, user};
use crate::harness::Rollcall;
use crate::harness::database::Role;

#[tokio::test]
async fn a_created_user_has_a_uid_and_can_be_read_again() {
    let rollcall = Rollcall::start_with(&[("user-provisioning-start-uid", "20000")]).await;
    let scim = rollcall.scim();
    let created = scim.post("/Users", &user("jane@example.org")).await.expect(201);
    let location = format!("{}/scim/v2/Users/{}", rollcall.service.url("api"), created.id());
    assert_eq!(created.header("location"), location);
    assert_eq!(created.body["meta"]["location"], location);
    assert_eq!(created.body["meta"]["resourceType"], "User");
    assert_eq!(created.header("etag"), created.body["meta"]["version"]);
    assert_eq!(created.header("content-type"), "application/scim+json");
    let read = scim.get(&format!("/Users/{}", created.id())).await.expect(200);
    assert_eq!(read.body, created.body);
    assert_eq!(read.workbench("posixUserName"), "jane");
    assert_eq!(read.workbench("posixUserId"), 20000);
    assert_eq!(read.workbench("homeDirectory"), "/home/jane");
    rollcall.finish().await;
}

#[tokio::test]
async fn what_a_client_may_not_write_is_ignored_on_creation() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut body = user("jane");
    body["id"] = "mine".into();
    body["meta"] = json!({"version": "W/\"99\"", "created": "2001-01-01T00:00:00Z"});
    body["groups"] = json!([{"value": "x", "display": "wheel"}]);
    body["password"] = "correct horse battery staple".into();
    let created = scim.post("/Users", &body).await.expect(201);
    assert_ne!(created.id(), "mine");
    assert_eq!(created.body["meta"]["version"], "W/\"1\"");
    assert!(created.body["groups"].is_null());
    assert!(created.body["password"].is_null());
    let asked = scim
        .get(&format!("/Users/{}?attributes=password,userName", created.id()))
        .await
        .expect(200);
    assert!(asked.body["password"].is_null(), "never returned, even when asked for");
    let kept = "select count(*) from (select u::text as t from store.users u union all select a::text from store.audit a \
                union all select r::text from store.scim_requests r) x where t like '%correct horse%'";
    assert_eq!(rollcall.number(kept).await, 0, "a password is kept nowhere");
    rollcall.finish().await;
}

#[tokio::test]
async fn put_replaces_attributes_and_leaves_the_posix_identity_alone() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut body = user("jane@example.org");
    body["nickName"] = "Janie".into();
    body["externalId"] = "e-1".into();
    body[WORKBENCH] = json!({"posixUserName": "jdoe", "homeDirectory": "/data/jdoe", "admin": true});
    let created = scim.post("/Users", &body).await.expect(201);
    let path = format!("/Users/{}", created.id());
    let mut replacement = user("jane.doe@example.org");
    replacement["id"] = created.id().into();
    replacement["title"] = "Dr".into();
    let replaced = scim.put(&path, &replacement).await.expect(200);
    assert_eq!(replaced.body["userName"], "jane.doe@example.org");
    assert_eq!(replaced.body["title"], "Dr");
    assert!(replaced.body["nickName"].is_null() && replaced.body["externalId"].is_null());
    for attribute in ["posixUserName", "posixUserId", "homeDirectory", "admin"] {
        assert_eq!(
            replaced.workbench(attribute),
            created.workbench(attribute),
            "{attribute}"
        );
    }
    assert_eq!(replaced.body["meta"]["version"], "W/\"2\"");
    let again = scim.put(&path, &replacement).await.expect(200);
    assert_eq!(
        again.body, replaced.body,
        "the same PUT again changes nothing, not even lastModified"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn put_creates_nothing_and_renames_no_id() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let nobody = "/Users/0190aaaa-0000-7000-8000-000000000001";
    scim.put(nobody, &user("jane")).await.expect_error(404, "");
    scim.put("/Users/not-a-uuid", &user("jane")).await.expect_error(404, "");
    let created = scim.post("/Users", &user("jane")).await.expect(201);
    let mut other = user("jane");
    other["id"] = "0190aaaa-0000-7000-8000-000000000001".into();
    scim.put(&format!("/Users/{}", created.id()), &other)
        .await
        .expect_error(400, "mutability");
    scim.put(&format!("/Users/{}", created.id()), &json!({"schemas": [super::USER]}))
        .await
        .expect_error(400, "invalidValue");
    scim.post("/Users", &user("jack")).await.expect(201);
    scim.put(&format!("/Users/{}", created.id()), &user("JACK"))
        .await
        .expect_error(409, "uniqueness");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_deleted_user_is_gone_from_reads_queries_and_groups() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let jack = scim.post("/Users", &user("jack")).await.expect(201);
    let team = scim
        .post("/Groups", &group("team", &[jane.id(), jack.id()]))
        .await
        .expect(201);
    let team_path = format!("/Groups/{}", team.id());
    let path = format!("/Users/{}", jane.id());
    scim.delete(&path).await.expect(204);
    for answer in [
        scim.get(&path).await,
        scim.delete(&path).await,
        scim.put(&path, &user("jane")).await,
    ] {
        answer.expect_error(404, "");
    }
    scim.patch(&path, &json!([{"op": "replace", "path": "title", "value": "x"}]))
        .await
        .expect_error(404, "");
    let found = scim
        .query("/Users", &[("filter", "userName eq \"jane\"")])
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 0);
    let now = scim.get(&team_path).await.expect(200);
    assert_eq!(now.body["members"].as_array().unwrap().len(), 1);
    assert_ne!(
        now.body["meta"]["version"], team.body["meta"]["version"],
        "the group has changed"
    );
    scim.patch(
        &team_path,
        &json!([{"op": "add", "path": "members", "value": [{"value": jane.id()}]}]),
    )
    .await
    .expect_error(400, "invalidValue");
    scim.post("/Users", &user("jane")).await.expect(201);
    rollcall.finish().await;
}

#[tokio::test]
async fn active_is_the_opposite_of_locked() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut body = user("jane");
    body["active"] = false.into();
    let created = scim.post("/Users", &body).await.expect(201);
    assert_eq!(
        (&created.body["active"], created.workbench("locked")),
        (&json!(false), &json!(true))
    );
    let path = format!("/Users/{}", created.id());
    let on = scim
        .patch(&path, &json!([{"op": "replace", "value": {"active": true}}]))
        .await
        .expect(200);
    assert_eq!(
        (&on.body["active"], on.workbench("locked")),
        (&json!(true), &json!(false))
    );
    rollcall.command(&["user", "lock", "jane"]).succeeded();
    let off = scim.get(&path).await.expect(200);
    assert_eq!(
        (&off.body["active"], off.workbench("locked")),
        (&json!(false), &json!(true))
    );
    let still = scim.put(&path, &user("jane")).await.expect(200);
    assert_eq!(still.body["active"], false, "a PUT that does not say so unlocks nobody");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_second_primary_value_takes_the_place_of_the_first() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut body = user("jane");
    body["emails"] = json!([{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home"}]);
    let created = scim.post("/Users", &body).await.expect(201);
    let path = format!("/Users/{}", created.id());
    let patched = scim
        .patch(
            &path,
            &json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]),
        )
        .await
        .expect(200);
    let primaries: Vec<_> = patched.body["emails"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["primary"] == true)
        .collect();
    assert_eq!(primaries.len(), 1);
    assert_eq!(primaries[0]["value"], "b@x");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_user_lists_his_groups_and_the_list_is_read_only() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let path = format!("/Users/{}", jane.id());
    let team = scim.post("/Groups", &group("Team", &[jane.id()])).await.expect(201);
    let read = scim.get(&path).await.expect(200);
    assert_eq!(read.body["groups"][0]["value"], team.id());
    assert_eq!(read.body["groups"][0]["display"], "Team");
    assert_ne!(
        read.header("etag"),
        jane.header("etag"),
        "a cached copy without the group is stale"
    );
    scim.patch(&path, &json!([{"op": "remove", "path": "groups"}]))
        .await
        .expect_error(400, "mutability");
    rollcall.finish().await;
}

#[tokio::test]
async fn the_brake_stops_a_client_that_deactivates_everybody() {
    let rollcall = Rollcall::start_with(&[("deletion-limit-per-hour", "3")]).await;
    let scim = rollcall.scim();
    let mut paths = Vec::new();
    for n in 0..6 {
        let created = scim.post("/Users", &user(&format!("u{n}"))).await.expect(201);
        paths.push(format!("/Users/{}", created.id()));
    }
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    scim.patch(&paths[0], &off).await.expect(200);
    scim.delete(&paths[1]).await.expect(204);
    scim.patch(&paths[2], &off).await.expect(200);
    for answer in [scim.patch(&paths[3], &off).await, scim.delete(&paths[4]).await] {
        let answer = answer.expect_error(429, "");
        assert!(!answer.header("retry-after").is_empty());
    }
    assert_eq!(scim.get(&paths[3]).await.expect(200).body["active"], true);
    let on = json!([{"op": "replace", "path": "active", "value": true}]);
    scim.patch(&paths[0], &on).await.expect(200);
    rollcall.scim().delete(&paths[5]).await.expect(204);
    let owner = rollcall.database.connect(Role::Superuser).await;
    owner
        .batch_execute("update store.removals set at = at - interval '61 minutes'")
        .await
        .unwrap();
    scim.patch(&paths[3], &off).await.expect(200);
    rollcall.finish().await;
}
