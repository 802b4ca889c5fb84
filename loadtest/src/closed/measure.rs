//! Which figures of a round are measurements of a goal, and writing them down for `summary`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, bail};

use super::Outcome;
use crate::summary::{Measurement, Side};

/// A figure of a round, and the goal that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    goal: String,
    side: Side,
    figure: Figure,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Figure {
    /// Operations per second.
    Rate,
    /// The median latency, in microseconds, of all operations or of a variant.
    Median(Option<String>),
    /// The latency, in microseconds, that one operation in a hundred takes longer than.
    P99,
    /// Bytes of write-ahead log per operation; needs `--watch-database`.
    Wal,
}

impl FromStr for Measure {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (goal, side, figure) = match parts.as_slice() {
            [goal, side, "ops"] => (goal, side, Figure::Rate),
            [goal, side, "p50"] => (goal, side, Figure::Median(None)),
            [goal, side, "p99"] => (goal, side, Figure::P99),
            [goal, side, "wal"] => (goal, side, Figure::Wal),
            [goal, side, "p50", variant] => (goal, side, Figure::Median(Some((*variant).to_owned()))),
            _ => bail!("{text}: expected GOAL:SIDE:ops, :wal, :p99 or GOAL:SIDE:p50[:VARIANT]"),
        };
        let side = match *side {
            "subject" => Side::Subject,
            "base" => Side::Base,
            other => bail!("{other}: a side is subject or base"),
        };
        Ok(Self {
            goal: (*goal).to_owned(),
            side,
            figure,
        })
    }
}

/// Appends one line per measure. Raises a variant that the operation does not have, and a log that was not watched.
pub(super) fn append(file: &Path, measures: &[Measure], outcome: &Outcome) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    for measure in measures {
        let value = match &measure.figure {
            Figure::Rate => outcome.ops_per_second,
            Figure::Median(None) => outcome.latency.p50_us as f64,
            Figure::Wal => outcome
                .database_per_op
                .map(|work| work.wal_bytes)
                .context("a measure of the log needs --watch-database")?,
            Figure::P99 => outcome.latency.p99_us as f64,
            Figure::Median(Some(variant)) => {
                let quantiles = outcome.variants.get(variant);
                quantiles.with_context(|| format!("no variant {variant}"))?.p50_us as f64
            }
        };
        let line = Measurement {
            goal: measure.goal.clone(),
            side: measure.side,
            round: outcome.round,
            value,
            cpu_us_per_op: outcome.cpu_us_per_op.clone(),
            errors: outcome.errors.clone(),
        };
        writeln!(file, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}

/// Appends a round as one line of `scale`.
pub(super) fn record(file: &Path, step: &str, size: u64, outcome: &Outcome) -> anyhow::Result<()> {
    let mut line = serde_json::to_value(outcome)?;
    line["step"] = step.into();
    line["size"] = size.into();
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    Ok(writeln!(file, "{line}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_names_goal_side_and_figure() {
        let measure: Measure = "patch-size:base:p50:10".parse().unwrap();
        assert_eq!(measure.goal, "patch-size");
        assert_eq!(measure.side, Side::Base);
        assert_eq!(measure.figure, Figure::Median(Some("10".to_owned())));
        for text in [
            "create",
            "create:subject:p90",
            "create:both:ops",
            "create:subject:ops:x",
        ] {
            assert!(text.parse::<Measure>().is_err(), "{text}");
        }
    }
}
