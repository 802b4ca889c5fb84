//! `rollcall scim log`: the last requests of each token, redacted, with the exact error given.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;
use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::db::requests::{NotedRequest, RequestFilter};
use rollcall::fold::fold;
use uuid::Uuid;

use super::output::time;
use super::rows::Rows;
use super::window::{Stretch, Window};
use super::{Refused, names, session, token};

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
    /// Only requests about this user: userName, POSIX name or SCIM id. A userName also finds creations that were refused.
    #[arg(long, add = ArgValueCompleter::new(names::of_users))]
    user: Option<String>,
    /// Only what was refused.
    #[arg(long)]
    failed: bool,
    /// Only what was not refused.
    #[arg(long, conflicts_with = "failed")]
    succeeded: bool,
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
        if let Some(name) = &arguments.token {
            check_token(db, name).await?;
        }
        let (user, user_name_key) = match &arguments.user {
            Some(name) => named(db, name).await?,
            None => (None, None),
        };
        let mut filter = RequestFilter {
            token: arguments.token.clone(),
            failed: arguments.failed,
            succeeded: arguments.succeeded,
            status: arguments.status,
            user,
            user_name_key,
            since: arguments.window.since,
            until: arguments.window.until,
            ..RequestFilter::default()
        };
        let find = async |stretch: Stretch, limit| {
            (filter.after, filter.before) = (stretch.after, stretch.before);
            Ok(db.requests_find(&filter, limit).await?)
        };
        arguments.window.show(&ROWS, |noted| noted.id, find).await
    })
    .await
}

/// The id behind a name and its key. The name may be nobody's: the creation may be what was refused.
async fn named(db: &Database, name: &str) -> anyhow::Result<(Option<Uuid>, Option<String>)> {
    if let Ok(id) = name.parse() {
        return Ok((Some(id), None));
    }
    let key = fold(name);
    let user = db.user_find_former(&key, name).await?;
    let filter = RequestFilter {
        user_name_key: Some(key),
        ..RequestFilter::default()
    };
    if user.is_none() && db.requests_find(&filter, 1).await?.is_empty() {
        return Err(Refused(format!(
            "there is no user {name:?} and was none, and no refused request names one"
        ))
        .into());
    }
    Ok((user, filter.user_name_key))
}

/// Refuses the name of a token that nobody has or had. One that is forgotten by now still has its requests.
async fn check_token(db: &Database, name: &str) -> anyhow::Result<()> {
    let filter = RequestFilter {
        token: Some(name.to_owned()),
        ..RequestFilter::default()
    };
    if token::known(db, name).await?.is_none() && db.requests_find(&filter, 1).await?.is_empty() {
        return Err(token::unknown(name));
    }
    Ok(())
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
