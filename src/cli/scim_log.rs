//! `rollcall scim log`: the last requests of each token, redacted, with the exact error given.

use clap::Subcommand;
use rollcall::config::Config;

use super::output::{Form, table, time};
use super::session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the last requests, newest first.
    Log {
        /// Only of this token: its name or public id.
        #[arg(long)]
        token: Option<String>,
        /// Only what was refused.
        #[arg(long)]
        failed: bool,
        /// At most so many lines.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=10_000))]
        limit: i32,
        #[command(flatten)]
        form: Form,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let Command::Log {
        token,
        failed,
        limit,
        form,
    } = command;
    let noted = session::with(config, async |db| {
        Ok(db.requests_list(token.as_deref(), failed, limit).await?)
    })
    .await?;
    form.print(&noted, |noted| {
        let rows: Vec<_> = noted
            .iter()
            .map(|n| {
                let r = &n.request;
                vec![
                    time(Some(r.at)),
                    n.token_name.clone().unwrap_or_else(|| r.token.clone()),
                    format!("{} {}", r.method, r.target),
                    r.status.to_string(),
                    r.scim_type.clone().unwrap_or_else(|| "-".to_owned()),
                    r.detail.clone().unwrap_or_else(|| "-".to_owned()),
                    r.request_id.clone(),
                ]
            })
            .collect();
        table(
            &["TIME", "TOKEN", "REQUEST", "STATUS", "SCIMTYPE", "DETAIL", "ID"],
            &rows,
        )
    })
}
