//! What keeps an operator from a mistake: questions, consequences, the brake.

use std::time::Duration;

use serde_json::json;

use crate::harness::command::run;
use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};

#[tokio::test]
async fn a_deletion_says_what_follows_and_needs_a_yes() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "jane", "--uid", "4242"]).succeeded();
    rollcall.command(&["group", "add", "lab"]).succeeded();
    rollcall.command(&["group", "add-member", "lab", "jane"]).succeeded();
    let refused = rollcall.command(&["user", "delete", "jane"]);
    assert_eq!(refused.code, 3);
    for words in [
        "uid 4242",
        "never given again",
        "1 groups (lab)",
        "/home/jane",
        "90 days",
        "--yes",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    rollcall.command(&["user", "show", "jane"]).succeeded();
    rollcall.command(&["user", "delete", "jane", "--yes"]).succeeded();
    assert_eq!(rollcall.command(&["user", "show", "jane"]).code, 3);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_rename_and_a_new_uid_say_whose_files_are_whose() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "jane", "--uid", "4242"]).succeeded();
    let told = |arguments: &[&str], words: &[&str]| {
        let refused = rollcall.command(arguments);
        assert_eq!(refused.code, 3);
        for words in words {
            assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        }
        rollcall
            .command(&[arguments, &["--yes", "--output", "json"]].concat())
            .succeeded()
            .json()
    };
    let renamed = told(
        &["user", "rename", "jane", "jdoe"],
        &[
            "uid 4242",
            "home stays /home/jane",
            "his own group, gid 4242, is called so too",
            "no node has asked",
        ],
    );
    assert_eq!(
        (&renamed["posixUserName"], &renamed["uid"]),
        (&"jdoe".into(), &4242.into())
    );
    let numbered = told(
        &["user", "set-uid", "jdoe", "5000"],
        &["chown", "-uid 4242", "never 4242 again"],
    );
    assert_eq!((&numbered["uid"], &numbered["gid"]), (&5000.into(), &4242.into()));
    assert_eq!(rollcall.command(&["user", "rename", "jdoe", "root", "--yes"]).code, 3);
    rollcall.command(&["user", "add", "eve", "--uid", "4300"]).succeeded();
    for (arguments, reason) in [
        (["user", "rename", "jdoe", "root"], "protected"),
        (["user", "rename", "jdoe", "eve"], "in use"),
        (["user", "set-uid", "jdoe", "4300"], "4300"),
        (["user", "set-uid", "jdoe", "10"], "reserved"),
    ] {
        let refused = rollcall.command(&arguments);
        assert_eq!(refused.code, 3);
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
        assert!(!refused.stderr.contains("--yes"), "nobody is asked: {}", refused.stderr);
    }
    let history = rollcall
        .command(&["audit", "--user", "jdoe", "--output", "json"])
        .succeeded();
    assert_eq!(
        history.json().as_array().unwrap().len(),
        3,
        "what was only tried left nothing: {}",
        history.stdout
    );
    assert_eq!(
        rollcall.command(&["user", "set-uid", "jdoe", "4242", "--yes"]).code,
        3,
        "retired"
    );
    rollcall.finish().await;
}

/// Whoever confirms has seen the user as he was then.
#[tokio::test]
async fn a_rename_and_a_new_uid_refuse_a_user_whom_somebody_changes_meanwhile() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "jane", "--uid", "4242"]).succeeded();
    let mut somebody = rollcall.database.connect(Role::Superuser).await;
    for arguments in [
        ["user", "rename", "jane", "jdoe", "--yes"],
        ["user", "set-uid", "jane", "5000", "--yes"],
    ] {
        let change = somebody.transaction().await.unwrap();
        change
            .batch_execute("update store.users set version = version + 1")
            .await
            .unwrap();
        let uri = rollcall.database.uri(Role::App);
        let waiting = tokio::task::spawn_blocking(move || run(&arguments, &[("ROLLCALL_DATABASE_URI", &uri)]));
        let waits =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        wait_until("it waits for the row", Duration::from_secs(20), async || {
            rollcall.number(waits).await > 0
        })
        .await;
        change.commit().await.unwrap();
        let refused = waiting.await.unwrap();
        assert_eq!(refused.code, 3);
        assert!(
            refused.stderr.contains("changed this user meanwhile"),
            "{}",
            refused.stderr
        );
    }
    let jane = rollcall.command(&["user", "show", "jane", "--output", "json"]);
    assert_eq!(jane.succeeded().json()["uid"], 4242);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_user_whom_a_provider_has_written_is_deleted_by_force_alone() {
    let rollcall = Rollcall::start().await;
    rollcall
        .scim()
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201);
    rollcall.command(&["user", "add", "joe"]).succeeded();
    let refused = rollcall.command(&["user", "delete", "jane", "--yes"]);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    rollcall
        .command(&["user", "delete", "jane", "--yes", "--force"])
        .succeeded();
    rollcall.command(&["user", "delete", "joe", "--yes"]).succeeded();
    rollcall.finish().await;
}

#[tokio::test]
async fn a_brake_that_was_not_released_is_restored_without_a_trace() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["token", "generate", "okta"]).succeeded();
    let lines = async || {
        rollcall
            .number("select count(*) from store.audit where resource = 'brake'")
            .await
    };
    rollcall.command(&["brake", "restore", "okta"]).succeeded();
    assert_eq!(lines().await, 0);
    rollcall
        .command(&["brake", "release", "okta", "--limit", "5"])
        .succeeded();
    rollcall.command(&["brake", "restore", "okta"]).succeeded();
    rollcall.command(&["brake", "restore", "okta"]).succeeded();
    assert_eq!(lines().await, 2);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_released_brake_lets_more_through_and_holds_again() {
    let rollcall = Rollcall::start_with(&[("deletion-limit-per-hour", "1")]).await;
    let scim = rollcall.scim();
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(
            scim.post("/Users", &json!({"userName": name}))
                .await
                .expect(201)
                .id()
                .to_owned(),
        );
    }
    let path = |number: usize| format!("/Users/{}", ids[number]);
    scim.delete(&path(0)).await.expect(204);
    scim.delete(&path(1)).await.expect(429);
    let tokens = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json();
    let token = tokens[0]["id"].as_str().unwrap().to_owned();
    rollcall
        .command(&["brake", "release", &token, "--limit", "2", "--minutes", "30"])
        .succeeded();
    scim.delete(&path(1)).await.expect(204);
    scim.delete(&path(2)).await.expect(429);
    let shown = rollcall
        .command(&["brake", "show", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&shown["actors"][0]["removals"], &shown["actors"][0]["override_limit"]),
        (&2.into(), &2.into())
    );
    rollcall
        .command(&["brake", "release", &token, "--limit", "0"])
        .succeeded();
    scim.delete(&path(2)).await.expect(204);
    let owner = rollcall
        .database
        .connect(crate::harness::database::Role::Superuser)
        .await;
    owner
        .batch_execute("update store.brake_overrides set until = now() - interval '1 second'")
        .await
        .unwrap();
    scim.delete(&path(3)).await.expect(429);
    assert_eq!(
        rollcall
            .command(&["brake", "release", &token, "--limit", "1", "--minutes", "1441"])
            .code,
        2
    );
    rollcall.command(&["brake", "restore", &token]).succeeded();
    rollcall.finish().await;
}

#[tokio::test]
async fn a_deletion_names_and_retires_no_gid_of_somebody_else() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "anna", "--uid", "4242"]).succeeded();
    let file = std::env::temp_dir().join(format!("rollcall-bob-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, "bob:x:4300:4242:Bob:/home/bob:/bin/sh\n").unwrap();
    rollcall
        .command(&["user", "import", "--format", "passwd", file.to_str().unwrap()])
        .succeeded();
    std::fs::remove_file(file).unwrap();
    let asked = rollcall.command(&["user", "delete", "bob"]).stderr;
    assert!(
        asked.contains("uid 4300 is retired") && asked.contains("gid 4242 is not his own"),
        "{asked}"
    );
    let retired = |name: &str| {
        let answer = rollcall
            .command(&["user", "delete", name, "--yes", "--output", "json"])
            .succeeded()
            .json();
        let detail = rollcall
            .command(&["audit", "--user", name, "--action", "delete", "--output", "json"])
            .succeeded()
            .json()[0]["detail"]["gid"]
            .clone();
        (answer["retired_gid"].clone(), detail)
    };
    assert_eq!(retired("bob"), (json!(null), json!(null)));
    assert_eq!(retired("anna"), (json!(4242), json!(4242)));
    rollcall.finish().await;
}

#[tokio::test]
async fn the_brake_is_released_for_tokens_that_are_valid_and_holds_without_a_limit_for_all() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    rollcall.command(&["token", "generate", "gone"]).succeeded();
    rollcall.command(&["token", "revoke", "gone"]).succeeded();
    for token in ["nope", "gone", "token:nope"] {
        for arguments in [
            &["brake", "release", token, "--limit", "1"][..],
            &["brake", "restore", token],
        ] {
            let refused = rollcall.command(arguments);
            assert_eq!(refused.code, 3, "{arguments:?}");
            assert!(refused.stderr.contains("no valid token"), "{}", refused.stderr);
        }
    }
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let user = scim.post("/Users", &json!({"userName": name})).await.expect(201);
        ids.push(user.id().to_owned());
    }
    let tokens = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json();
    let token = tokens[0]["name"].as_str().unwrap().to_owned();
    rollcall
        .command(&["brake", "release", &token, "--limit", "1"])
        .succeeded();
    scim.delete(&format!("/Users/{}", ids[0])).await.expect(204);
    scim.delete(&format!("/Users/{}", ids[1])).await.expect(429);
    rollcall.command(&["brake", "restore", &token]).succeeded();
    scim.delete(&format!("/Users/{}", ids[1])).await.expect(204);
    scim.delete(&format!("/Users/{}", ids[2])).await.expect(204);
    rollcall.finish().await;
}

#[tokio::test]
async fn what_is_removed_without_a_limit_is_counted_too() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let user = scim.post("/Users", &json!({"userName": name})).await.expect(201);
        ids.push(user.id().to_owned());
    }
    scim.delete(&format!("/Users/{}", ids[0])).await.expect(204);
    rollcall.command(&["user", "lock", "b"]).succeeded();
    rollcall.command(&["user", "lock", "b"]).succeeded();
    let lock = json!([{"op": "replace", "path": "active", "value": false}]);
    scim.patch(&format!("/Users/{}", ids[2]), &lock).await.expect(200);
    let shown = rollcall
        .command(&["brake", "show", "--output", "json"])
        .succeeded()
        .json();
    let counted = |kind: &str| {
        let actors = shown["actors"].as_array().unwrap().iter();
        let mut of_kind = actors.filter(|actor| actor["actor"].as_str().unwrap().starts_with(kind));
        of_kind.next().unwrap()["removals"].clone()
    };
    assert_eq!(shown["deletion-limit-per-hour"], 0);
    assert_eq!((counted("token:"), counted("os:")), (json!(2), json!(1)), "{shown}");
    rollcall.finish().await;
}
