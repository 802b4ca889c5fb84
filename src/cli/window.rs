//! Which part of a list that grows is shown: a window of time, so many lines, and following what comes.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::rows::{Rows, RowsForm};

/// Most lines that are read at once.
const MOST_LINES: i32 = 10_000;

/// The arguments of every command that shows what happened.
#[derive(Debug, Args)]
pub(crate) struct Window {
    /// Only from this time on, as 2026-01-31T00:00:00Z, or from this day on (UTC), as 2026-01-31.
    #[arg(long, value_parser = moment)]
    pub(crate) since: Option<Timestamp>,
    /// Only before this time, or this day.
    #[arg(long, value_parser = moment)]
    pub(crate) until: Option<Timestamp>,
    /// At most so many lines, the newest.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    limit: i32,
    /// Print the oldest first, and go on printing what comes.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    form: RowsForm,
}

impl Window {
    /// Prints what `find` gives, newest first; when it is followed, oldest first and then all that comes, until the process is
    /// ended. `find` takes the number of the last line that was seen, and how many lines it may give; `number` tells a
    /// line's.
    pub(crate) async fn show<T: Serialize>(
        &self,
        rows: &Rows<T>,
        number: fn(&T) -> i64,
        mut find: impl AsyncFnMut(Option<i64>, i32) -> anyhow::Result<Vec<T>>,
    ) -> anyhow::Result<()> {
        if !self.follow {
            let lines = find(None, self.limit).await?;
            return self.form.print(&lines, rows);
        }
        let mut seen = None;
        let more = async || {
            let limit = if seen.is_some() { MOST_LINES } else { self.limit };
            let mut lines = find(seen, limit).await?;
            lines.reverse();
            seen = lines.last().map(number).or(seen);
            Ok(lines)
        };
        self.form.follow(rows, more).await
    }
}

/// A time, or the beginning of a day in UTC.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let parsed = match text.parse::<jiff::civil::Date>() {
        Ok(day) if text.len() == "2026-01-31".len() => format!("{day}T00:00:00Z").parse::<Timestamp>(),
        _ => text.parse(),
    };
    parsed.map_err(|_| "expected a time, as 2026-01-31T00:00:00Z, or a day, as 2026-01-31".to_owned())
}
