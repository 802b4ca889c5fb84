//! Groups of 50,000 members: what they cost must not grow with them.

use std::time::Instant;

use reqwest::Method;
use serde_json::json;

use super::{group, user};
use crate::harness::Rollcall;

/// Members of a large group.
const MEMBERS: u32 = 50_000;

/// How far the service's memory may rise above what it needs for the body it was sent and its parsed form, in KiB; a
/// group that is read into memory as a whole takes more.
const READ_GROWTH: u64 = 12 * 1024;

#[tokio::test]
async fn a_large_group_is_created_read_patched_and_listed_without_being_held_in_memory() {
    let rollcall = Rollcall::start().await;
    let ids = rollcall.database.populate(MEMBERS).await;
    let scim = rollcall.scim();
    let small = scim.post("/Groups", &group("small", &[&ids[0]])).await.expect(201);
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let created = scim
        .post("/Groups?excludedAttributes=members", &group("large", &all))
        .await
        .expect(201);
    let path = format!("/Groups/{}", created.id());

    // The peak of the creation is behind us: what follows is measured from here.
    let before = rollcall.service.memory_now();
    let reset = format!("/proc/{}/clear_refs", rollcall.service.id());
    std::fs::write(reset, "5").unwrap();
    let read = scim.get(&path).await.expect(200);
    let members = read.body["members"].as_array().unwrap();
    assert_eq!(members.len(), ids.len());
    let mut distinct: Vec<&str> = members.iter().map(|member| member["value"].as_str().unwrap()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());

    let newcomer = scim.post("/Users", &user("newcomer")).await.expect(201);
    let add = json!([{"op": "add", "path": "members", "value": [{"value": newcomer.id()}]}]);
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", newcomer.id())}]);
    let mut best = [u128::MAX; 2];
    for _ in 0..5 {
        for (slot, group) in [(0, small.id()), (1, created.id())] {
            let path = format!("/Groups/{group}");
            let started = Instant::now();
            scim.patch(&path, &add).await.expect(204);
            scim.patch(&path, &remove).await.expect(204);
            best[slot] = best[slot].min(started.elapsed().as_micros());
        }
    }
    assert!(
        best[1] < 5 * best[0] + 20_000,
        "a PATCH costs {} µs at 50,000 members and {} µs at one",
        best[1],
        best[0]
    );

    let listed = scim.get("/Groups?excludedAttributes=members").await.expect(200);
    assert_eq!(listed.body["totalResults"], 2);
    let whole = scim.get("/Groups").await.expect(200);
    let sizes: Vec<usize> = whole.body["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["members"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), ids.len() + 1);
    let grown = rollcall.service.peak_memory().saturating_sub(before);
    assert!(grown < READ_GROWTH, "reading has taken {grown} KiB of memory");

    scim.patch(&path, &json!([{"op": "replace", "path": "members", "value": []}]))
        .await
        .expect(204);
    assert!(scim.get(&path).await.expect(200).body["members"].is_null());
    rollcall.finish().await;
}

#[tokio::test]
async fn a_list_without_members_never_touches_the_memberships() {
    let rollcall = Rollcall::start().await;
    let ids = rollcall.database.populate(200).await;
    let scim = rollcall.scim();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let team = scim.post("/Groups", &group("team", &all)).await.expect(201);
    // With the table out of reach, whoever looks at it waits.
    let mut owner = rollcall
        .database
        .connect(crate::harness::database::Role::Superuser)
        .await;
    let lock = owner.transaction().await.unwrap();
    lock.batch_execute("lock table store.memberships in access exclusive mode")
        .await
        .unwrap();
    scim.get("/Groups?excludedAttributes=members").await.expect(200);
    scim.get("/Groups?attributes=displayName").await.expect(200);
    scim.get(&format!("/Groups/{}?excludedAttributes=members", team.id()))
        .await
        .expect(200);
    let found = scim
        .query(
            "/Groups",
            &[("filter", "displayName eq \"team\""), ("excludedAttributes", "members")],
        )
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 1);
    lock.rollback().await.unwrap();
    rollcall.finish().await;
}

#[tokio::test]
async fn more_members_than_one_request_may_carry_are_refused_as_a_whole() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let members: Vec<_> = (0..100_001_u32)
        .map(|n| json!({"value": format!("{n:08}-0000-4000-8000-000000000000")}))
        .collect();
    let body = json!({"schemas": [super::GROUP], "displayName": "huge", "members": members});
    let answer = scim.send(scim.request_with(Method::POST, "/Groups", &body)).await;
    assert!(matches!(answer.status, 400 | 413), "{}: {}", answer.status, answer.body);
    assert_eq!(scim.get("/Groups?count=0").await.body["totalResults"], 0);
    rollcall.finish().await;
}
