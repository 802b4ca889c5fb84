//! `rollcall token`.

use serde_json::json;

use crate::harness::Rollcall;
use crate::harness::database::Role;

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let rollcall = Rollcall::start().await;
    let json = |arguments: &[&str]| {
        rollcall
            .command(&[arguments, &["--output", "json"]].concat())
            .succeeded()
            .json()
    };
    let days = |token: &serde_json::Value| -> Option<i64> {
        let expiry: jiff::Timestamp = token["expires_at"].as_str()?.parse().unwrap();
        Some((expiry.as_second() - jiff::Timestamp::now().as_second() + 3600) / 86_400)
    };
    let plain = rollcall.command(&["token", "generate", "plain"]).succeeded().stdout;
    assert!(
        plain.starts_with("rc_") && plain.lines().count() == 1,
        "alone on its line, for scripts"
    );
    assert_eq!(days(&json(&["token", "generate", "a"])), Some(365));
    assert_eq!(days(&json(&["token", "generate", "b", "--duration", "7"])), Some(7));
    assert_eq!(days(&json(&["token", "generate", "c", "--no-expiry"])), None);
    assert_eq!(
        days(&json(&[
            "token",
            "generate",
            "d",
            "--scope",
            "nss-user",
            "--scope",
            "nss-admin"
        ])),
        None,
        "a fleet must not go stale on one day"
    );
    assert_eq!(
        days(&json(&[
            "token", "generate", "e", "--scope", "nss-user", "--scope", "scim"
        ])),
        Some(365)
    );
    assert_eq!(
        json(&["token", "generate", "f", "--dialect", "entra"])["scopes"],
        json!(["scim"])
    );
    let list = json(&["token", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 7);
    assert!(
        !list.to_string().contains(plain.trim().split_once('.').unwrap().1),
        "shown once"
    );
    let shown = rollcall.command(&["token", "list"]).succeeded().stdout;
    assert!(shown.contains("entra") && shown.contains("never"), "{shown}");
    assert_eq!(json(&["token", "revoke", "b"])["revoked"].as_array().unwrap().len(), 1);
    for (arguments, code) in [
        (vec!["token", "revoke", "b"], 3),
        (vec!["token", "revoke"], 2),
        (vec!["token", "revoke", "a", "--all"], 2),
        (vec!["token", "generate", "x", "--scope", "everything"], 2),
        (vec!["token", "generate", "x", "--dialect", "klingon"], 2),
        (vec!["token", "generate", "x", "--duration", "0"], 2),
        (vec!["token", "generate", "x", "--duration", "5", "--no-expiry"], 2),
        (vec!["token", "generate", ""], 3),
        (vec!["token", "generate", "a\nb"], 3),
    ] {
        let outcome = rollcall.command(&arguments);
        assert_eq!(outcome.code, code, "{arguments:?}: {}", outcome.stderr);
    }
    assert_eq!(
        json(&["token", "revoke", "--all"])["revoked"].as_array().unwrap().len(),
        6
    );
    assert_eq!(json(&["token", "list"]), json!([]));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_bootstrap_that_ends_between_file_and_database_is_finished_by_the_next() {
    let rollcall = Rollcall::start().await;
    let folder = std::env::temp_dir().join(format!("rollcall-tokens-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    let (secret, file) = (folder.join("secret"), folder.join("boot.toml"));
    let text = format!(
        "[[token]]\nname = \"idp\"\nscopes = [\"scim\"]\nfile = \"{}\"\n",
        secret.display()
    );
    std::fs::write(&file, text).unwrap();
    let arguments = ["bootstrap", file.to_str().unwrap()];
    let owner = rollcall.database.connect(Role::Superuser).await;
    let refuse = "alter table store.tokens add constraint nobody check (name <> 'idp') not valid";
    owner.batch_execute(refuse).await.unwrap();
    assert_ne!(rollcall.command(&arguments).code, 0);
    owner
        .batch_execute("alter table store.tokens drop constraint nobody")
        .await
        .unwrap();
    rollcall.command(&arguments).succeeded();
    let token = std::fs::read_to_string(&secret).unwrap();
    Rollcall::scim_at(&rollcall.service, token.trim())
        .get("/Users")
        .await
        .expect(200);
    assert_eq!(
        rollcall
            .number("select count(*) from store.tokens where name = 'idp'")
            .await,
        1
    );
    std::fs::remove_dir_all(&folder).unwrap();
    rollcall.finish().await;
}
