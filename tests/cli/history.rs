//! `rollcall audit`, `scim log` and `user history`: filters, forms, following.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::Rollcall;
use crate::harness::children::{mortal, start};
use crate::harness::command::{ROLLCALL, run, without_settings};
use crate::harness::wait_until;

/// Until when a request must be in the log.
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

#[tokio::test]
async fn one_time_line_tells_what_happened_to_a_user_whichever_way_it_came() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let jane = scim
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201)
        .id()
        .to_owned();
    scim.post("/Users", &json!({"userName": "jane"})).await.expect(409);
    scim.post("/Groups", &json!({"displayName": "lab", "members": [{"value": jane}]}))
        .await
        .expect(201);
    let nonsense = json!([{"op": "replace", "path": "nonsense", "value": 1}]);
    scim.patch(&format!("/Users/{jane}"), &nonsense).await.expect(400);
    rollcall.command(&["user", "lock", "jane"]).succeeded();
    rollcall
        .command(&["user", "delete", "jane", "--yes", "--force"])
        .succeeded();
    let history = async || {
        let list = rollcall
            .command(&["user", "history", "jane", "--output", "json"])
            .succeeded()
            .json();
        list.as_array().unwrap().clone()
    };
    // Refused requests reach the log a moment later.
    wait_until("the refused request is in the time line", SOON, async || {
        history().await.iter().any(|entry| entry["what"] == "PATCH 400")
    })
    .await;
    let entries = history().await;
    let told: Vec<String> = entries
        .iter()
        .map(|entry| {
            format!(
                "{} {}",
                entry["source"].as_str().unwrap(),
                entry["what"].as_str().unwrap()
            )
        })
        .collect();
    for what in [
        "scim create user",
        "scim joins group lab",
        "scim PATCH 400",
        "cli lock user",
        "cli delete user",
    ] {
        assert!(told.iter().any(|line| line == what), "{what} in {told:?}");
    }
    let times: Vec<&str> = entries.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(rollcall.command(&["user", "history", "nobody"]).code, 3);
    rollcall.finish().await;
}

#[tokio::test]
async fn filters_narrow_and_csv_can_be_read() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Users", &json!({"userName": "jane"})).await.expect(201);
    scim.post("/Users", &json!({"userName": "jane"})).await.expect(409);
    rollcall.command(&["user", "add", "jack"]).succeeded();
    let count = |arguments: &[&str]| {
        let list: Value = rollcall
            .command(&[arguments, &["--output", "json"]].concat())
            .succeeded()
            .json();
        list.as_array().unwrap().len()
    };
    assert_eq!(
        count(&["audit", "--action", "create", "--path", "cli"]),
        2,
        "a token and jack"
    );
    assert_eq!(count(&["audit", "--user", "jane"]), 1);
    let token = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json()[0]["name"]
        .clone();
    assert_eq!(count(&["audit", "--token", token.as_str().unwrap()]), 1, "jane");
    assert_eq!(count(&["audit", "--since", "2100-01-01T00:00:00Z"]), 0);
    assert_eq!(count(&["audit", "--until", "2000-01-01T00:00:00Z"]), 0);
    assert_eq!(count(&["audit", "--since", "2100-01-01"]), 0);
    assert_eq!(count(&["audit", "--until", "2100-01-01", "--user", "jane"]), 1);
    assert_eq!(rollcall.command(&["audit", "--since", "yesterday"]).code, 2);
    wait_until("the refused request is noted", SOON, async || {
        count(&["scim", "log", "--status", "409"]) == 1
    })
    .await;
    assert_eq!(count(&["scim", "log", "--failed"]), 1);
    assert_eq!(
        count(&["scim", "log", "--succeeded"]) + 1,
        count(&["scim", "log", "--limit", "1000"])
    );
    assert_eq!(count(&["scim", "log", "--status", "201"]), 1);
    let csv = rollcall
        .command(&["audit", "--user", "jane", "--output", "csv"])
        .succeeded()
        .stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "TIME,ACTOR,PATH,ACTION,SUBJECT,REQUEST,DETAIL");
    assert!(
        lines[1].contains(",scim,create user,") && lines[1].contains("\"{\"\"gid\"\""),
        "{csv}"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn a_followed_log_tells_what_comes() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "early"]).succeeded();
    let mut command = mortal(ROLLCALL);
    without_settings(&mut command)
        .args(["audit", "--follow", "--action", "create", "--output", "json"])
        .envs(rollcall.database.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut follower = start(command);
    let stdout = follower.pipes().stdout.take().unwrap();
    let (lines, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let entry: Value = serde_json::from_str(&line).unwrap();
            let _ = lines.send(entry["detail"]["posix_name"].as_str().unwrap_or_default().to_owned());
        }
    });
    let next = || told.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!(next(), "early");
    rollcall.command(&["user", "add", "late"]).succeeded();
    assert_eq!(next(), "late");
    follower.kill();
    rollcall.finish().await;
}

#[tokio::test]
async fn the_actor_of_a_command_is_who_the_kernel_says_whatever_the_environment_claims() {
    let rollcall = Rollcall::start().await;
    let mut environment = rollcall.database.environment();
    for name in ["SUDO_USER", "USER", "LOGNAME"] {
        environment.push((name, "ghost".to_owned()));
    }
    environment.push(("SUDO_UID", "4711".to_owned()));
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    run(&["user", "add", "jane"], &environment).succeeded();
    let me = std::process::Command::new("id").arg("-run").output().unwrap();
    let me = String::from_utf8(me.stdout).unwrap();
    let list = rollcall
        .command(&["audit", "--user", "jane", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&list[0]["actor"], &list[0]["origin"]),
        (&json!(format!("os:{}", me.trim())), &json!("sudo-uid:4711"))
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn every_way_that_the_audit_log_shows_can_be_asked_for() {
    let rollcall = Rollcall::start().await;
    for path in ["scim", "login", "cli", "import", "bootstrap", "web", "service"] {
        rollcall.command(&["audit", "--path", path]).succeeded();
    }
    assert_eq!(rollcall.command(&["audit", "--path", "nonsense"]).code, 2);
    rollcall.finish().await;
}

#[tokio::test]
async fn pushes_that_create_a_user_or_fail_to_are_found_by_his_name() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Users", &json!({"userName": "Anna@example.org"}))
        .await
        .expect(201);
    scim.post("/Users", &json!({"userName": "anna@EXAMPLE.org"}))
        .await
        .expect(409);
    scim.post("/Users", &json!({"userName": "other@example.org"}))
        .await
        .expect(201);
    let unfit = json!({"userName": "never", "emails": 7});
    scim.post("/Users", &unfit).await.expect(400);
    let list = |arguments: &[&str]| -> Vec<Value> {
        let outcome = rollcall.command(&[arguments, &["--output", "json"]].concat());
        if outcome.code == 3 {
            vec![]
        } else {
            outcome.json().as_array().unwrap().clone()
        }
    };
    let statuses = |name: &str| -> Vec<u64> {
        let found = list(&["scim", "log", "--user", name]);
        found.iter().filter_map(|request| request["status"].as_u64()).collect()
    };
    wait_until("the last request is noted", SOON, async || statuses("NEVER") == [400]).await;
    assert_eq!(statuses("anna@example.org"), [409, 201]);
    assert_eq!(statuses("anna"), [409, 201], "by the POSIX name");
    assert_eq!(statuses("other@example.org"), [201]);
    let history = list(&["user", "history", "anna"]);
    for what in ["POST 201", "POST 409"] {
        assert!(
            history.iter().any(|entry| entry["what"] == what),
            "{what} in {history:?}"
        );
    }
    let log = rollcall
        .command(&["scim", "log", "--output", "json"])
        .succeeded()
        .stdout;
    assert!(!log.to_ascii_lowercase().contains("anna@"), "{log}");
    for arguments in [
        &["scim", "log", "--user", "nobody"][..],
        &["scim", "log", "--token", "nope"],
        &["audit", "--token", "nope"],
    ] {
        assert_eq!(rollcall.command(arguments).code, 3, "{arguments:?}");
    }
    let token = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json()[0]
        .clone();
    for name in [&token["name"], &token["id"]] {
        assert_eq!(list(&["scim", "log", "--token", name.as_str().unwrap()]).len(), 4);
    }
    rollcall.finish().await;
}
