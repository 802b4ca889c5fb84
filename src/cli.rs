//! The command line: what it takes, and which file does what.
//!
//! Exit codes: 0 done; 1 failed, or `doctor` found an error; 2 wrong usage or configuration; 3 refused by a rule (taken, reserved,
//! unknown, needs `--force`); 4 no database answers, after 10 seconds at most.

mod audit;
mod bootstrap;
mod brake;
mod completions;
mod config;
mod doctor;
mod export;
mod group;
mod ids;
mod import;
mod migrate;
mod names;
mod nss_conf;
mod operator;
mod output;
mod progress;
mod rows;
mod scim_log;
mod serve;
mod session;
mod token;
mod user;
mod whole_file;
mod window;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use rollcall::config::{self as settings, Config, ConfigError, Sources};
use rollcall::error::Error;
use rollcall::scim::error::{ScimError, ScimType};

/// The user service of Posit Workbench and the Linux clusters around it.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, propagate_version = true, max_term_width = 110)]
struct Cli {
    /// The configuration file; an rserver.conf will do.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Offer SCIM, sign-in, the read API and operations.
    Serve,
    /// Bring the database to the schema of this binary.
    Migrate(migrate::Arguments),
    /// Print the effective settings and where each comes from; secrets are hidden.
    Config(config::Arguments),
    /// Look for what is wrong, and say how to mend it.
    Doctor(doctor::Arguments),
    /// Make, list and revoke bearer tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Look at and manage users.
    #[command(subcommand)]
    User(user::Command),
    /// Look at and manage groups.
    #[command(subcommand)]
    Group(group::Command),
    /// Make the users, groups, tokens and settings of a file that are missing or different.
    Bootstrap(bootstrap::Arguments),
    /// The brake on deletions and deactivations.
    #[command(subcommand)]
    Brake(brake::Command),
    /// Blocks of numbers that are not given.
    #[command(subcommand)]
    Ids(ids::Command),
    /// Configuration and tokens of the nodes' NSS module.
    #[command(subcommand)]
    NssConf(nss_conf::Command),
    /// Print the audit log.
    Audit(audit::Arguments),
    /// What identity providers have asked.
    #[command(subcommand)]
    Scim(scim_log::Command),
    /// Print completions for a shell; the script is the answer: there is no --output.
    Completions(completions::Completions),
    /// Write man pages into a folder; the pages are the answer: there is no --output.
    Man(completions::Man),
}

/// A refusal that is no defect: printed without a trace, exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

/// A setting that cannot be used, found out late: exit code 2, as for what the settings themselves refuse.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misconfigured(String);

/// Parses the command line and runs it.
pub(crate) fn main() -> ExitCode {
    completions::answer_shell();
    let matches = command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let Err(error) = run(cli, &matches) else {
        return ExitCode::SUCCESS;
    };
    if let Some(code) = error.downcast_ref::<doctor::Findings>() {
        return ExitCode::from(code.exit_code());
    }
    // A value that SCIM does not take is refused as one that the database does not take; only HTTP has use for its status.
    if let Some(refused) = error.downcast_ref::<ScimError>() {
        output::complain(&refused.detail);
        let is_misspelt = refused.scim_type == Some(ScimType::InvalidFilter);
        return ExitCode::from(if is_misspelt { 2 } else { 3 });
    }
    output::complain(&format!("{error:#}"));
    ExitCode::from(match error.downcast_ref::<Error>() {
        Some(Error::Unavailable { .. }) => 4,
        Some(Error::Internal(_)) => 1,
        Some(_) => 3,
        None if error.is::<session::NoDatabase>() => 4,
        None if error.is::<Refused>() => 3,
        None if error.is::<ConfigError>() || error.is::<Misconfigured>() || error.is::<bootstrap::Faulty>() => 2,
        None => 1,
    })
}

/// Under which heading the help lists the settings.
const SETTINGS: &str = "Settings";

/// What ends every help text and manual page.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed, or doctor found an error; 2 wrong usage or configuration; 3 refused by a rule \
                          (taken, reserved, unknown, needs --force or --yes, a conflict); 4 no database answers (tried for 10 s).";

/// Says the exit codes at the end of each command's help.
fn with_exit_codes(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = command.after_help(EXIT_CODES);
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, with_exit_codes))
}

/// The whole command line, settings included.
fn command() -> clap::Command {
    with_exit_codes(Cli::command()).args(settings::settings().flat_map(|setting| {
        let flag = |name: String, doc: String| {
            let id: &'static str = Box::leak(name.into_boxed_str());
            Arg::new(id)
                .long(id)
                .global(true)
                .value_name("VALUE")
                .help(doc)
                .help_heading(SETTINGS)
                .hide_short_help(true)
                .allow_hyphen_values(true)
        };
        // A secret on the command line is readable by every user of the machine; the flag takes a file instead.
        let file = setting
            .file_name()
            .map(|name| flag(name, format!("File that holds: {}", setting.doc())));
        std::iter::once(flag(setting.name.to_owned(), setting.doc())).chain(file)
    }))
}

fn run(cli: Cli, matches: &ArgMatches) -> anyhow::Result<()> {
    match cli.command {
        Command::Completions(arguments) => return completions::completions(&arguments),
        Command::Man(arguments) => return completions::man(&arguments),
        Command::Migrate(ref arguments) if arguments.roles_sql => return migrate::print_roles(),
        Command::Doctor(ref arguments) if arguments.is_of_node() => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            return runtime.block_on(doctor::of_node(arguments));
        }
        _ => {}
    }
    let (config, warnings) = Config::load(&Sources::of_process(flags(matches), cli.config))?;
    rollcall::telemetry::start_logging(
        &config.logging.level,
        config.logging.format == settings::LogFormat::Json && matches!(cli.command, Command::Serve),
    )?;
    if matches!(cli.command, Command::Serve | Command::Config(_)) {
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if matches!(cli.command, Command::Serve) {
        runtime.on_thread_start(serve::slice::shorten);
    }
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => serve::serve(config).await,
            Command::Migrate(arguments) => migrate::migrate(&config, &arguments).await,
            Command::Config(arguments) => config::print(&config, &arguments),
            Command::Doctor(arguments) => doctor::of_service(&config, &warnings, &arguments).await,
            Command::Token(command) => token::run(&config, command).await,
            Command::User(command) => user::run(&config, command).await,
            Command::Group(command) => group::run(&config, command).await,
            Command::Bootstrap(arguments) => bootstrap::run(&config, &arguments).await,
            Command::Brake(command) => brake::run(&config, command).await,
            Command::Ids(command) => ids::run(&config, command).await,
            Command::NssConf(command) => nss_conf::run(&config, command).await,
            Command::Audit(arguments) => audit::print(&config, &arguments).await,
            Command::Scim(command) => scim_log::run(&config, command).await,
            Command::Completions(_) | Command::Man(_) => Ok(()),
        }
    })
}

/// Settings given as flags, at whatever level of the command line.
fn flags(matches: &ArgMatches) -> BTreeMap<String, String> {
    let mut deepest = matches;
    while let Some((_, next)) = deepest.subcommand() {
        deepest = next;
    }
    settings::settings()
        .flat_map(|setting| std::iter::once(setting.name.to_owned()).chain(setting.file_name()))
        .filter_map(|name| {
            let value = deepest.try_get_one::<String>(&name).ok().flatten()?.clone();
            Some((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests;
