//! Users who come before their primary groups, and groups that are somebody's primary one.

use super::desk::Desk;
use crate::harness::Rollcall;
use crate::harness::rollcall::UNLIMITED;

#[tokio::test]
async fn a_primary_gid_is_kept_until_its_group_comes() {
    let desk = Desk::open().await;
    // The first numbers of both pools.
    let users = desk.file(
        "passwd",
        "st:x:25040:1000::/home/st:/bin/sh\nsu:x:25041:1001::/home/su:/bin/sh\n",
    );
    desk.imported("user", "passwd", &users);
    for (what, name) in [("group", "first"), ("user", "nu"), ("group", "second"), ("user", "nv")] {
        let made = desk
            .rollcall(&[what, "add", name, "--output", "json"])
            .succeeded()
            .json();
        let number = made["gid"].as_i64().unwrap();
        assert!(number > 1001, "{name} has {number}, which is somebody's primary gid");
    }
    assert_eq!(
        warnings(&desk),
        ["2 users have a primary gid that is no group's: nodes show its number"]
    );
    let groups = desk.file("group", "crew:x:1000:\nsales:x:1001:\n");
    assert_eq!(desk.imported("group", "group", &groups)["created"], 2);
    assert!(warnings(&desk).is_empty());
    desk.close().await;
}

/// What `doctor` finds about primary groups.
fn warnings(desk: &Desk) -> Vec<String> {
    let report = desk
        .rollcall(&["doctor", "--scope", "service", "--output", "json"])
        .json();
    let findings = report.as_array().or_else(|| report["findings"].as_array()).unwrap();
    let about = findings.iter().filter(|finding| finding["check"] == "primary groups");
    about
        .map(|finding| finding["evidence"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_group_that_is_somebodys_primary_group_is_deleted_by_force_alone() {
    let desk = Desk::open().await;
    desk.imported("group", "group", &desk.file("group", "crew:x:30010:\n"));
    let users: Vec<String> = (0..7)
        .map(|n| format!("u{n}:x:3200{n}:30010::/home/u{n}:/bin/sh\n"))
        .collect();
    desk.imported("user", "passwd", &desk.file("passwd", users.concat()));
    let unasked = desk.rollcall(&["group", "delete", "crew"]);
    assert_eq!(unasked.code, 3);
    assert!(unasked.stderr.contains("primary group of u0"), "{}", unasked.stderr);
    let refused = desk.rollcall(&["group", "delete", "crew", "--yes"]);
    assert_eq!(refused.code, 3);
    assert!(
        refused
            .stderr
            .contains("primary group of u0, u1, u2, u3, u4 and others"),
        "{}",
        refused.stderr
    );
    let asked = desk.rollcall(&["group", "delete", "crew", "--force"]);
    assert!(asked.stderr.contains("primary gid of u0, u1"), "{}", asked.stderr);
    desk.rollcall(&["group", "delete", "crew", "--yes", "--force"])
        .succeeded();
    assert_eq!(warnings(&desk).len(), 1, "their gid has no group now");
    desk.close().await;
}

#[tokio::test]
async fn an_identity_provider_cannot_delete_a_primary_group() {
    let desk = Desk::open().await;
    desk.imported("group", "group", &desk.file("group", "crew:x:30010:\n"));
    desk.imported(
        "user",
        "passwd",
        &desk.file("passwd", "st:x:25040:30010::/home/st:/bin/sh\n"),
    );
    let made = desk
        .rollcall(&["token", "generate", "t", "--output", "json"])
        .succeeded();
    let service = Rollcall::replica(&desk.database, &UNLIMITED);
    let scim = Rollcall::scim_at(&service, made.json()["token"].as_str().unwrap());
    let found = scim.get("/Groups").await.expect(200);
    let path = format!("/Groups/{}", found.body["Resources"][0]["id"].as_str().unwrap());
    let refused = scim.delete(&path).await.expect(409);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("primary group of st"), "{detail}");
    scim.get(&path).await.expect(200);
    desk.rollcall(&["user", "delete", "st", "--yes"]).succeeded();
    scim.delete(&path).await.expect(204);
    drop(service);
    desk.close().await;
}

#[tokio::test]
async fn a_group_is_deleted_or_becomes_somebodys_primary_group_but_never_both() {
    let desk = Desk::open().await;
    for round in 0..6 {
        let (name, gid) = (format!("race{round}"), 31_000 + round);
        let gid_text = gid.to_string();
        desk.rollcall(&["group", "add", &name, "--gid", &gid_text]).succeeded();
        let line = format!("rider{round}:x:{}:{gid}::/home/r:/bin/sh\n", 26_000 + round);
        let file = desk.file(&name, line);
        let (imported, deleted) = std::thread::scope(|scope| {
            let import = scope.spawn(|| desk.rollcall(&["user", "import", "--format", "passwd", &file]).code);
            let delete = scope.spawn(|| desk.rollcall(&["group", "delete", &name, "--yes"]).code);
            (import.join().unwrap(), delete.join().unwrap())
        });
        assert!(
            (imported == 0) != (deleted == 0),
            "import {imported}, deletion {deleted}"
        );
    }
    assert_eq!(warnings(&desk).len(), 0);
    desk.close().await;
}
