//! `rollcall audit`: who changed what.

use clap::Args;
use jiff::Timestamp;
use rollcall::config::Config;
use rollcall::db::{AuditEntry, AuditFilter, Database};

use super::output::time;
use super::rows::{Rows, RowsForm};
use super::{session, user};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only what happened to this user: userName, POSIX name or SCIM id; the last one of that name, if he is deleted.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only what this actor did: token:ID, login:PROVIDER, user:ID (at the pages) or os:NAME.
    #[arg(long)]
    actor: Option<String>,
    /// Only what this token did: its name or public id.
    #[arg(long, conflicts_with = "actor")]
    token: Option<String>,
    /// Only what came this way.
    #[arg(long, value_parser = ["scim", "login", "cli", "import", "web"])]
    path: Option<String>,
    /// Only this action, as create, update, lock, unlock, delete, revoke.
    #[arg(long)]
    action: Option<String>,
    /// Only what one request caused.
    #[arg(long, value_name = "ID")]
    request: Option<String>,
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

const ROWS: Rows<AuditEntry> = Rows {
    heads: &["TIME", "ACTOR", "PATH", "ACTION", "SUBJECT", "REQUEST", "DETAIL"],
    row,
};

pub(crate) async fn print(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    session::with(config, async |db| {
        let subject = match &arguments.user {
            Some(name) => Some(user::find_former(db, name).await?),
            None => None,
        };
        let actor = match &arguments.token {
            Some(name) => Some(actor_of_token(db, name).await?),
            None => arguments.actor.clone(),
        };
        let mut filter = AuditFilter {
            subject,
            actor,
            path: arguments.path.clone(),
            action: arguments.action.clone(),
            request_id: arguments.request.clone(),
            since: arguments.since,
            until: arguments.until,
            ..AuditFilter::default()
        };
        if !arguments.follow {
            let entries = db.audit_find(&filter, arguments.limit).await?;
            return arguments.form.print(&entries, &ROWS);
        }
        let more = async || {
            let limit = if filter.after.is_some() {
                10_000
            } else {
                arguments.limit
            };
            let mut entries = db.audit_find(&filter, limit).await?;
            entries.reverse();
            filter.after = entries.last().map(|entry| entry.id).or(filter.after);
            Ok(entries)
        };
        arguments.form.follow(&ROWS, more).await
    })
    .await
}

/// A token that is forgotten by now still has its lines: what is no name is taken as a public id.
async fn actor_of_token(db: &Database, name: &str) -> anyhow::Result<String> {
    let tokens = db.token_list(true).await?;
    let known = tokens.into_iter().find(|token| token.name == name);
    let id = known.map_or_else(|| name.to_owned(), |token| token.public_id);
    Ok(format!("token:{id}"))
}

fn row(entry: &AuditEntry) -> Vec<String> {
    vec![
        time(Some(entry.at)),
        entry.actor.clone(),
        entry.path.clone(),
        format!("{} {}", entry.action, entry.resource),
        entry.subject.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        entry.request_id.clone().unwrap_or_else(|| "-".to_owned()),
        entry.detail.to_string(),
    ]
}
