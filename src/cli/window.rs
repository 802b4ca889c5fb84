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
    /// ended. `find` takes the stretch of lines and how many of its newest it may give; `number` tells a line's.
    pub(crate) async fn show<T: Serialize>(
        &self,
        rows: &Rows<T>,
        number: fn(&T) -> i64,
        mut find: impl AsyncFnMut(Stretch, i32) -> anyhow::Result<Vec<T>>,
    ) -> anyhow::Result<()> {
        if !self.follow {
            let lines = find(Stretch::default(), self.limit).await?;
            return self.form.print(&lines, rows);
        }
        let mut seen = None;
        let more = async || self.news(&mut seen, number, &mut find).await;
        self.form.follow(rows, more).await
    }

    /// The lines behind the last one that was seen, oldest first, and notes that they are seen; at the first look the newest ones.
    async fn news<T>(
        &self,
        seen: &mut Option<i64>,
        number: fn(&T) -> i64,
        find: &mut impl AsyncFnMut(Stretch, i32) -> anyhow::Result<Vec<T>>,
    ) -> anyhow::Result<Vec<T>> {
        let mut stretch = Stretch {
            after: *seen,
            before: None,
        };
        let most = if seen.is_some() { MOST_LINES } else { self.limit };
        let mut lines = find(stretch, most).await?;
        // More may have come since the last look than one answer holds.
        let mut found = lines.len();
        while seen.is_some() && i32::try_from(found) == Ok(most) {
            stretch.before = lines.last().map(number);
            let older = find(stretch, most).await?;
            found = older.len();
            lines.extend(older);
        }
        lines.reverse();
        *seen = Some(lines.last().map(number).or(*seen).unwrap_or_default());
        Ok(lines)
    }
}

/// A stretch of the lines, by their numbers, which begin with 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stretch {
    /// Behind this one.
    pub(crate) after: Option<i64>,
    /// Before this one.
    pub(crate) before: Option<i64>,
}

/// A time, or the beginning of a day in UTC.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let parsed = match text.parse::<jiff::civil::Date>() {
        Ok(day) if text.len() == "2026-01-31".len() => format!("{day}T00:00:00Z").parse::<Timestamp>(),
        _ => text.parse(),
    };
    parsed.map_err(|_| "expected a time, as 2026-01-31T00:00:00Z, or a day, as 2026-01-31".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{MOST_LINES, Stretch, Window};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        window: Window,
    }

    /// The newest `limit` of the numbers from 1 to `last` in a stretch.
    fn newest(last: i64, stretch: Stretch, limit: i32) -> Vec<i64> {
        let first = stretch.after.unwrap_or(0) + 1;
        let last = stretch.before.map_or(last, |before| before - 1);
        (first..=last).rev().take(usize::try_from(limit).unwrap()).collect()
    }

    #[tokio::test]
    async fn whoever_follows_misses_nothing_however_much_comes_between_two_looks() {
        let window = Command::parse_from(["log", "--follow", "--limit", "5"]).window;
        let burst = 2 * i64::from(MOST_LINES) + 7;
        for (before, shown_first) in [(0, 0), (3, 3), (20, 5)] {
            let (mut seen, mut shown) = (None, Vec::new());
            for last in [before, before, before + burst, before + burst + 1] {
                let mut find = async |stretch, limit| Ok(newest(last, stretch, limit));
                shown.extend(window.news(&mut seen, |line| *line, &mut find).await.unwrap());
            }
            let wanted: Vec<i64> = (before - shown_first + 1..=before + burst + 1).collect();
            assert!(shown == wanted, "{before}: {} of {} lines", shown.len(), wanted.len());
        }
    }
}
