//! `populate`: fills a service with a population, from where an interrupted run stopped.

mod contract;
mod file;
mod progress;
mod scim;
mod sync;

use std::path::PathBuf;

use clap::Args;

use crate::client::Target;
use crate::personas::Persona;
use crate::population::Population;
use crate::population::groups::EVEN;
use progress::Progress;

/// Most users that are sent through SCIM without acting as an identity provider; more take the way of a bulk load.
const MOST_THROUGH_SCIM: u64 = 10_000;

/// What to fill, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Number of users.
    #[arg(long)]
    users: u64,
    /// Number of groups.
    #[arg(long, default_value_t = 0)]
    groups: u64,
    /// Seed of everything that looks random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Text that every name of this population holds.
    #[arg(long, default_value = "")]
    series: String,
    /// Base address of a SCIM service: populate through it (at most 10000 users).
    #[arg(long, requires = "token_file")]
    scim: Option<String>,
    /// File with its bearer token.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Through SCIM, act as this identity provider in its first cycle: each user is looked for and then created, each group
    /// created and then filled. Any number of users.
    #[arg(long, value_enum, requires = "scim")]
    persona: Option<Persona>,
    /// With --database-uri: no users but groups, all of 50 members, so that each user is in as many as any other; the users
    /// are there and found by their names.
    #[arg(long, requires = "database_uri")]
    even_groups: bool,
    /// Instead of filling a service, write users.csv for `rollcall user import` and, of even groups, groups.csv for `group
    /// import` into this folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["scim", "database_uri"])]
    files: Option<PathBuf>,
    /// Append what a run took to this file, for `scale`.
    #[arg(long, requires = "server")]
    record: Option<PathBuf>,
    /// The name of the service in that file.
    #[arg(long)]
    server: Option<String>,
    /// Connection string of the service's database, as a role that may call the contract: populate through
    /// `api.user_create` and `api.group_create`.
    #[arg(long, conflicts_with = "scim", required_unless_present_any = ["scim", "files"])]
    database_uri: Option<String>,
    /// Connections at once.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=64))]
    connections: u64,
    /// File that remembers how far the work has come; with it an interrupted run is taken up again.
    #[arg(long)]
    progress: Option<PathBuf>,
    /// Lowest id for users, as the service's `user-provisioning-start-uid` (with --database-uri).
    #[arg(long, default_value_t = 1_879_048_192)]
    start_uid: i64,
    /// Lowest id for groups, as the service's `group-provisioning-start-gid` (with --database-uri).
    #[arg(long, default_value_t = 2_100_000_000)]
    start_gid: i64,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 86_400)]
    within: u64,
}

/// Fills the service. Raises the first refusal, and running out of time.
pub async fn populate(arguments: &Arguments) -> anyhow::Result<()> {
    anyhow::ensure!(
        !arguments.even_groups || arguments.users.is_multiple_of(EVEN),
        "even groups need a multiple of {EVEN} users"
    );
    let population = Population::new(arguments.seed, &arguments.series);
    if let Some(folder) = &arguments.files {
        return file::write(folder, &population, arguments);
    }
    let label = format!("{}/{}", arguments.seed, arguments.series);
    let progress = Progress::open(arguments.progress.clone(), &label)?;
    let work = async {
        match (&arguments.scim, &arguments.database_uri) {
            (Some(base), _) => {
                let target = Target::new(base, &crate::cli::token(arguments.token_file.as_deref())?)?;
                if let Some(persona) = arguments.persona {
                    return sync::populate(&target, &population, persona, arguments, progress).await;
                }
                anyhow::ensure!(
                    arguments.users <= MOST_THROUGH_SCIM,
                    "more than {MOST_THROUGH_SCIM} users: use --persona, --files or --database-uri"
                );
                scim::populate(&target, &population, arguments, progress).await
            }
            (None, Some(uri)) => contract::populate(uri, &population, arguments, progress).await,
            (None, None) => unreachable!("the command line asks for one of them"),
        }
    };
    let limit = std::time::Duration::from_secs(arguments.within);
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => anyhow::bail!("not done within {} s", arguments.within),
    }
}
