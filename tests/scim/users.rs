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
async fn user_names_that_differ_by_case_or_normalisation_alone_are_one() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    for (first, second) in [
        ("jane@example.org", "JANE@Example.org"),
        ("straße", "STRASSE"),
        ("\u{e9}mile", "E\u{301}mile"),
        (
            "\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}",
            "\u{3c3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c3}",
        ),
    ] {
        let created = scim.post("/Users", &user(first)).await.expect(201);
        assert_eq!(created.body["userName"], first, "stored as sent");
        scim.post("/Users", &user(second)).await.expect_error(409, "uniqueness");
        let filter = format!("userName eq \"{second}\"");
        let found = scim.query("/Users", &[("filter", &filter)]).await.expect(200);
        assert_eq!(found.body["totalResults"], 1, "{second}");
        assert_eq!(found.body["Resources"][0]["id"], created.id());
    }
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
async fn both_spellings_of_workbenchs_attributes_are_read_and_one_is_written() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    for (name, uid, extension) in [
        ("a", 30001, json!({"posixUserName": "alpha", "posixUserId": 30001})),
        ("b", 30002, json!({"posixName": "beta", "posixUid": 30002})),
    ] {
        let mut body = user(name);
        body[WORKBENCH] = extension;
        let created = scim.post("/Users", &body).await.expect(201);
        assert_eq!(created.workbench("posixUserId"), uid);
        assert!(created.workbench("posixUserName").is_string());
        assert!(created.workbench("posixUid").is_null() && created.workbench("posixName").is_null());
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn posix_names_are_derived_or_refused_by_rule() {
    let rollcall = Rollcall::start_with(&[("posix-protected-names", "root,service")]).await;
    let scim = rollcall.scim();
    for (user_name, expected) in [
        ("Jane.Doe@example.org", "jane.doe"),
        ("x", "x"),
        ("_under", "_under"),
        ("with-dash@x", "with-dash"),
    ] {
        let created = scim.post("/Users", &user(user_name)).await.expect(201);
        assert_eq!(created.workbench("posixUserName"), expected);
    }
    for user_name in [
        "1234",
        "José Pérez",
        "o'brien@example.org",
        &"l".repeat(60),
        "日本",
        "@home",
    ] {
        let created = scim.post("/Users", &user(user_name)).await.expect(201);
        let name = created.workbench("posixUserName").as_str().unwrap();
        assert!(name.len() <= 32 && name.contains('-'), "{user_name} became {name}");
        assert!(name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_'), "{name}");
    }
    for (user_name, status) in [
        ("jane.doe@elsewhere.org", 409),
        ("root@example.org", 409),
        ("Service", 409),
    ] {
        scim.post("/Users", &user(user_name))
            .await
            .expect_error(status, "uniqueness");
    }
    for asked in [
        "Upper",
        "with space",
        "1st",
        "a:b",
        "",
        &"l".repeat(33),
        "naïve",
        "a\nb",
    ] {
        let mut body = user("asks-for-a-name");
        body[WORKBENCH] = json!({"posixUserName": asked});
        let answer = scim.post("/Users", &body).await;
        // An empty string is the same as none.
        if asked.is_empty() {
            let id = answer.expect(201).id().to_owned();
            scim.delete(&format!("/Users/{id}")).await.expect(204);
        } else {
            answer.expect_error(400, "invalidValue");
        }
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_taken_name_is_suffixed_when_the_site_says_so_and_never_adopted() {
    let rollcall = Rollcall::start_with(&[("user-provisioning-collision", "suffix")]).await;
    let scim = rollcall.scim();
    let names: Vec<String> = {
        let mut names = Vec::new();
        for domain in ["a", "b", "c"] {
            let created = scim.post("/Users", &user(&format!("jane@{domain}"))).await.expect(201);
            names.push(created.workbench("posixUserName").as_str().unwrap().to_owned());
        }
        names
    };
    assert_eq!(names, ["jane", "jane2", "jane3"]);
    let root = scim.post("/Users", &user("root@a")).await.expect(201);
    assert_eq!(
        root.workbench("posixUserName"),
        "root2",
        "a protected account is not adopted"
    );
    let mut asks = user("other");
    asks[WORKBENCH] = json!({"posixUserName": "jane"});
    scim.post("/Users", &asks).await.expect_error(409, "uniqueness");
    rollcall.finish().await;
}

#[tokio::test]
async fn groups_and_private_groups_share_one_name_space() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Users", &user("jane")).await.expect(201);
    let jane = scim.post("/Groups", &group("jane", &[])).await.expect(201);
    let extension = "urn:rollcall:params:scim:schemas:extension:posix:1.0:Group";
    let name = &jane.body[extension]["posixGroupName"];
    assert_eq!(name, "jane2", "the private group of the user keeps its name");
    scim.post("/Groups", &group("research", &[])).await.expect(201);
    scim.post("/Users", &user("research@x"))
        .await
        .expect_error(409, "uniqueness");
    rollcall.finish().await;
}

#[tokio::test]
async fn the_longest_group_names_still_fit_when_they_are_taken() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    // 254 bytes; the second has the same POSIX name because `:` and `/` both become `_`.
    for end in [":", "/", ","] {
        scim.post("/Groups", &group(&format!("a{}{end}", "é".repeat(126)), &[]))
            .await
            .expect(201);
    }
    let longest = "select max(octet_length(posix_name))::bigint from store.groups";
    assert!(rollcall.number(longest).await <= 255);
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
