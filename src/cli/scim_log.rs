//! `rollcall scim log`: the last requests of each token, redacted, with the exact error given.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;
use rollcall::config::Config;
use rollcall::db::requests::{NotedRequest, RequestFilter};

use super::output::time;
use super::rows::Rows;
use super::window::Window;
use super::{names, session, user};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the last requests, newest first.
    Log(Arguments),
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only of this token: its name or public id.
    #[arg(long, add = ArgValueCompleter::new(names::of_tokens))]
    token: Option<String>,
    /// Only requests that name this user: userName, POSIX name or SCIM id.
    #[arg(long, add = ArgValueCompleter::new(names::of_users))]
    user: Option<String>,
    /// Only what was refused.
    #[arg(long)]
    failed: bool,
    /// Only with this HTTP status.
    #[arg(long, value_parser = clap::value_parser!(u16).range(100..=599))]
    status: Option<u16>,
    #[command(flatten)]
    window: Window,
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
            since: arguments.window.since,
            until: arguments.window.until,
            after: None,
        };
        let find = async |after, limit| {
            filter.after = after;
            Ok(db.requests_find(&filter, limit).await?)
        };
        arguments.window.show(&ROWS, |noted| noted.id, find).await
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
