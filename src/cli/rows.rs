//! Lists that grow: as a table, JSON or CSV, and followed while they grow.

use std::time::Duration;

use clap::ValueEnum;
use rollcall::transfer::quote;
use serde::Serialize;

use super::output::{table, write};

/// How often a followed list is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum RowsOutput {
    /// A table.
    #[default]
    Table,
    /// An array of JSON; while following, an object a line.
    Json,
    /// Comma-separated values with a line of heads.
    Csv,
}

/// `--output` of commands that list what happened.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct RowsForm {
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = RowsOutput::Table, value_name = "FORM")]
    output: RowsOutput,
}

/// A list and how it is shown.
pub(crate) struct Rows<T> {
    /// The heads of the columns.
    pub(crate) heads: &'static [&'static str],
    /// One line.
    pub(crate) row: fn(&T) -> Vec<String>,
}

impl RowsForm {
    /// Prints the whole list.
    pub(crate) fn print<T: Serialize>(self, entries: &[T], rows: &Rows<T>) -> anyhow::Result<()> {
        let lines = || entries.iter().map(rows.row).collect::<Vec<_>>();
        write(&match self.output {
            RowsOutput::Json => serde_json::to_string_pretty(entries)? + "\n",
            RowsOutput::Table => table(rows.heads, &lines()),
            RowsOutput::Csv => csv(&[rows.heads.iter().map(|head| (*head).to_owned()).collect()]) + &csv(&lines()),
        })
    }

    /// Prints the list, oldest first, and then whatever `more` finds behind it, until the process is ended.
    pub(crate) async fn follow<T: Serialize>(
        self,
        rows: &Rows<T>,
        mut more: impl AsyncFnMut() -> anyhow::Result<Vec<T>>,
    ) -> anyhow::Result<()> {
        if self.output == RowsOutput::Csv {
            write(&csv(&[rows.heads.iter().map(|head| (*head).to_owned()).collect()]))?;
        }
        loop {
            let entries = more().await?;
            let lines = || entries.iter().map(rows.row);
            let text = match self.output {
                RowsOutput::Json => {
                    let lines = entries
                        .iter()
                        .map(serde_json::to_string)
                        .collect::<Result<Vec<_>, _>>()?;
                    lines.into_iter().map(|line| line + "\n").collect()
                }
                // A table's columns would jump with every batch.
                RowsOutput::Table => lines()
                    .map(|row| table(&vec![""; row.len()], &[row]).trim_start().to_owned())
                    .collect(),
                RowsOutput::Csv => csv(&lines().collect::<Vec<_>>()),
            };
            write(&text)?;
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn csv(rows: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| row.iter().map(|field| quote(field)).collect::<Vec<_>>().join(",") + "\n";
    rows.iter().map(line).collect()
}
