//! `rollcall config`, and settings that are wrong.

use std::path::PathBuf;

use crate::harness::command::{Outcome, run};

/// A configuration file, removed at the end.
struct File(PathBuf);

impl File {
    fn with(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rollcall-{}-{name}.conf", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn config(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
        run(
            &[&["config", "--config", self.0.to_str().unwrap()], arguments].concat(),
            environment,
        )
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn every_setting_is_shown_with_its_origin_and_no_secret() {
    let file = File::with(
        "origins",
        "# a comment\ndatabase-uri=host=db password=hunter2hunter2\nuser-provisioning-start-uid=12000\nposix-login-shell=/bin/sh\n",
    );
    let outcome = file
        .config(
            &["--output", "json", "--posix-login-shell=/bin/zsh"],
            &[
                ("ROLLCALL_USER_HOMEDIR_PATH", "/data"),
                ("ROLLCALL_POSIX_LOGIN_SHELL", "/bin/fish"),
            ],
        )
        .succeeded();
    assert!(!outcome.stdout.contains("hunter2"), "{}", outcome.stdout);
    let list = outcome.json();
    let find = |name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["setting"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        find("posix-login-shell")["value"],
        "/bin/zsh",
        "flag before environment before file"
    );
    assert_eq!(find("user-homedir-path")["value"], "/data");
    let start = find("user-provisioning-start-uid");
    assert_eq!(start["value"], "12000");
    let from = start["from"].as_str().unwrap();
    assert!(from.contains(file.0.to_str().unwrap()) && from.contains('3'), "{from}");
    assert_eq!(find("group-provisioning-start-gid")["from"], "default");
    assert!(file.config(&[], &[]).succeeded().stdout.starts_with("SETTING"));
}

#[test]
fn a_misspelt_setting_stops_with_file_line_and_the_nearest_name() {
    for (line, nearest) in [
        ("user-provisionning-start-uid=12000", "user-provisioning-start-uid"),
        ("databse-uri=x", "database-uri"),
        ("lisen=127.0.0.1:0", "listen"),
    ] {
        let file = File::with("misspelt", &format!("# first\n\n{line}\n"));
        for command in [&["serve"][..], &["config"], &["user", "list"]] {
            let arguments = [command, &["--config", file.0.to_str().unwrap()]].concat();
            let refused = run(&arguments, &[]);
            assert_eq!(refused.code, 2, "{line}");
            let place = format!("{}:3", file.0.display());
            assert!(
                refused.stderr.contains(&place) && refused.stderr.contains(nearest),
                "{}",
                refused.stderr
            );
        }
    }
    let variable = run(&["config"], &[("ROLLCALL_DATABSE_URI", "x")]);
    assert_eq!(variable.code, 2);
    assert!(variable.stderr.contains("ROLLCALL_DATABASE_URI"), "{}", variable.stderr);
    assert_eq!(run(&["config", "--databse-uri=x"], &[]).code, 2);
}

#[test]
fn names_of_others_are_ignored_with_one_warning() {
    let file = File::with("others", "www-port=8787\nserver-user=rstudio\ndatabase-uri=host=db\n");
    let outcome = file.config(&["--output", "json"], &[]).succeeded();
    let warnings: Vec<&str> = outcome
        .stderr
        .lines()
        .filter(|line| line.contains("www-port"))
        .collect();
    assert_eq!(warnings.len(), 1, "{}", outcome.stderr);
    assert!(warnings[0].contains("server-user"));
    assert!(
        !outcome.stderr.contains('\u{1b}'),
        "colours are for terminals: {:?}",
        outcome.stderr
    );
    let absent = run(&["config", "--config", "/nonexist"], &[]).stderr;
    assert_eq!(absent.matches("No such file").count(), 1, "{absent}");
}

#[test]
fn a_wrong_configuration_has_an_exit_code_of_its_own_in_every_command() {
    let wrong: [(&[&str], &str); 6] = [
        (&["--config", "/nonexist"], "/nonexist"),
        (&["--listen", "nonsense"], "listen"),
        (
            &["--posix-user-name-rule", "[a-z"],
            "posix-user-name-rule is not a regular expression",
        ),
        (
            &["--posix-user-name-rule", "a)|(b"],
            "posix-user-name-rule is not a regular expression",
        ),
        (
            &["--auth-groups-refused-names", "("],
            "auth-groups-refused-names is not a regular expression",
        ),
        (&["--database-uri", "postgres://"], "connection string"),
    ];
    let commands: [&[&str]; 5] = [
        &["serve"],
        &["user", "list"],
        &["bootstrap", "/dev/null"],
        &["migrate"],
        &["brake", "show"],
    ];
    for (settings, words) in wrong {
        for command in commands {
            let refused = run(
                &[command, settings].concat(),
                &[("ROLLCALL_DATABASE_URI", "host=/nowhere user=x")],
            );
            assert_eq!(refused.code, 2, "{command:?} {settings:?}: {}", refused.stderr);
            assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        }
    }
}

#[test]
fn a_secret_may_come_from_a_file_and_only_from_one_place() {
    let secret = File::with("secret", "host=db password=hunter2hunter2\n");
    let file = File::with("secret-file", &format!("database-uri-file={}\n", secret.0.display()));
    let outcome = file.config(&["--output", "json"], &[]).succeeded();
    assert!(!outcome.stdout.contains("hunter2"));
    let both = File::with(
        "both",
        &format!("database-uri=host=x\ndatabase-uri-file={}\n", secret.0.display()),
    );
    let refused = both.config(&[], &[]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("Keep one") && !refused.stderr.contains("hunter2"),
        "{}",
        refused.stderr
    );
}
