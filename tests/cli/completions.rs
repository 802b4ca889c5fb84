//! What the shell offers when the tab key is pressed: commands, and names that the database has.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::Rollcall;
use crate::harness::command::{ROLLCALL, without_settings};
use crate::harness::wait_until;

/// How long a name may take to be offered on a busy machine, pressing the key again and again.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a shell is offered for the last of these words.
fn offered(shell: &str, words: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(ROLLCALL);
    without_settings(&mut command)
        .args(["--", "rollcall"])
        .args(words)
        .envs(environment.iter().copied())
        .env("_ROLLCALL_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap()
}

fn names(output: &Output) -> Vec<String> {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    // zsh and fish show a help text behind a name.
    text.lines()
        .map(|line| line.split([':', '\t']).next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn names_of_users_groups_and_tokens_are_offered_in_every_shell() {
    let rollcall = Rollcall::start().await;
    for name in ["jane", "janet", "joe"] {
        rollcall
            .command(&["user", "add", &format!("{name}@example.org")])
            .succeeded();
    }
    rollcall.command(&["group", "add", "Analysts"]).succeeded();
    rollcall.command(&["token", "generate", "okta-prod"]).succeeded();
    let environment = rollcall.database.environment();
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let cases: [(&[&str], &[&str]); 8] = [
        (&["user", "show", "jan"], &["jane", "janet"]),
        (&["user", "lock", "jane@"], &["jane@example.org"]),
        (&["group", "show", "an"], &["Analysts"]),
        (&["token", "revoke", "ok"], &["okta-prod"]),
        (&["audit", "--user", "jo"], &["joe"]),
        (&["group", "add-member", "Analysts", "jo"], &["joe"]),
        (&["user", "set-a"], &["set-admin"]),
        (&["user", "show", "\" or pr"], &[]),
    ];
    for shell in ["bash", "zsh", "fish"] {
        for (words, expected) in cases {
            // A busy machine may not answer within the half second that a person waits: the next press of the key does.
            wait_until(&format!("{shell} offers {expected:?}"), PATIENCE, async || {
                names(&offered(shell, words, &environment)) == expected
            })
            .await;
        }
    }
    // bash itself, with the script that the packages install.
    let script = "source <(rollcall completions bash); COMP_WORDS=(rollcall user show jan); COMP_CWORD=3; COMP_TYPE=9; \
                  _clap_complete_rollcall rollcall jan show; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let folder = std::path::Path::new(ROLLCALL).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let ask = || {
        let mut bash = Command::new("bash");
        without_settings(&mut bash)
            .args(["-c", script])
            .envs(environment.iter().copied())
            .env("PATH", &path);
        names(&bash.output().unwrap())
    };
    wait_until("bash completes by itself", PATIENCE, async || {
        ask() == ["jane", "janet"]
    })
    .await;
    rollcall.finish().await;
}

#[test]
fn without_a_database_nothing_is_offered_nothing_is_said_and_nobody_waits() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("postgres://rollcall@{}/rollcall", silent.local_addr().unwrap());
    let away = std::env::temp_dir().join(format!("rollcall-never-{}", uuid::Uuid::new_v4().simple()));
    let environments: [&[(&str, &str)]; 4] = [
        &[],
        &[("ROLLCALL_DATABASE_URI", &uri)],
        &[("ROLLCALL_DATABASE_URI", "nonsense")],
        &[("ROLLCALL_DATA_DIR", away.to_str().unwrap())],
    ];
    for environment in environments {
        let began = Instant::now();
        let output = offered("bash", &["user", "show", "jan"], environment);
        // Half a second for the database, the rest for a debug build on a busy machine.
        assert!(began.elapsed() < Duration::from_secs(5), "{environment:?}");
        assert_eq!(names(&output), Vec::<String>::new(), "{environment:?}");
    }
    assert!(!away.exists(), "a key press makes no database");
}

#[tokio::test]
async fn what_a_shell_would_run_split_or_take_as_an_option_is_never_offered() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let bad = [
        "$(touch x)",
        "`touch x`",
        " b",
        ";b",
        "|b",
        "&b",
        "'b",
        "\"b",
        "*",
        "~",
        "\\b",
        ">b",
        "{a,b}",
        "!b",
        "\u{e9}",
        "#b",
        "=b",
        ":b",
    ];
    for end in bad.into_iter().chain(["-Ab1._@+-"]) {
        let group = json!({"displayName": format!("zz{end}")});
        scim.post("/Groups", &group).await.expect(201);
        rollcall
            .command(&["token", "generate", &format!("zz{end}")])
            .succeeded();
    }
    scim.post("/Groups", &json!({"displayName": "--zz"})).await.expect(201);
    for (number, end) in ["$(id).org", "`id`", ";b", "example.org"].into_iter().enumerate() {
        let (user_name, posix_name) = (format!("zz@{end}"), format!("z{number}"));
        rollcall
            .command(&["user", "add", &user_name, "--posix-name", &posix_name])
            .succeeded();
    }
    let environment = rollcall.database.environment();
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let cases: [(&[&str], &str); 3] = [
        (&["group", "show", "zz"], "zz-Ab1._@+-"),
        (&["token", "revoke", "zz"], "zz-Ab1._@+-"),
        (&["user", "show", "zz@"], "zz@example.org"),
    ];
    for shell in ["bash", "zsh", "fish"] {
        for (words, expected) in cases {
            wait_until(&format!("{shell} offers {expected} alone"), PATIENCE, async || {
                names(&offered(shell, words, &environment)) == [expected]
            })
            .await;
        }
    }
    let groups = names(&offered("bash", &["group", "show", ""], &environment));
    assert!(!groups.contains(&"--zz".to_owned()), "{groups:?}");
    rollcall.finish().await;
}

#[test]
fn settings_are_offered_to_whoever_begins_an_option_and_to_nobody_else() {
    for shell in ["bash", "zsh", "fish"] {
        let of = |words: &[&str]| names(&offered(shell, words, &[]));
        for words in [
            &[""][..],
            &["group", ""],
            &["group", "show", ""],
            &["--config", "x", "user", ""],
        ] {
            let offered = of(words);
            let settings = offered
                .iter()
                .filter(|word| word.contains("auth-") || word.contains("listen"));
            assert_eq!(settings.count(), 0, "{shell} {words:?}: {offered:?}");
            assert!(
                offered.contains(&"--config".to_owned()),
                "{shell} {words:?}: {offered:?}"
            );
        }
        for words in [
            &["serve", "--auth-openid-iss"][..],
            &["group", "show", "--auth-openid-iss"],
        ] {
            assert_eq!(of(words), ["--auth-openid-issuer"], "{shell} {words:?}");
        }
    }
}
