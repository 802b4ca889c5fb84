//! Every command that answers is run, and its answer read as JSON.

use std::collections::BTreeSet;

use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::Role;

/// What has no answer of its own: a service, scripts and pages for other programs, files in a format of their own.
const WITHOUT_ANSWER: [&str; 6] = [
    "serve",
    "completions",
    "man",
    "user export",
    "group export",
    "nss-conf generate",
];

/// Every other command with arguments that it can answer, each after those it needs.
const COMMANDS: [&str; 43] = [
    "config",
    "migrate",
    "migrate reseed 10",
    "doctor --scope service --root FOLDER",
    "user add jane --uid 4242",
    "user add joe",
    "user list",
    "user list --filter userName_eq_\"jane\"",
    "user show jane",
    "user set-admin jane 1",
    "user lock joe",
    "user unlock joe",
    "user forget-subject jane",
    "user ssh-keys jane",
    "user rename joe joseph --yes",
    "user set-uid joseph 4300 --yes",
    "user history jane",
    "user import --format passwd FOLDER/passwd",
    "user import --format passwd --dry-run FOLDER/passwd",
    "group add lab",
    "group add-member lab jane joseph",
    "group remove-member lab joseph",
    "group list",
    "group show lab",
    "group reconcile jane --groups lab,new --dry-run",
    "group import --format group FOLDER/group",
    "group delete lab --yes",
    "user delete joseph --yes",
    "token generate okta",
    "token list",
    "brake limit okta --limit 5",
    "brake release okta --limit 5",
    "brake show",
    "brake restore okta",
    "ids reserve 5000 5009 --reason robots",
    "ids list",
    "ids release 5000 5009",
    "bootstrap FOLDER/team.toml",
    "nss-conf nodes",
    "nss-conf install --folder FOLDER/node --server-address http://127.0.0.1:1",
    "token revoke okta",
    "audit",
    "scim log",
];

/// Every command with its whole name, as the help lists them.
fn listed(above: &[&str]) -> BTreeSet<String> {
    let help = run(&[above, &["--help"]].concat(), &[]).succeeded().stdout;
    let mut names = BTreeSet::new();
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in below.take_while(|line| !line.is_empty()) {
        // A description that goes on in the next line stands further in.
        let name = line.strip_prefix("  ").filter(|line| !line.starts_with(' '));
        let Some(name) = name.and_then(|line| line.split_whitespace().next()) else {
            continue;
        };
        if name == "help" {
            continue;
        }
        let path = [above, &[name]].concat();
        let inner = listed(&path);
        if inner.is_empty() || name == "migrate" {
            names.insert(path.join(" "));
        }
        names.extend(inner);
    }
    names
}

#[tokio::test]
async fn every_command_answers_in_json_when_asked_to() {
    let answered = listed(&[]);
    assert!(answered.len() > 35, "{answered:?}");
    for name in &answered {
        let is_tried = COMMANDS.iter().any(|command| {
            let rest = command.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        assert_ne!(is_tried, WITHOUT_ANSWER.contains(&name.as_str()), "{name}");
    }

    let rollcall = Rollcall::start().await;
    let folder = std::env::temp_dir().join(format!("rollcall-answers-{}", uuid::Uuid::new_v4().simple()));
    for part in ["etc", "node"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    for (name, text) in [
        ("passwd", "bob:x:4400:4400:Bob:/home/bob:/bin/sh\n"),
        ("group", "crew:x:4500:bob\n"),
        ("team.toml", "[[user]]\nuser-name = \"ann\"\n"),
        ("etc/passwd", ""),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let migrate = rollcall.database.uri(Role::Migrate);
    let uri = rollcall.database.uri(Role::App);
    let environment = [
        ("ROLLCALL_DATABASE_URI", uri.as_str()),
        ("ROLLCALL_DATABASE_MIGRATE_URI", migrate.as_str()),
    ];
    for command in COMMANDS {
        let command = command.replace("FOLDER", folder.to_str().unwrap());
        let mut words: Vec<String> = command.split(' ').map(|word| word.replace('_', " ")).collect();
        words.extend(["--output".to_owned(), "json".to_owned()]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let told = run(&words, &environment);
        // Doctor finds what there is to find on the machine of the test.
        assert!(
            told.code == 0 || words[0] == "doctor",
            "{words:?}: {}{}",
            told.stdout,
            told.stderr
        );
        let answer = told.json();
        assert!(answer.is_object() || answer.is_array(), "{words:?}: {answer}");
    }
    std::fs::remove_dir_all(folder).unwrap();
    rollcall.finish().await;
}
