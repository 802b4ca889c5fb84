//! The manual page of `rollcall-node` says what the program says.

use std::process::Command;

#[test]
fn every_command_option_and_exit_status_is_in_the_manual() {
    let help = Command::new(env!("CARGO_BIN_EXE_rollcall-node"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/nss/rollcall-node.8")).unwrap();
    let page = page.replace("\\-", "-");
    let words = help
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-'));
    let options: Vec<_> = words.filter(|word| word.starts_with("--")).collect();
    let commands: Vec<_> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  rollcall-node ")?.split_whitespace().next())
        .map(|word| word.trim_matches(['[', ']']))
        .collect();
    assert!(options.len() >= 5 && commands.len() == 6, "{options:?} {commands:?}");
    for word in options.iter().chain(&commands) {
        assert!(page.contains(word), "{word} is not in the manual");
    }
    let told = help.split("Exit status:").nth(1).unwrap();
    for status in 0..=4 {
        assert!(
            told.contains(&format!("{status} ")) && page.contains(&format!(".B {status}\n")),
            "{status}"
        );
    }
}
