//! What holds for every command.

use clap::Command;

/// Commands without an answer of their own: a service, scripts and pages for other programs, and files in a format of their own.
const WITHOUT_ANSWER: [&str; 6] = [
    "rollcall serve",
    "rollcall completions",
    "rollcall man",
    "rollcall user export",
    "rollcall group export",
    "rollcall nss-conf generate",
];

/// Every command that does something, with its whole name.
fn leaves(command: &Command, above: &str) -> Vec<(String, Command)> {
    let name = format!("{above}{}", command.get_name());
    let below: Vec<_> = command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .flat_map(|sub| leaves(sub, &format!("{name} ")))
        .collect();
    if command.is_subcommand_required_set() {
        below
    } else {
        std::iter::once((name, command.clone())).chain(below).collect()
    }
}

fn all() -> Vec<(String, Command)> {
    let mut command = super::command();
    command.build();
    leaves(&command, "")
}

#[test]
fn every_command_that_answers_answers_in_json() {
    let all = all();
    assert!(all.len() > 35, "{}", all.len());
    for (name, command) in &all {
        let output = command
            .get_arguments()
            .find(|argument| argument.get_long() == Some("output"));
        let json = output.is_some_and(|output| {
            output
                .get_possible_values()
                .iter()
                .any(|value| value.get_name() == "json")
        });
        assert_eq!(json, !WITHOUT_ANSWER.contains(&name.as_str()), "{name}");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let says_so = name == "rollcall serve" || about.ends_with("there is no --output");
        assert_eq!(says_so, !json, "{name} says that it has no --output: {about}");
    }
    for name in WITHOUT_ANSWER {
        assert!(all.iter().any(|(other, _)| other == name), "{name} is no command");
    }
}

#[test]
fn every_command_says_its_exit_codes() {
    for (name, mut command) in all() {
        for help in [
            command.render_help().to_string(),
            command.render_long_help().to_string(),
        ] {
            let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(super::EXIT_CODES), "{name}");
        }
    }
}

#[test]
fn whoever_names_a_user_group_or_token_is_helped_by_the_shell() {
    use clap_complete::engine::ArgValueCompleter;
    let names = ["user", "users", "group", "token"];
    for (name, command) in all() {
        let is_new = name.ends_with(" add") || name.ends_with(" generate");
        for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
            let id = argument.get_id().as_str();
            let of_noun = id == "name" && !is_new && !name.contains("nss-conf");
            if names.contains(&id) || of_noun {
                assert!(argument.get::<ArgValueCompleter>().is_some(), "{name} {id}");
            }
        }
    }
}

#[test]
fn the_command_line_contradicts_itself_nowhere() {
    super::command().debug_assert();
}
