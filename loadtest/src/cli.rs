//! The command line.

use std::path::Path;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::{closed, populate, ready, report, run, summary};

/// Populates, loads and measures a Rollcall service.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fill a service with users and groups made from a seed
    Populate(populate::Arguments),
    /// Load a service as a profile says; fails when the profile's limits do not hold
    Run(run::Arguments),
    /// Measure one operation with clients that send as fast as they are answered
    Closed(closed::Arguments),
    /// Show the results of `run` as text and draw charts
    Report(report::Arguments),
    /// Turn the measurements of `loadtest/bench` into ratios, medians and verdicts
    Summary(summary::Arguments),
    /// Wait until an address answers 200 and print when that was, in microseconds since 1970
    Ready(ready::Arguments),
}

/// Does what the command line says, on one thread: the service shall have the rest of the machine.
pub fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match &arguments.command {
            Command::Populate(arguments) => populate::populate(arguments).await,
            Command::Run(arguments) => run::run(arguments).await,
            Command::Closed(arguments) => closed::closed(arguments).await,
            Command::Report(arguments) => report::report(arguments),
            Command::Summary(arguments) => summary::summary(arguments),
            Command::Ready(arguments) => ready::ready(arguments).await,
        }
    })
}

/// The bearer token in a file; none for a service that asks for none. Raises an unreadable file.
pub fn token(file: Option<&Path>) -> anyhow::Result<String> {
    let Some(file) = file else { return Ok("none".to_owned()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
