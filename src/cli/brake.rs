//! `rollcall brake`: the brake on deletions and deactivations, and letting more through for a while.

use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;
use rollcall::config::Config;
use serde_json::json;

use super::output::{Form, table, time};
use super::{names, session};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show who has deleted or locked how many users within the hour, and what is let through.
    Show {
        #[command(flatten)]
        form: Form,
    },
    /// Let a token delete and lock more than deletion-limit-per-hour, for a while; then the brake holds again by itself.
    Release {
        /// The token: its name or public id.
        #[arg(add = ArgValueCompleter::new(names::of_tokens))]
        token: String,
        /// For so many minutes, at most a day.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(i32).range(1..=1440))]
        minutes: i32,
        /// So many an hour; 0 for any number.
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..=1_000_000))]
        limit: i64,
        #[command(flatten)]
        form: Form,
    },
    /// Give a token a limit of its own, in place of deletion-limit-per-hour.
    Limit {
        /// The token: its name or public id.
        #[arg(add = ArgValueCompleter::new(names::of_tokens))]
        token: String,
        /// So many an hour; 0 for any number.
        #[arg(long, required_unless_present = "default", value_parser = clap::value_parser!(i64).range(0..=1_000_000))]
        limit: Option<i64>,
        /// None of its own any more.
        #[arg(long, conflicts_with = "limit")]
        default: bool,
        #[command(flatten)]
        form: Form,
    },
    /// End a release before its time.
    Restore {
        /// The token: its name or public id.
        #[arg(add = ArgValueCompleter::new(names::of_tokens))]
        token: String,
        #[command(flatten)]
        form: Form,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show { form } => show(config, form).await,
        Command::Release {
            token,
            minutes,
            limit,
            form,
        } => change(config, &token, limit, minutes, form).await,
        Command::Limit {
            token,
            limit,
            default: _,
            form,
        } => set_limit(config, &token, limit, form).await,
        Command::Restore { token, form } => change(config, &token, 0, 0, form).await,
    }
}

async fn show(config: &Config, form: Form) -> anyhow::Result<()> {
    let states = session::with(config, async |db| Ok(db.brake_state().await?)).await?;
    let limit = config.provisioning.deletion_limit_per_hour;
    form.print(&json!({"deletion-limit-per-hour": limit, "actors": states}), |_| {
        let rows: Vec<_> = states
            .iter()
            .map(|state| {
                vec![
                    state.name.clone().unwrap_or_else(|| state.actor.clone()),
                    state.removals.to_string(),
                    state
                        .override_limit
                        .or(state.own_limit)
                        .unwrap_or(i64::from(limit))
                        .to_string(),
                    time(state.override_until),
                ]
            })
            .collect();
        table(
            &["ACTOR", "WITHIN THE HOUR", "LIMIT (0: NONE)", "RELEASED UNTIL"],
            &rows,
        )
    })
}

async fn set_limit(config: &Config, token: &str, limit: Option<i64>, form: Form) -> anyhow::Result<()> {
    let (actor, action) = session::with(config, async |db| {
        Ok(db.brake_limit_set(token, limit, false, &session::origin()).await?)
    })
    .await?;
    form.print(
        &json!({"actor": actor, "limit": limit, "action": action}),
        |_| match limit {
            Some(limit) => format!("{token} may delete and lock {limit} users an hour (0: any number)\n"),
            None => format!("{token} may delete and lock as many users as deletion-limit-per-hour says\n"),
        },
    )
}

async fn change(config: &Config, token: &str, limit: i64, minutes: i32, form: Form) -> anyhow::Result<()> {
    let actor = session::with(config, async |db| {
        Ok(db.brake_override(token, limit, minutes, &session::origin()).await?)
    })
    .await?;
    form.print(&json!({"actor": actor, "limit": limit, "minutes": minutes}), |_| {
        if minutes == 0 {
            format!("the brake holds {token} again\n")
        } else {
            format!("{token} may delete and lock {limit} users an hour (0: any number) for {minutes} minutes\n")
        }
    })
}
