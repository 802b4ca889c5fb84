//! `rollcall user`.

use serde_json::json;

use crate::harness::Rollcall;

#[tokio::test]
async fn the_life_of_a_user_as_tables_and_as_json() {
    let rollcall = Rollcall::start_with(&[]).await;
    let json = |arguments: &[&str]| {
        rollcall
            .command(&[arguments, &["--output", "json"]].concat())
            .succeeded()
            .json()
    };
    let table = |arguments: &[&str]| rollcall.command(arguments).succeeded().stdout;
    let added = json(&[
        "user",
        "add",
        "Jane@example.org",
        "--posix-name",
        "jdoe",
        "--uid",
        "4242",
        "--home",
        "/data/jdoe",
        "--shell",
        "/bin/zsh",
        "--display-name",
        "Jane Doe",
        "--email",
        "jane@example.org",
        "--admin",
    ]);
    assert_eq!(
        (&added["uid"], &added["gid"], &added["posixUserName"]),
        (&json!(4242), &json!(4242), &json!("jdoe"))
    );
    assert_eq!(
        (&added["homeDirectory"], &added["loginShell"], &added["admin"]),
        (&json!("/data/jdoe"), &json!("/bin/zsh"), &json!(true))
    );
    assert!(table(&["user", "add", "jack"]).contains("jack has uid"));
    for name in ["jane@EXAMPLE.org", "jdoe", added["id"].as_str().unwrap()] {
        assert_eq!(json(&["user", "show", name])["id"], added["id"], "{name}");
        assert!(table(&["user", "show", name]).contains("/data/jdoe"));
    }
    let list = table(&["user", "list"]);
    assert!(
        list.lines().next().unwrap().starts_with("UID") && list.lines().count() == 3,
        "{list}"
    );
    assert_eq!(
        json(&["user", "list", "--filter", "userName sw \"JANE\""])
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(json(&["user", "list", "--limit", "1"]).as_array().unwrap().len(), 1);
    assert_eq!(json(&["user", "set-admin", "jack", "1"])["changed"], true);
    assert_eq!(json(&["user", "set-admin", "jack", "true"])["changed"], false);
    assert_eq!(json(&["user", "lock", "jack"])["changed"], true);
    assert_eq!(json(&["user", "show", "jack"])["locked"], true);
    assert!(table(&["user", "unlock", "jack"]).contains("changed"));
    assert_eq!(
        json(&["user", "delete", "jane@example.org", "--yes"])["retired_uid"],
        4242
    );
    assert_eq!(rollcall.command(&["user", "show", "jdoe"]).code, 3);
    assert_eq!(json(&["user", "list"]).as_array().unwrap().len(), 1);
    rollcall.finish().await;
}

#[tokio::test]
async fn whoever_belongs_to_an_identity_provider_is_changed_by_force_alone() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    scim.post("/Users", &json!({"userName": "jane", "externalId": "E-1"}))
        .await
        .expect(201);
    for verb in ["lock", "unlock", "delete"] {
        let refused = rollcall.command(&["user", verb, "jane"]);
        assert_eq!(refused.code, 3, "{verb}");
        assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    }
    assert!(
        rollcall
            .command(&["user", "lock", "jane", "--force"])
            .succeeded()
            .stdout
            .contains("next sync")
    );
    rollcall.command(&["user", "unlock", "jane", "--force"]).succeeded();
    rollcall
        .command(&["user", "delete", "jane", "--force", "--yes"])
        .succeeded();
    rollcall.finish().await;
}

#[tokio::test]
async fn each_kind_of_failure_has_its_exit_code() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "jane"]).succeeded();
    for (arguments, code, words) in [
        (vec!["user", "add", "JANE"], 3, "exists already"),
        (vec!["user", "add", "x", "--uid", "999"], 3, "reserved"),
        (vec!["user", "add", "x", "--posix-name", "Upper"], 3, "rule"),
        (vec!["user", "add", "x", "--posix-name", "root"], 3, "protected"),
        (vec!["user", "add", "x", "--home", "relative"], 3, "absolute"),
        (vec!["user", "add", "Bad\nx"], 3, "rollcall: \"userName\""),
        (vec!["group", "add", "Bad\nx"], 3, "rollcall: \"displayName\""),
        (vec!["user", "show", "nobody"], 3, "there is no user"),
        (vec!["user", "lock", "nobody"], 3, "there is no user"),
        (vec!["user", "list", "--filter", "userName zz"], 2, "filter"),
        (vec!["user", "set-admin", "jane", "2"], 2, "0"),
        (vec!["user", "add"], 2, "NAME"),
        (vec!["nonsense"], 2, "nonsense"),
        (vec!["user", "add", "x", "--uid", "-1"], 2, ""),
        (vec!["user", "add", "x", "--uid", "many"], 2, ""),
    ] {
        let outcome = rollcall.command(&arguments);
        assert_eq!(outcome.code, code, "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{arguments:?}: {}", outcome.stderr);
        assert!(
            outcome.stdout.is_empty(),
            "{arguments:?}: errors go to standard error alone"
        );
    }
    let away = crate::harness::command::run(
        &["user", "list"],
        &[
            ("ROLLCALL_DATABASE_URI", "host=/nowhere user=x dbname=x"),
            ("ROLLCALL_DATABASE_WRITE_DEADLINE", "5"),
        ],
    );
    assert_eq!(away.code, 4, "{}", away.stderr);
    rollcall.finish().await;
}
