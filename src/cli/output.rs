//! What commands print: tables for people, JSON for scripts, complaints on standard error.

use std::io::Write as _;

use clap::ValueEnum;
use serde::Serialize;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// A table or a sentence.
    #[default]
    Table,
    /// JSON.
    Json,
}

/// `--output`, for every command that answers.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Form {
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Output::Table, value_name = "FORM")]
    pub(crate) output: Output,
}

impl Form {
    /// Prints `value` as JSON, or what `table` makes of it.
    pub(crate) fn print<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let text = match self.output {
            Output::Json => serde_json::to_string_pretty(value)? + "\n",
            Output::Table => table(value),
        };
        write(&text)
    }
}

/// Writes to standard output; a reader that went away is no error.
pub(crate) fn write(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    unless_unread(
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Into::into),
    )
}

/// The outcome of writing, but that a reader who went away had enough of it.
pub(crate) fn unless_unread(outcome: anyhow::Result<()>) -> anyhow::Result<()> {
    let is_unread = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    match outcome {
        Err(error) if error.downcast_ref().is_some_and(is_unread) => Ok(()),
        outcome => outcome,
    }
}

/// Writes a complaint to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "rollcall: {text}");
}

/// Cuts a list that was read one longer than `limit`, and says so on standard error: a script must not take a part for all.
pub(crate) fn tell_cut<T>(list: &mut Vec<T>, limit: u32) {
    let limit = limit as usize;
    if list.len() > limit {
        list.truncate(limit);
        complain(&format!("only the first {limit} are shown: --limit says how many"));
    }
}

/// Columns aligned under their heads. Control characters are shown escaped, so that a name cannot move the cursor.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .chain(std::iter::once(head.chars().count()))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    };
    let mut text = line(&mut heads.iter().copied());
    for row in &rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

fn plain(cell: &str) -> String {
    cell.chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

/// A time for a table, or a dash.
pub(crate) fn time(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_control_characters_escaped() {
        let text = table(
            &["a", "name"],
            &[vec!["1".into(), "x\u{1b}[2J".into()], vec!["22".into(), "é".into()]],
        );
        assert_eq!(text, "a   name\n1   x\\u{1b}[2J\n22  é\n");
    }
}
