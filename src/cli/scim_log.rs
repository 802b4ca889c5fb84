//! `rollcall scim log`: the last requests of each token, redacted, with the exact error given.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use rollcall::config::Config;
use rollcall::db::requests::{NotedRequest, RequestFilter};

use super::output::time;
use super::rows::{Rows, RowsForm};
use super::{session, user};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the last requests, newest first.
    Log(Arguments),
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only of this token: its name or public id.
    #[arg(long)]
    token: Option<String>,
    /// Only requests that name this user: userName, POSIX name or SCIM id.
    #[arg(long)]
    user: Option<String>,
    /// Only what was refused.
    #[arg(long)]
    failed: bool,
    /// Only with this HTTP status.
    #[arg(long, value_parser = clap::value_parser!(u16).range(100..=599))]
    status: Option<u16>,
    /// Only from this time on, as 2026-01-31T00:00:00Z.
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only before this time.
    #[arg(long)]
    until: Option<Timestamp>,
    /// At most so many lines, the newest.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    limit: i32,
    /// Print the oldest first, and go on printing what comes.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    form: RowsForm,
}

const ROWS: Rows<NotedRequest> = Rows {
    heads: &["TIME", "TOKEN", "REQUEST", "STATUS", "SCIMTYPE", "DETAIL", "ID"],
    row,
};

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let Command::Log(arguments) = command;
    session::with(config, async |db| {
        let user = match &arguments.user {
            Some(name) => Some(user::find_former(db, name).await?),
            None => None,
        };
        let mut filter = RequestFilter {
            token: arguments.token.clone(),
            failed: arguments.failed,
            status: arguments.status,
            user,
            since: arguments.since,
            until: arguments.until,
            after: None,
        };
        if !arguments.follow {
            let noted = db.requests_find(&filter, arguments.limit).await?;
            return arguments.form.print(&noted, &ROWS);
        }
        let more = async || {
            let limit = if filter.after.is_some() {
                10_000
            } else {
                arguments.limit
            };
            let mut noted = db.requests_find(&filter, limit).await?;
            noted.reverse();
            filter.after = noted.last().map(|noted| noted.id).or(filter.after);
            Ok(noted)
        };
        arguments.form.follow(&ROWS, more).await
    })
    .await
}

fn row(noted: &NotedRequest) -> Vec<String> {
    let request = &noted.request;
    vec![
        time(Some(request.at)),
        noted.token_name.clone().unwrap_or_else(|| request.token.clone()),
        format!("{} {}", request.method, request.target),
        request.status.to_string(),
        request.scim_type.clone().unwrap_or_else(|| "-".to_owned()),
        request.detail.clone().unwrap_or_else(|| "-".to_owned()),
        request.request_id.clone(),
    ]
}
