//! `summary`: turns the measurements of `loadtest/bench` into ratios inside each round, medians over the rounds, and
//! verdicts, as JSON and as a table.

mod goals;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use goals::{Bound, GOALS, Goal};

/// Where from, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The measurements, one JSON object per line.
    measurements: PathBuf,
    /// Write the summary here as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write it here as Markdown.
    #[arg(long)]
    markdown: Option<PathBuf>,
}

/// One line of measurements.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Line {
    /// A value of one side of a goal in one round.
    Value(Measurement),
    /// What the reader must know: machine, command, what was left out.
    Fact {
        /// Its name.
        fact: String,
        /// Its value.
        text: String,
    },
}

/// A value of one side of a goal in one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The goal's name.
    pub goal: String,
    /// Which side.
    pub side: Side,
    /// In which round.
    pub round: u32,
    /// In the goal's unit.
    pub value: f64,
    /// CPU time per operation in microseconds, by process.
    #[serde(default)]
    pub cpu_us_per_op: BTreeMap<String, f64>,
    /// Operations that failed, by their reason.
    #[serde(default)]
    pub errors: BTreeMap<String, u64>,
}

/// Which side of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What is judged.
    Subject,
    /// What it is compared with.
    Base,
}

/// What came out for a goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Verdict {
    goal: &'static str,
    about: &'static str,
    bound: String,
    /// Median over the rounds: a ratio, or the value itself where there is no other side.
    result: f64,
    lowest: f64,
    highest: f64,
    rounds: usize,
    holds: bool,
    /// Medians of both sides, in the goal's unit.
    subject: f64,
    base: Option<f64>,
    unit: &'static str,
    cpu_us_per_op: BTreeMap<String, f64>,
    /// Operations that failed, over all rounds: figures with failures are worth little.
    errors: u64,
}

/// All of it.
#[derive(Debug, Serialize)]
struct Summary {
    facts: Vec<(String, String)>,
    verdicts: Vec<Verdict>,
    missing: Vec<&'static str>,
}

/// Reads, judges and writes. Raises an unreadable line, and measurements of an unknown goal.
pub fn summary(arguments: &Arguments) -> anyhow::Result<()> {
    let file = &arguments.measurements;
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let summary = summarise(&parse(&text)?)?;
    let markdown = table::markdown(&summary);
    if let Some(file) = &arguments.json {
        std::fs::write(file, format!("{}\n", serde_json::to_string_pretty(&summary)?))?;
    }
    if let Some(file) = &arguments.markdown {
        std::fs::write(file, &markdown)?;
    }
    print!("{markdown}");
    Ok(())
}

fn parse(text: &str) -> anyhow::Result<Vec<Line>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a measurement: {line}")))
        .collect()
}

fn summarise(lines: &[Line]) -> anyhow::Result<Summary> {
    let mut measurements: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
    let mut facts = Vec::new();
    for line in lines {
        match line {
            Line::Value(measurement) => {
                let name = measurement.goal.as_str();
                anyhow::ensure!(GOALS.iter().any(|goal| goal.name == name), "{name} is not a goal");
                measurements.entry(name).or_default().push(measurement);
            }
            Line::Fact { fact, text } => facts.push((fact.clone(), text.clone())),
        }
    }
    let judged = GOALS
        .iter()
        .map(|goal| (goal, judge(goal, measurements.get(goal.name))));
    let (mut verdicts, mut missing) = (Vec::new(), Vec::new());
    for (goal, verdict) in judged {
        match verdict {
            Some(verdict) => verdicts.push(verdict),
            None => missing.push(goal.name),
        }
    }
    Ok(Summary {
        facts,
        verdicts,
        missing,
    })
}

/// The median of the ratios inside each round; nothing where no round has what the goal needs.
fn judge(goal: &Goal, measurements: Option<&Vec<&Measurement>>) -> Option<Verdict> {
    let of = |side| measurements.into_iter().flatten().filter(move |m| m.side == side);
    let base_of = |round| of(Side::Base).find(|base| base.round == round).map(|base| base.value);
    let results: Vec<f64> = of(Side::Subject)
        .filter_map(|subject| {
            if goal.has_base {
                base_of(subject.round)
                    .filter(|base| *base > 0.0)
                    .map(|base| subject.value / base)
            } else {
                Some(subject.value)
            }
        })
        .collect();
    let result = median(results.iter().copied())?;
    let mut costs: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, cost) in of(Side::Subject).flat_map(|subject| &subject.cpu_us_per_op) {
        costs.entry(name.clone()).or_default().push(*cost);
    }
    let costs = costs
        .into_iter()
        .filter_map(|(name, of_rounds)| Some((name, median(of_rounds.into_iter())?)));
    Some(Verdict {
        goal: goal.name,
        about: goal.about,
        bound: goal.bound.to_string(),
        lowest: results.iter().copied().fold(f64::INFINITY, f64::min),
        highest: results.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        rounds: results.len(),
        holds: match goal.bound {
            Bound::AtLeast(least) => result >= least,
            Bound::AtMost(most) => result <= most,
        },
        result,
        subject: median(of(Side::Subject).map(|subject| subject.value))?,
        base: median(of(Side::Base).map(|base| base.value)),
        unit: goal.unit,
        cpu_us_per_op: costs.collect(),
        errors: measurements.into_iter().flatten().flat_map(|m| m.errors.values()).sum(),
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (lower, upper) = (
        values.get(values.len().checked_sub(1)? / 2)?,
        values.get(values.len() / 2)?,
    );
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(values: &[(&str, &str, u32, f64)]) -> Vec<Line> {
        let texts: Vec<String> = values
            .iter()
            .map(|(goal, side, round, value)| {
                format!(r#"{{"goal":"{goal}","side":"{side}","round":{round},"value":{value}}}"#)
            })
            .collect();
        parse(&texts.join("\n")).unwrap()
    }

    #[test]
    fn ratios_are_taken_inside_a_round_and_then_their_median() {
        // The machine is twice as fast in the second round: absolute rates would mislead.
        let lines = lines(&[
            ("create-16", "base", 1, 1_000.0),
            ("create-16", "subject", 1, 500.0),
            ("create-16", "base", 2, 2_000.0),
            ("create-16", "subject", 2, 1_000.0),
            ("create-16", "base", 3, 1_000.0),
            ("create-16", "subject", 3, 300.0),
        ]);
        let verdict = &summarise(&lines).unwrap().verdicts[0];
        assert!((verdict.result - 0.5).abs() < 1e-9 && verdict.holds);
        assert!((verdict.lowest - 0.3).abs() < 1e-9);
        assert_eq!(verdict.rounds, 3);
    }

    #[test]
    fn a_round_without_its_other_side_does_not_count() {
        let lines = lines(&[("create-16", "subject", 1, 500.0)]);
        let summary = summarise(&lines).unwrap();
        assert!(summary.verdicts.is_empty());
        assert!(summary.missing.contains(&"create-16"));
    }

    #[test]
    fn a_goal_that_is_missed_says_so() {
        let lines = lines(&[
            ("start", "subject", 1, 1.5),
            ("start", "subject", 2, 0.2),
            ("start", "subject", 3, 1.6),
        ]);
        let verdict = &summarise(&lines).unwrap().verdicts[0];
        assert!(!verdict.holds && (verdict.result - 1.5).abs() < 1e-9);
    }

    #[test]
    fn an_unknown_goal_is_an_error() {
        assert!(summarise(&lines(&[("fame", "subject", 1, 1.0)])).is_err());
    }
}
