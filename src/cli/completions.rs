//! `rollcall completions` and `rollcall man`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use super::output;

/// The environment variable by which a shell asks. One of our own: another product's COMPLETE must not end a service.
const ASKED_BY_SHELL: &str = "_ROLLCALL_COMPLETE";

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder to write into.
    folder: PathBuf,
}

/// The script asks this binary at each press of the tab key, so it knows names that the database has.
pub(crate) fn completions(arguments: &Completions) -> anyhow::Result<()> {
    let shells = Shells::builtins();
    let shell = shells
        .completer(&arguments.shell.to_string())
        .context("this shell is not supported")?;
    let mut text = Vec::new();
    shell.write_registration(ASKED_BY_SHELL, "rollcall", "rollcall", "rollcall", &mut text)?;
    output::write(&String::from_utf8(text)?)
}

/// Answers a shell that asks, and ends the process then.
pub(crate) fn answer_shell() {
    CompleteEnv::with_factory(offered).var(ASKED_BY_SHELL).complete();
}

/// The command line with its settings offered only to whoever has begun an option: there are more of them than anybody looks
/// through for the name of a user.
fn offered() -> clap::Command {
    let command = super::command();
    let words: Vec<_> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    // bash and zsh say which word is completed, to the others it is the last.
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok();
    let index = index.and_then(|index| index.parse().ok());
    let current = words.get(index.unwrap_or(words.len().saturating_sub(1)));
    if current.is_some_and(|word| word.as_encoded_bytes().starts_with(b"-")) {
        return command;
    }
    command.mut_args(|argument| {
        if argument.get_help_heading() == Some(super::SETTINGS) {
            argument.hide(true)
        } else {
            argument
        }
    })
}

pub(crate) fn man(arguments: &Man) -> anyhow::Result<()> {
    std::fs::create_dir_all(&arguments.folder)
        .and_then(|()| clap_mangen::generate_to(super::command(), &arguments.folder))
        .with_context(|| format!("cannot write man pages into {}", arguments.folder.display()))
}
