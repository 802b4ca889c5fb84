//! `rollcall user history`: one time line over SCIM, sign-in, imports and the command line.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use jiff::{SignedDuration, Timestamp};
use rollcall::config::Config;
use rollcall::db::HistoryEntry;

use crate::cli::output::time;
use crate::cli::rows::{Rows, RowsForm};
use crate::cli::window::moment;
use crate::cli::{names, session};

/// How far back the time line goes unless said otherwise.
const BACK: SignedDuration = SignedDuration::from_hours(24 * 90);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// userName, POSIX name or SCIM id; the last one of that name, if he is deleted.
    #[arg(add = ArgValueCompleter::new(names::of_users))]
    name: String,
    /// From this time or day (UTC) on, as 2026-01-31T00:00:00Z; without it the last 90 days.
    #[arg(long, value_parser = moment)]
    since: Option<Timestamp>,
    /// At most so many entries, the newest.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    limit: i32,
    #[command(flatten)]
    form: RowsForm,
}

const ROWS: Rows<HistoryEntry> = Rows {
    heads: &["TIME", "SOURCE", "WHAT", "ACTOR", "REQUEST", "DETAIL"],
    row,
};

pub(crate) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<()> {
    let since = arguments.since.map_or_else(|| Timestamp::now().checked_sub(BACK), Ok)?;
    let entries = session::with(config, async |db| {
        let id = super::find_former(db, &arguments.name).await?;
        Ok(db.user_history(id, since, arguments.limit).await?)
    })
    .await?;
    arguments.form.print(&entries, &ROWS)
}

fn row(entry: &HistoryEntry) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        time(Some(entry.at)),
        entry.source.clone(),
        entry.what.clone(),
        entry.actor.clone().unwrap_or_else(dash),
        entry.request_id.clone().unwrap_or_else(dash),
        entry.detail.to_string(),
    ]
}
