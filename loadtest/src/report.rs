//! `report`: the results of `run` for people (text) and for pages (SVG charts).

pub mod chart;
pub mod text;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::run::Results;
use crate::scale;
use chart::{Axis, Chart};

/// Which results, and what to make of them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files written by `run --out`.
    #[arg(required_unless_present = "scale")]
    results: Vec<PathBuf>,
    /// Draw charts into this folder: PROFILE-over-load.svg, PROFILE-over-time.svg, PROFILE-memory.svg.
    #[arg(long)]
    charts: Option<PathBuf>,
    /// The working folder of `loadtest/scale`: write tables, charts and the capacity page into the folder of `--out`.
    #[arg(long, value_name = "DIR", requires = "out", conflicts_with = "results")]
    scale: Option<PathBuf>,
    /// Where they go.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print JSON instead of text: one object per file.
    #[arg(long)]
    json: bool,
}

/// Prints and draws. Raises what cannot be read or written.
pub fn report(arguments: &Arguments) -> anyhow::Result<()> {
    if let (Some(measured), Some(out)) = (&arguments.scale, &arguments.out) {
        return scale::report(measured, out);
    }
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
            draw(folder, &results)?;
        }
    }
    Ok(())
}

/// Writes the charts of a run; returns their names. Raises a folder that cannot be written.
pub fn draw(folder: &Path, results: &Results) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    let mut charts = vec![("over-time", over_time(results))];
    if results.loads.len() > 1 {
        charts.push(("over-load", over_load(results)));
    }
    if results.processes.values().any(|used| used.memory.len() > 2) {
        charts.push(("memory", memory(results)));
    }
    let write = |(name, chart): (&str, Chart)| {
        let name = format!("{}-{name}.svg", results.profile);
        let file = folder.join(&name);
        std::fs::write(&file, chart.svg()).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(name)
    };
    charts.into_iter().map(write).collect()
}

fn memory(results: &Results) -> Chart {
    let lines = results.processes.iter().map(|(name, used)| {
        let points = used.memory.iter().map(|(second, mib)| (*second as f64, *mib));
        (name.clone(), points.collect())
    });
    Chart {
        title: format!("{}: resident memory over time", results.profile),
        x: "seconds".to_owned(),
        x_axis: Axis::Linear,
        y: "MiB".to_owned(),
        lines: lines.collect(),
    }
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
        x_axis: Axis::Linear,
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
        x_axis: Axis::Linear,
        y: "milliseconds".to_owned(),
        lines: vec![
            ("p50".to_owned(), line(|q| q.p50_us)),
            ("p99".to_owned(), line(|q| q.p99_us)),
        ],
    }
}
