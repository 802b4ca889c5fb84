//! `POST /Bulk` (RFC 7644 §3.7).

use serde_json::{Value, json};

use super::{group, user};
use crate::harness::Rollcall;
use crate::harness::client::{Answer, Scim};

async fn bulk(scim: &Scim, fail_on_errors: Option<u32>, operations: Value) -> Answer {
    let mut body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    if let Some(limit) = fail_on_errors {
        body["failOnErrors"] = limit.into();
    }
    scim.post("/Bulk", &body).await
}

fn statuses(answer: &Answer) -> Vec<&str> {
    let operations = answer.body["Operations"].as_array().unwrap();
    operations
        .iter()
        .map(|operation| operation["status"].as_str().unwrap())
        .collect()
}

/// The path of what an operation of the answer was about.
fn path(rollcall: &Rollcall, operation: &Value) -> String {
    let base = format!("{}/scim/v2", rollcall.service.url("api"));
    let location = operation["location"]
        .as_str()
        .unwrap_or_else(|| panic!("no location in {operation}"));
    location.strip_prefix(&base).unwrap().to_owned()
}

#[tokio::test]
async fn forward_references_and_every_method_work_in_one_request() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let doomed = scim.post("/Users", &user("doomed")).await.expect(201);
    let changed = scim.post("/Users", &user("changed")).await.expect(201);
    let answer = bulk(
        &scim,
        None,
        json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("team", &["bulkId:u", changed.id()])},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("new")},
            {"method": "DELETE", "path": format!("/Users/{}", doomed.id())},
            {"method": "PATCH", "path": format!("/Users/{}", changed.id()), "data":
                {"Operations": [{"op": "replace", "path": "title", "value": "Dr"}]}},
            {"method": "PUT", "path": format!("/Users/{}", changed.id()), "data": user("changed2")},
        ]),
    )
    .await
    .expect(200);
    assert_eq!(statuses(&answer), ["201", "201", "204", "200", "200"]);
    let operations = answer.body["Operations"].as_array().unwrap();
    assert_eq!(operations[0]["bulkId"], "g");
    let team = scim.get(&path(&rollcall, &operations[0])).await.expect(200);
    let new = scim.get(&path(&rollcall, &operations[1])).await.expect(200);
    let values: Vec<&Value> = team.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["value"])
        .collect();
    assert!(values.contains(&&new.body["id"]) && values.len() == 2);
    assert_eq!(operations[0]["version"], team.body["meta"]["version"]);
    scim.get(&format!("/Users/{}", doomed.id())).await.expect(404);
    assert_eq!(
        scim.get(&format!("/Users/{}", changed.id())).await.body["userName"],
        "changed2"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn groups_may_refer_to_each_other_in_a_circle() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let answer = bulk(
        &scim,
        None,
        json!([
            {"method": "POST", "path": "/Groups", "bulkId": "a", "data": group("a", &["bulkId:b"])},
            {"method": "POST", "path": "/Groups", "bulkId": "b", "data": group("b", &["bulkId:a"])},
        ]),
    )
    .await
    .expect(200);
    assert_eq!(statuses(&answer), ["201", "201"], "{}", answer.body);
    let operations = answer.body["Operations"].as_array().unwrap();
    let a = scim.get(&path(&rollcall, &operations[0])).await.expect(200);
    let b = scim.get(&path(&rollcall, &operations[1])).await.expect(200);
    assert_eq!(a.body["members"][0]["value"], b.body["id"]);
    assert_eq!(b.body["members"][0]["value"], a.body["id"]);
    assert_eq!(operations[0]["version"], a.body["meta"]["version"]);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_circle_of_which_one_part_fails_leaves_nothing_behind() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Groups", &group("taken", &[])).await.expect(201);
    let post = |id: &str, name: &str, other: &str| json!({"method": "POST", "path": "/Groups", "bulkId": id, "data": group(name, &[other])});
    for operations in [
        json!([post("a", "taken", "bulkId:b"), post("b", "fresh", "bulkId:a")]),
        json!([post("a", "fresh", "bulkId:b"), post("b", "taken", "bulkId:a")]),
    ] {
        let answer = bulk(&scim, None, operations).await.expect(200);
        assert_eq!(statuses(&answer), ["409", "409"], "{}", answer.body);
        let left = scim.get("/Groups?attributes=displayName").await.expect(200);
        assert_eq!(left.body["totalResults"], 1, "{}", left.body);
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn the_request_stops_after_as_many_failures_as_it_allows() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Users", &user("taken")).await.expect(201);
    let taken = |id: &str| json!({"method": "POST", "path": "/Users", "bulkId": id, "data": user("taken")});
    let fresh = |id: &str| json!({"method": "POST", "path": "/Users", "bulkId": id, "data": user(id)});
    let all = json!([fresh("a"), taken("x"), fresh("b"), taken("y"), fresh("c")]);
    let stopped = bulk(&scim, Some(1), all.clone()).await.expect(200);
    assert_eq!(statuses(&stopped), ["201", "409"]);
    let error = &stopped.body["Operations"][1]["response"];
    assert_eq!(
        (error["status"].as_str(), error["scimType"].as_str()),
        (Some("409"), Some("uniqueness"))
    );
    let found = scim
        .query("/Users", &[("filter", "userName eq \"b\" or userName eq \"c\"")])
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 0);
    let went_on = bulk(&scim, None, all).await.expect(200);
    assert_eq!(statuses(&went_on), ["409", "409", "201", "409", "201"]);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_reference_to_nothing_or_to_a_failure_is_a_conflict() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Users", &user("taken")).await.expect(201);
    let answer = bulk(
        &scim,
        None,
        json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("g", &["bulkId:nowhere"])},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("taken")},
            {"method": "POST", "path": "/Groups", "bulkId": "h", "data": group("h", &["bulkId:u"])},
            {"method": "POST", "path": "/Users", "bulkId": "ok", "data": user("ok")},
        ]),
    )
    .await
    .expect(200);
    assert_eq!(statuses(&answer), ["409", "409", "409", "201"]);
    assert_eq!(
        scim.get("/Groups?count=0").await.body["totalResults"],
        0,
        "no half-made group is left"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn versions_guard_single_operations() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &user("jane")).await.expect(201);
    let path = format!("/Users/{}", jane.id());
    let patch = |version: &str, title: &str| {
        json!({"method": "PATCH", "path": path, "version": version,
               "data": {"Operations": [{"op": "replace", "path": "title", "value": title}]}})
    };
    let answer = bulk(
        &scim,
        None,
        json!([
            patch("W/\"9\"", "no"),
            patch("W/\"1\"", "yes"),
            patch("W/\"1\"", "late")
        ]),
    )
    .await;
    assert_eq!(statuses(&answer), ["412", "200", "412"]);
    assert_eq!(scim.get(&path).await.body["title"], "yes");
    rollcall.finish().await;
}

#[tokio::test]
async fn what_is_no_bulk_request_is_refused_as_a_whole() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let create = json!({"method": "POST", "path": "/Users", "bulkId": "a", "data": user("a")});
    let too_many: Vec<&Value> = std::iter::repeat_n(&create, 1_001).collect();
    bulk(&scim, None, json!(too_many)).await.expect_error(413, "");
    for operations in [json!([]), json!("x"), Value::Null] {
        bulk(&scim, None, operations).await.expect_error(400, "invalidSyntax");
    }
    let odd = bulk(
        &scim,
        None,
        json!([
            {"method": "GET", "path": "/Users"},
            {"method": "POST", "path": "/Elsewhere", "bulkId": "b", "data": {}},
            {"method": "POST", "path": "/Users", "data": user("no-bulk-id")},
            {"method": "PUT", "path": "/Users"},
            {"method": "DELETE", "path": "/Users/0190aaaa-0000-7000-8000-000000000001"},
            7,
            create,
        ]),
    )
    .await
    .expect(200);
    let list = statuses(&odd);
    assert_eq!(list.len(), 7, "{}", odd.body);
    assert!(
        list[..6]
            .iter()
            .all(|status| matches!(*status, "400" | "404" | "405" | "501")),
        "{list:?}"
    );
    assert_eq!(list[6], "201");
    rollcall.finish().await;
}
