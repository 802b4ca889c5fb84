//! `rollcall audit`: who changed what.

use clap::Args;
use jiff::Timestamp;
use rollcall::config::Config;
use rollcall::db::AuditFilter;

use super::output::{Form, table, time};
use super::{session, user};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only what happened to this user: userName, POSIX name or SCIM id.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only what this actor did: a token's public id, or os:NAME.
    #[arg(long)]
    actor: Option<String>,
    /// Only from this time on, as 2026-01-31T00:00:00Z.
    #[arg(long)]
    since: Option<Timestamp>,
    /// At most so many lines, newest first.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    limit: i32,
    #[command(flatten)]
    form: Form,
}

pub(crate) async fn print(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let entries = session::with(config, async |db| {
        let subject = match &arguments.user {
            Some(name) => Some(user::find(db, name).await?),
            None => None,
        };
        let filter = AuditFilter {
            subject,
            actor: arguments.actor.clone(),
            since: arguments.since,
            before: None,
            limit: arguments.limit,
        };
        Ok(db.audit_list(&filter).await?)
    })
    .await?;
    arguments.form.print(&entries, |entries| {
        let rows: Vec<_> = entries
            .iter()
            .map(|e| {
                vec![
                    time(Some(e.at)),
                    e.actor.clone(),
                    e.path.clone(),
                    format!("{} {}", e.action, e.resource),
                    e.subject.map_or_else(|| "-".to_owned(), |id| id.to_string()),
                    e.request_id.clone().unwrap_or_else(|| "-".to_owned()),
                    e.detail.to_string(),
                ]
            })
            .collect();
        table(
            &["TIME", "ACTOR", "PATH", "ACTION", "SUBJECT", "REQUEST", "DETAIL"],
            &rows,
        )
    })
}
