//! `rollcall migrate`: the schema, the roles a DBA makes, and skipping numbers by hand.

use clap::{Args, Subcommand};
use rollcall::config::{Config, Database as DatabaseConfig};
use rollcall::db::migrate;
use rollcall::private_postgres::PrivatePostgres;
use serde_json::json;

use super::output::{self, Form};
use super::session::{self, Addresses};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print what a database administrator runs once to keep the roles apart, as SQL, and stop.
    #[arg(long, conflicts_with = "output")]
    pub(crate) roles_sql: bool,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Skip numbers of both id pools, after a restore that the service could not notice by itself.
    Reseed {
        /// How many numbers to skip, 1 to 1000000.
        #[arg(default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
        count: i64,
        #[command(flatten)]
        form: Form,
    },
}

pub(crate) fn print_roles() -> anyhow::Result<()> {
    output::write(migrate::ROLES)
}

pub(crate) async fn migrate(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(Command::Reseed { count, form }) = arguments.command {
        session::with(config, async |db| Ok(db.id_reseed(count, &session::origin()).await?)).await?;
        return form.print(&json!({"skipped": count}), |_| {
            format!("Both pools skip {count} numbers.\n")
        });
    }
    let private = match &config.database {
        DatabaseConfig::Private(private) => {
            Some(PrivatePostgres::attach_or_make(&private.data_dir, &private.user).await?)
        }
        DatabaseConfig::External(_) => None,
    };
    let mut addresses = session::addresses(config, private.as_ref())?;
    addresses.migrate = addresses.migrate.or(addresses.primary.clone());
    let outcome = apply(&addresses).await;
    if let Some(private) = private {
        private.stop().await;
    }
    let outcome = outcome?;
    let value = json!({"migrations": outcome.migrations, "functions": outcome.functions});
    arguments.form.print(&value, |_| {
        if outcome.is_empty() {
            return "Nothing to do.\n".to_owned();
        }
        let applied = outcome
            .migrations
            .iter()
            .map(|name| format!("applied migration {name}\n"));
        applied.chain(["applied functions and grants\n".to_owned()]).collect()
    })
}

/// Applies what is pending, if there is an address to do so from.
pub(crate) async fn apply(addresses: &Addresses) -> anyhow::Result<migrate::Outcome> {
    let Some(address) = &addresses.migrate else {
        return Ok(migrate::Outcome {
            migrations: Vec::new(),
            functions: false,
        });
    };
    if addresses.is_private {
        migrate::make_roles(address).await?;
    }
    migrate::migrate(address).await
}
