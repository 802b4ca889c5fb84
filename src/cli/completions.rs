//! `rollcall completions` and `rollcall man`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap_complete::Shell;

use super::output;

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

pub(crate) fn completions(arguments: &Completions) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::command(), "rollcall", &mut text);
    output::write(&String::from_utf8(text)?)
}

pub(crate) fn man(arguments: &Man) -> anyhow::Result<()> {
    std::fs::create_dir_all(&arguments.folder)
        .and_then(|()| clap_mangen::generate_to(super::command(), &arguments.folder))
        .with_context(|| format!("cannot write man pages into {}", arguments.folder.display()))
}
