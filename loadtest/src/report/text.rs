//! The results of a run as a table for a terminal.

use std::fmt::Write as _;

use crate::latency::Quantiles;
use crate::run::Results;

/// The table, with a line end at its end.
pub fn table(results: &Results) -> String {
    let mut text = format!("{}: {}\n\n", results.profile, results.about);
    head(&mut text, "due per second");
    for load in &results.loads {
        let name = format!("{} ({:.1} done)", load.load.rate, load.achieved);
        line(&mut text, &name, &load.latency);
    }
    text.push('\n');
    head(&mut text, "work");
    for (name, latency) in &results.work {
        line(&mut text, name, latency);
    }
    line(&mut text, "all", &results.total);
    if let Some(outage) = &results.outage {
        let _ = writeln!(
            text,
            "event after {} s: writes away {} s, recovered after {} s, {} operations slower than a second",
            outage.event_s, outage.writes_away_s, outage.recovery_s, outage.slow
        );
    }
    if let Some(spread) = &results.spread {
        line(&mut text, "question to the feed", &spread.question);
        line(&mut text, "change to one node", &spread.one);
        line(&mut text, "change to all nodes", &spread.all);
        let _ = writeln!(
            text,
            "{} nodes asked {} times and read {} bytes a second; {} of {} changes did not reach all",
            spread.followers,
            spread.questions_per_second,
            spread.body_bytes_per_second,
            spread.unreached,
            spread.changes
        );
    }
    for (name, used) in &results.processes {
        let _ = write!(
            text,
            "{name}: {} cores, {} us per operation",
            used.cores, used.cpu_us_per_op
        );
        if used.highest_mib > 0.0 {
            let _ = write!(
                text,
                ", at most {} MiB, grown by {:.1} MiB",
                used.highest_mib,
                used.growth_mib()
            );
        }
        text.push('\n');
    }
    for (fault, count) in &results.errors {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "failed {count} times: {fault}");
    }
    text
}

fn head(text: &mut String, first: &str) {
    let _ = writeln!(
        text,
        "{first:<28} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "count", "p50 ms", "p90 ms", "p99 ms", "max ms"
    );
}

fn line(text: &mut String, name: &str, latency: &Quantiles) {
    let _ = write!(text, "{name:<28} {:>9}", latency.count);
    for microseconds in [latency.p50_us, latency.p90_us, latency.p99_us, latency.max_us] {
        let _ = write!(text, " {:>9.2}", super::milliseconds(microseconds));
    }
    text.push('\n');
}
