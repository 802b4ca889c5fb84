//! Names: what makes two of them one, and how POSIX names come about.

use serde_json::json;

use super::{WORKBENCH, group, user};
use crate::harness::Rollcall;

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
    // 255 bytes; all have the same POSIX name because `:`, `/` and `,` become `_`.
    for end in [":", "/", ","] {
        scim.post("/Groups", &group(&format!("{}{end}", "é".repeat(127)), &[]))
            .await
            .expect(201);
    }
    let longest = "select max(octet_length(posix_name))::bigint from store.groups";
    assert!(rollcall.number(longest).await <= 255);
    rollcall.finish().await;
}
