//! `/scim/v2/Groups`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{group, user};
use crate::harness::Rollcall;
use crate::harness::client::Scim;

/// The ids of a group's members.
async fn members(scim: &Scim, path: &str) -> BTreeSet<String> {
    let read = scim.get(path).await.expect(200);
    let list = read.body["members"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn members_come_and_go_in_every_spelling() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(scim.post("/Users", &user(name)).await.expect(201).id().to_owned());
    }
    let [a, b, c, d] = [&*ids[0], &*ids[1], &*ids[2], &*ids[3]];
    let team = scim.post("/Groups", &group("team", &[a])).await.expect(201);
    let path = format!("/Groups/{}", team.id());
    let steps: Vec<(Value, BTreeSet<String>)> = vec![
        (
            json!({"op": "add", "path": "members", "value": [{"value": b}, {"value": c}]}),
            set(&[a, b, c]),
        ),
        (
            json!({"op": "add", "path": "members", "value": {"value": b}}),
            set(&[a, b, c]),
        ),
        (
            json!({"op": "add", "value": {"members": [{"value": d, "$ref": null, "display": "D"}]}}),
            set(&[a, b, c, d]),
        ),
        (
            json!({"op": "remove", "path": format!("members[value eq \"{d}\"]")}),
            set(&[a, b, c]),
        ),
        (
            json!({"op": "remove", "path": "members", "value": [{"value": c}]}),
            set(&[a, b]),
        ),
        (
            json!({"op": "remove", "path": "members", "value": [{"value": d}]}),
            set(&[a, b]),
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"nobody\"]"}),
            set(&[a, b]),
        ),
        (
            json!({"op": "replace", "path": "members", "value": [{"value": d}]}),
            set(&[d]),
        ),
        (json!({"op": "remove", "path": "members[type eq \"User\"]"}), set(&[])),
        (
            json!({"op": "add", "path": "members", "value": [{"value": a}, {"value": a}]}),
            set(&[a]),
        ),
        (json!({"op": "replace", "path": "members", "value": []}), set(&[])),
        (
            json!({"op": "add", "path": "members", "value": [{"value": a}]}),
            set(&[a]),
        ),
        (json!({"op": "remove", "path": "members"}), set(&[])),
    ];
    for (operation, expected) in steps {
        let answer = scim.patch(&path, &json!([operation])).await.expect(204);
        assert!(answer.body.is_null() && !answer.header("etag").is_empty());
        assert_eq!(members(&scim, &path).await, expected, "{operation}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_filter_on_the_type_sees_those_whom_the_same_request_puts_in() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let inner = scim.post("/Groups", &group("inner", &[])).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[])).await.expect(201);
    let path = format!("/Groups/{}", team.id());
    // What the client says of a member is not what he is.
    let everybody = json!([{"value": jane.id(), "type": "Group"}, {"value": inner.id()}]);
    for (filter, left) in [("type eq \"Group\"", jane.id()), ("type eq \"User\"", inner.id())] {
        let add = json!({"op": "add", "path": "members", "value": everybody});
        let remove = json!({"op": "remove", "path": format!("members[{filter}]")});
        scim.patch(&path, &json!([add, remove])).await.expect(204);
        assert_eq!(members(&scim, &path).await, set(&[left]), "{filter}");
        scim.patch(&path, &json!([{"op": "remove", "path": "members"}]))
            .await
            .expect(204);
    }
    let nobody = json!([
        {"op": "add", "path": "members", "value": [{"value": "0190aaaa-0000-7000-8000-000000000001"}]},
        {"op": "remove", "path": "members[not (type eq \"Group\")]"},
    ]);
    scim.patch(&path, &nobody).await.expect_error(400, "invalidValue");
    rollcall.finish().await;
}

#[tokio::test]
async fn another_spelling_of_an_id_is_not_the_id() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[jane.id()])).await.expect(201);
    let path = format!("/Groups/{}", team.id());
    for other in [
        jane.id().to_uppercase(),
        jane.id().replace('-', ""),
        format!("{{{}}}", jane.id()),
    ] {
        scim.get(&format!("/Users/{other}")).await.expect_error(404, "");
        let add = json!([{"op": "add", "path": "members", "value": [{"value": other}]}]);
        scim.patch(&path, &add).await.expect_error(400, "invalidValue");
        let remove = json!([{"op": "remove", "path": "members", "value": [{"value": other}]}]);
        scim.patch(&path, &remove).await.expect(204);
        assert_eq!(members(&scim, &path).await, set(&[jane.id()]), "{other}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_patch_without_effect_keeps_the_version() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let a = scim.post("/Users", &user("a")).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[a.id()])).await.expect(201);
    let path = format!("/Groups/{}", team.id());
    for operation in [
        json!({"op": "add", "path": "members", "value": [{"value": a.id()}]}),
        json!({"op": "remove", "path": "members[value eq \"0190aaaa-0000-7000-8000-000000000001\"]"}),
        json!({"op": "replace", "path": "displayName", "value": "team"}),
        json!({"op": "replace", "path": "members", "value": [{"value": a.id()}]}),
    ] {
        let answer = scim.patch(&path, &json!([operation])).await.expect(204);
        assert_eq!(answer.header("etag"), team.header("etag"), "{operation}");
    }
    assert_eq!(scim.get(&path).await.expect(200).body, team.body);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_failed_operation_undoes_the_ones_before_it() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let a = scim.post("/Users", &user("a")).await.expect(201);
    let b = scim.post("/Users", &user("b")).await.expect(201);
    let team = scim.post("/Groups", &group("team", &[a.id()])).await.expect(201);
    let path = format!("/Groups/{}", team.id());
    let good = [
        json!({"op": "replace", "path": "displayName", "value": "other"}),
        json!({"op": "add", "path": "members", "value": [{"value": b.id()}]}),
        json!({"op": "remove", "path": format!("members[value eq \"{}\"]", a.id())}),
    ];
    for (bad, status, scim_type) in [
        (
            json!({"op": "add", "path": "members", "value": [{"value": "0190aaaa-0000-7000-8000-000000000001"}]}),
            400,
            "invalidValue",
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"value": "nobody"}]}),
            400,
            "invalidValue",
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"value": team.id()}]}),
            400,
            "invalidValue",
        ),
        (json!({"op": "remove", "path": "displayName"}), 400, "mutability"),
        (json!({"op": "remove"}), 400, "noTarget"),
        (json!({"op": "replace", "path": "id", "value": "x"}), 400, "mutability"),
        (
            json!({"op": "replace", "path": "nonsense", "value": "x"}),
            400,
            "invalidPath",
        ),
        (
            json!({"op": "move", "path": "displayName", "value": "x"}),
            400,
            "invalidSyntax",
        ),
        (
            json!({"op": "replace", "path": "members[value zz \"x\"]", "value": "x"}),
            400,
            "invalidFilter",
        ),
    ] {
        let operations: Vec<&Value> = good.iter().chain([&bad]).collect();
        scim.patch(&path, &json!(operations))
            .await
            .expect_error(status, scim_type);
        assert_eq!(scim.get(&path).await.expect(200).body, team.body, "{bad}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn groups_hold_groups_and_lose_them_when_they_are_deleted() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let a = scim.post("/Users", &user("a")).await.expect(201);
    let inner = scim.post("/Groups", &group("inner", &[a.id()])).await.expect(201);
    let outer = scim
        .post("/Groups", &group("outer", &[inner.id(), a.id()]))
        .await
        .expect(201);
    let path = format!("/Groups/{}", outer.id());
    let read = scim.get(&path).await.expect(200);
    let kinds: BTreeSet<_> = read.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["Group", "User"]));
    let reference = format!("{}/scim/v2/Groups/{}", rollcall.service.url("api"), inner.id());
    assert!(
        read.body["members"]
            .as_array()
            .unwrap()
            .iter()
            .any(|m| m["$ref"] == reference)
    );
    // A circle is legal SCIM and must not trap anybody.
    scim.patch(
        &format!("/Groups/{}", inner.id()),
        &json!([{"op": "add", "path": "members", "value": [{"value": outer.id()}]}]),
    )
    .await
    .expect(204);
    scim.get(&format!("/Users/{}", a.id())).await.expect(200);
    scim.delete(&format!("/Groups/{}", inner.id())).await.expect(204);
    assert_eq!(members(&scim, &path).await, set(&[a.id()]));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_group_name_is_unique_without_case_and_free_again_after_deletion() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let team = scim.post("/Groups", &group("Team", &[])).await.expect(201);
    scim.post("/Groups", &group("TEAM", &[]))
        .await
        .expect_error(409, "uniqueness");
    let other = scim.post("/Groups", &group("other", &[])).await.expect(201);
    scim.put(&format!("/Groups/{}", other.id()), &group("team", &[]))
        .await
        .expect_error(409, "uniqueness");
    scim.delete(&format!("/Groups/{}", team.id())).await.expect(204);
    scim.get(&format!("/Groups/{}", team.id())).await.expect_error(404, "");
    let again = scim.post("/Groups", &group("team", &[])).await.expect(201);
    assert_ne!(again.id(), team.id());
    scim.post("/Groups", &json!({"schemas": [super::GROUP]}))
        .await
        .expect_error(400, "invalidValue");
    rollcall.finish().await;
}

#[tokio::test]
async fn put_makes_the_members_exactly_those_of_the_body() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(scim.post("/Users", &user(name)).await.expect(201).id().to_owned());
    }
    let team = scim
        .post("/Groups", &group("team", &[&ids[0], &ids[1]]))
        .await
        .expect(201);
    let path = format!("/Groups/{}", team.id());
    scim.put(&path, &group("team", &[&ids[1], &ids[2], &ids[2]]))
        .await
        .expect(200);
    assert_eq!(members(&scim, &path).await, set(&[&ids[1], &ids[2]]));
    scim.put(&path, &json!({"schemas": [super::GROUP], "displayName": "team"}))
        .await
        .expect(200);
    assert_eq!(members(&scim, &path).await, set(&[]));
    rollcall.finish().await;
}
