//! `rollcall doctor`, `completions`, `man`, and the help.

use crate::harness::command::run;
use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};

#[tokio::test]
async fn doctor_finds_nothing_wrong_in_health_and_names_the_fix_otherwise() {
    let postgres = Postgres::synced();
    let uri = postgres.uri("rollcall_app", TEMPLATE);
    let doctor = |form: &str| run(&["doctor", "--output", form], &[("ROLLCALL_DATABASE_URI", &uri)]);
    let healthy = doctor("json").succeeded().json();
    let checks: Vec<&str> = healthy
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    for check in ["database", "schema", "id headroom", "invariants", "clock"] {
        assert!(checks.contains(&check), "{checks:?}");
    }
    assert!(doctor("table").succeeded().stdout.contains("CHECK"));
    let owner = postgres.connect(SUPERUSER, TEMPLATE).await;
    owner
        .batch_execute("insert into store.posix_group_names values ('ghost', gen_random_uuid())")
        .await
        .unwrap();
    let ill = doctor("json");
    assert_eq!(ill.code, 1);
    let findings = ill.json();
    let wrong = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == "invariants")
        .unwrap();
    assert_eq!(wrong["severity"], "error");
    assert!(wrong["fix"].is_string());
    let away = run(
        &["doctor"],
        &[("ROLLCALL_DATABASE_URI", "host=/nowhere user=x dbname=x")],
    );
    assert_eq!(away.code, 1);
    assert!(away.stdout.contains("database-uri"), "{}", away.stdout);
}

#[test]
fn completions_and_man_pages_are_written() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell], &[]).succeeded().stdout;
        assert!(script.contains("rollcall") && script.contains("migrate"), "{shell}");
    }
    assert_eq!(run(&["completions", "csh"], &[]).code, 2);
    let folder = std::env::temp_dir().join(format!("rollcall-man-{}", std::process::id()));
    run(&["man", folder.to_str().unwrap()], &[]).succeeded();
    let page = std::fs::read_to_string(folder.join("rollcall-token-generate.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("no\\-expiry"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn help_and_version_need_no_settings() {
    assert!(run(&["--version"], &[]).succeeded().stdout.starts_with("rollcall "));
    let help = run(&["--help"], &[]).succeeded().stdout;
    for verb in [
        "serve",
        "migrate",
        "config",
        "doctor",
        "token",
        "user",
        "group",
        "audit",
        "scim",
        "completions",
        "man",
    ] {
        assert!(help.contains(verb), "{verb}");
    }
    assert!(
        run(&["migrate", "--roles-sql"], &[])
            .succeeded()
            .stdout
            .contains("create role rollcall_owner")
    );
}
