//! `report`: the results of `run` for people (text) and for pages (SVG charts).

mod chart;
pub mod text;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::run::Results;
use chart::Chart;

/// Which results, and what to make of them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files written by `run --out`.
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// Draw charts into this folder: PROFILE-over-load.svg and PROFILE-over-time.svg.
    #[arg(long)]
    charts: Option<PathBuf>,
    /// Print JSON instead of text: one object per file.
    #[arg(long)]
    json: bool,
}

/// Prints and draws. Raises what cannot be read or written.
pub fn report(arguments: &Arguments) -> anyhow::Result<()> {
    for file in &arguments.results {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let results: Results =
            serde_json::from_str(&text).with_context(|| format!("{}: no results", file.display()))?;
        if arguments.json {
            println!("{}", serde_json::to_string(&results)?);
        } else {
            print!("{}", text::table(&results));
        }
        if let Some(folder) = &arguments.charts {
            std::fs::create_dir_all(folder)?;
            for (name, chart) in [("over-load", over_load(&results)), ("over-time", over_time(&results))] {
                let file = folder.join(format!("{}-{name}.svg", results.profile));
                std::fs::write(&file, chart.svg()).with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
    }
    Ok(())
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1_000.0
}

fn over_load(results: &Results) -> Chart {
    let mut loads: Vec<_> = results.loads.iter().filter(|load| load.latency.count > 0).collect();
    loads.sort_by(|a, b| a.load.rate.total_cmp(&b.load.rate));
    let line = |pick: fn(&crate::latency::Quantiles) -> u64| {
        let points = loads
            .iter()
            .map(|load| (load.load.rate, milliseconds(pick(&load.latency))));
        points.collect()
    };
    Chart {
        title: format!("{}: latency over load", results.profile),
        x: "operations due per second".to_owned(),
        y: "milliseconds".to_owned(),
        lines: vec![
            ("p50".to_owned(), line(|q| q.p50_us)),
            ("p99".to_owned(), line(|q| q.p99_us)),
        ],
    }
}

fn over_time(results: &Results) -> Chart {
    let line = |pick: fn(&crate::latency::Quantiles) -> u64| {
        let points = results.over_time.iter();
        points
            .map(|(second, latency)| (*second as f64, milliseconds(pick(latency))))
            .collect()
    };
    Chart {
        title: format!("{}: latency over time", results.profile),
        x: "seconds".to_owned(),
        y: "milliseconds".to_owned(),
        lines: vec![
            ("p50".to_owned(), line(|q| q.p50_us)),
            ("p99".to_owned(), line(|q| q.p99_us)),
        ],
    }
}
