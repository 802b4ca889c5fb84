//! The summary as Markdown.

use std::fmt::Write as _;

use super::{Summary, Verdict};

/// A page: the facts, the table, what is missing.
pub fn markdown(summary: &Summary) -> String {
    let mut text = String::from("# Results\n\n");
    for (fact, value) in &summary.facts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {fact}: {value}");
    }
    text.push_str(
        "\nRatios are taken inside each round and the median over the rounds is shown, with the lowest and the highest. \
         CPU is that of all processes of that name per operation of the service.\n\n\
         | What | Goal | Result | Range | Service | Other side | CPU µs per operation | Holds |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for verdict in &summary.verdicts {
        let costs: Vec<String> = verdict
            .cpu_us_per_op
            .iter()
            .map(|(name, cost)| format!("{name} {cost:.0}"))
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} – {} | {} | {} | {} | {} |",
            verdict.about,
            verdict.bound,
            figure(verdict.result),
            figure(verdict.lowest),
            figure(verdict.highest),
            side(Some(verdict.subject), verdict.unit),
            side(verdict.base, verdict.unit),
            costs.join(", "),
            holds(verdict),
        );
    }
    if !summary.missing.is_empty() {
        let _ = writeln!(text, "\nNot measured in this run: {}.", summary.missing.join(", "));
    }
    text
}

fn holds(verdict: &Verdict) -> String {
    let word = if verdict.holds { "yes" } else { "**no**" };
    match verdict.errors {
        0 => word.to_owned(),
        errors => format!("{word}, {errors} failed"),
    }
}

fn side(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{} {unit}", figure(value)))
}

/// Three digits that matter.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        let told: Vec<String> = [0.456, 12.34, 1234.5].into_iter().map(figure).collect();
        assert_eq!(told, ["0.46", "12.3", "1234"]);
    }
}
