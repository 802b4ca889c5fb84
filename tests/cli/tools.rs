//! `rollcall completions`, `man`, and the help.

use crate::harness::command::run;

#[test]
fn completions_and_man_pages_are_written() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell], &[]).succeeded().stdout;
        assert!(
            script.contains("rollcall") && script.contains("_ROLLCALL_COMPLETE"),
            "{shell}"
        );
    }
    assert_eq!(run(&["completions", "csh"], &[]).code, 2);
    let folder = std::env::temp_dir().join(format!("rollcall-man-{}", std::process::id()));
    run(&["man", folder.to_str().unwrap()], &[]).succeeded();
    let page = std::fs::read_to_string(folder.join("rollcall-token-generate.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("no\\-expiry") && page.contains("Exit codes"));
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
