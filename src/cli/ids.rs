//! `rollcall ids`: blocks of numbers that are not given, because something else has them.

use clap::Subcommand;
use rollcall::config::Config;
use rollcall::db::id_blocks::IdBlock;
use serde_json::json;

use super::output::{Form, table};
use super::{Misconfigured, session};

/// Numbers that people may have.
const LOWEST: i64 = 1000;
const HIGHEST: i64 = 2_147_352_575;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the blocks of numbers that are not given by themselves, those that ship and those of the site.
    List {
        #[command(flatten)]
        form: Form,
    },
    /// Keep a block of numbers for something else; whoever holds one of them keeps it.
    Reserve {
        /// The lowest number.
        #[arg(value_parser = clap::value_parser!(i64).range(LOWEST..=HIGHEST))]
        first: i64,
        /// The highest number.
        #[arg(value_parser = clap::value_parser!(i64).range(LOWEST..=HIGHEST))]
        last: i64,
        /// What has them, for people.
        #[arg(long)]
        reason: String,
        /// Refuse them also to whoever asks for one; only while nobody has any.
        #[arg(long)]
        hard: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Give a block of the site back.
    Release {
        /// The lowest number.
        first: i64,
        /// The highest number.
        last: i64,
        #[command(flatten)]
        form: Form,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { form } => {
            let blocks = session::with(config, async |db| Ok(db.id_blocks().await?)).await?;
            form.print(&blocks, |blocks| {
                let rows: Vec<_> = blocks.iter().map(row).collect();
                table(&["FIRST", "LAST", "IF ASKED FOR", "BY", "REASON"], &rows)
            })
        }
        Command::Reserve {
            first,
            last,
            reason,
            hard,
            form,
        } => {
            check_order(first, last)?;
            if reason.trim().is_empty() {
                return Err(Misconfigured(
                    "--reason says for people what has the numbers: it must not be empty".into(),
                )
                .into());
            }
            let block = IdBlock {
                first,
                last,
                hard,
                reason,
                by_site: true,
            };
            let action = session::with(config, async |db| {
                Ok(db.id_block_reserve(&block, false, &session::origin()).await?)
            })
            .await?;
            form.print(
                &json!({"first": first, "last": last, "hard": hard, "action": action}),
                |_| {
                    let word = if action == "keep" {
                        "were kept already"
                    } else {
                        "are kept"
                    };
                    format!("{first} to {last} {word}\n")
                },
            )
        }
        Command::Release { first, last, form } => {
            check_order(first, last)?;
            session::with(config, async |db| {
                Ok(db.id_block_release(first, last, &session::origin()).await?)
            })
            .await?;
            form.print(&json!({"first": first, "last": last, "released": true}), |_| {
                format!("{first} to {last} may be given again\n")
            })
        }
    }
}

fn check_order(first: i64, last: i64) -> anyhow::Result<()> {
    if first > last {
        let text = format!("{first} is higher than {last}: a block goes from its lowest number to its highest");
        return Err(Misconfigured(text).into());
    }
    Ok(())
}

fn row(block: &IdBlock) -> Vec<String> {
    vec![
        block.first.to_string(),
        block.last.to_string(),
        if block.hard { "refused" } else { "given" }.to_owned(),
        if block.by_site { "the site" } else { "Rollcall" }.to_owned(),
        block.reason.clone(),
    ]
}
