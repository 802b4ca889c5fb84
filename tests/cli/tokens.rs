//! `rollcall token`.

use serde_json::json;

use crate::harness::Rollcall;

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
