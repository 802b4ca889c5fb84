//! Charts of what `loadtest/scale` has measured: time and CPU against size, and those of the profiles.

use std::path::Path;

use anyhow::Context;

use super::measured::{Cost, Measured};
use crate::report;
use crate::report::chart::{Axis, Chart};

/// Which operations are drawn in one chart, and the chart's name. A chart tells eight lines apart.
const CHARTS: [(&str, &[&str]); 3] = [
    (
        "writes",
        &[
            "create",
            "patch-member",
            "login-first",
            "login-churn",
            "login-unchanged",
        ],
    ),
    (
        "filters",
        &[
            "filter user-name",
            "filter user-name-start",
            "filter external-id",
            "filter email",
            "filter id",
            "filter posix-user-id",
            "filter group-name",
            "filter member",
        ],
    ),
    (
        "nodes",
        &["nss-name", "nss-uid", "nss-initgroups", "nss-changes", "cursor-pages"],
    ),
];

/// Writes all charts into a folder; returns their names. Raises a folder that cannot be written.
pub fn draw(measured: &Measured, folder: &Path) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut names = Vec::new();
    for (name, operations) in CHARTS {
        for (figure, y, of) in [
            ("time", "p50 in microseconds", (|cost| cost.p50_us) as fn(&Cost) -> f64),
            ("cpu", "CPU microseconds of service and PostgreSQL", Cost::cpu),
        ] {
            let chart = against_size(measured, name, operations, y, of);
            if chart.lines.is_empty() {
                continue;
            }
            let file = format!("size-{name}-{figure}.svg");
            std::fs::write(folder.join(&file), chart.svg())?;
            names.push(file);
        }
    }
    for results in measured.runs.values() {
        names.extend(report::draw(folder, results)?);
    }
    Ok(names)
}

fn against_size(measured: &Measured, name: &str, operations: &[&str], y: &str, of: fn(&Cost) -> f64) -> Chart {
    let line = |operation: &&str| {
        let sizes = measured.flat.get(*operation)?;
        let points = sizes.iter().map(|(size, cost)| (*size as f64, of(cost)));
        Some(((*operation).to_owned(), points.collect()))
    };
    Chart {
        title: format!("{name}: one operation against the number of users"),
        x: "users".to_owned(),
        x_axis: Axis::Logarithmic,
        y: y.to_owned(),
        lines: operations.iter().filter_map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measured::tests::sample;
    use super::*;

    #[test]
    fn what_was_measured_is_drawn_and_the_rest_left_out() {
        let folder = std::env::temp_dir().join(format!("rollcall-charts-{}", std::process::id()));
        let names = draw(&sample(), &folder).unwrap();
        let expected = [
            "size-writes-time.svg",
            "size-writes-cpu.svg",
            "size-nodes-time.svg",
            "size-nodes-cpu.svg",
        ];
        assert_eq!(names, expected);
        let svg = std::fs::read_to_string(folder.join("size-writes-time.svg")).unwrap();
        assert!(svg.contains(">create</text>") && !svg.contains("login-first"), "{svg}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
