//! `SCALE-RESULTS.md`: what grows and what does not, each figure beside its goal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::FLAT;
use super::figures::{count, figure};
use super::measured::{Cost, FullSync, Measured};

/// The goal of a full sync: so many times the fastest peer.
const SYNC_GOAL: f64 = 10.0;

/// The goal of a bulk import, against COPY of the same rows.
const IMPORT_GOAL: f64 = 0.5;

/// The goals of memory, in MiB, by role.
const MEMORY_GOALS: [(&str, f64); 2] = [("api", 64.0), ("read", 128.0)];

/// The page.
pub fn markdown(measured: &Measured, charts: &[String]) -> String {
    let mut text = String::from("# Scale\n\n");
    for (fact, value) in &measured.facts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {fact}: {value}");
    }
    flatness(&mut text, measured, charts);
    sync(&mut text, measured);
    import(&mut text, measured);
    runs(&mut text, measured, charts);
    nodes(&mut text, measured);
    memory(&mut text, measured);
    text
}

fn flatness(text: &mut String, measured: &Measured, charts: &[String]) {
    text.push_str("\n## Cost per operation against the number of users\n\n");
    let sizes: Vec<u64> = measured.flat.values().flat_map(BTreeMap::keys).copied().collect();
    let (Some(smallest), Some(largest)) = (sizes.iter().min(), sizes.iter().max()) else {
        text.push_str("Not measured.\n");
        return;
    };
    let mut sizes = sizes.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let heads: Vec<String> = sizes.iter().map(|size| format!("{} users", count(*size))).collect();
    let _ = writeln!(
        text,
        "One client. Each cell: p50 in µs / CPU of service and PostgreSQL in µs, medians. The ratios are {} users ÷ {} users; \
         the goal is ≤ {FLAT} for both. What a user has (one group of 50 and a private one) is the same at every size.\n",
        count(*largest),
        count(*smallest)
    );
    let _ = writeln!(
        text,
        "| Operation | {} | p50 ratio | CPU ratio | Holds |",
        heads.join(" | ")
    );
    let _ = writeln!(text, "|---|{}---|---|---|", "---|".repeat(sizes.len()));
    for (operation, costs) in &measured.flat {
        let cell = |size: &u64| {
            costs.get(size).map_or("–".to_owned(), |cost| {
                let failed = if cost.errors > 0 {
                    format!(" ({} failed)", cost.errors)
                } else {
                    String::new()
                };
                format!("{} / {}{failed}", figure(cost.p50_us), figure(cost.cpu()))
            })
        };
        let cells: Vec<String> = sizes.iter().map(cell).collect();
        let ends = costs.get(smallest).zip(costs.get(largest));
        let ratio = |of: fn(&Cost) -> f64| {
            // A cost of nothing is a round that was too short to see one.
            let (low, high) = ends.map(|(low, high)| (of(low), of(high)))?;
            (low > 0.0).then(|| high / low)
        };
        let (time, cpu) = (ratio(|cost| cost.p50_us), ratio(Cost::cpu));
        let holds = match (time, cpu) {
            (Some(time), Some(cpu)) if time.max(cpu) <= FLAT => "yes",
            (Some(_), Some(_)) => "**no**",
            _ => "–",
        };
        let shown = |ratio: Option<f64>| ratio.map_or("–".to_owned(), figure);
        let _ = writeln!(
            text,
            "| {operation} | {} | {} | {} | {holds} |",
            cells.join(" | "),
            shown(time),
            shown(cpu)
        );
    }
    for chart in charts.iter().filter(|chart| chart.starts_with("size-")) {
        let _ = write!(text, "\n![{chart}](charts/{chart})\n");
    }
}

/// Seconds and resources of a whole sync, by server.
fn totals(parts: &[FullSync]) -> BTreeMap<&str, (f64, u64)> {
    let mut totals: BTreeMap<&str, (f64, u64)> = BTreeMap::new();
    for part in parts {
        let total = totals.entry(&part.server).or_default();
        total.0 += part.seconds;
        total.1 += part.count;
    }
    totals
}

fn sync(text: &mut String, measured: &Measured) {
    text.push_str("\n## Full sync in Entra's shapes\n\n");
    for part in &measured.sync {
        let _ = writeln!(
            text,
            "- {} {} over {} connections: {} s, {}/s",
            count(part.count),
            part.kind,
            part.connections,
            figure(part.seconds),
            figure(part.count as f64 / part.seconds)
        );
    }
    let totals = totals(&measured.peers);
    let Some((own, resources)) = totals.get("rollcall-small") else {
        text.push_str("\nPeers: not measured.\n");
        return;
    };
    let _ = writeln!(
        text,
        "\nThe same sync, {resources} resources, to each over as many connections:\n\n\
         | Server | Seconds | Times as long as ours |\n|---|---|---|"
    );
    for (server, (seconds, count)) in totals.iter().filter(|(_, (_, count))| count == resources) {
        let _ = writeln!(
            text,
            "| {server} ({count}) | {} | {} |",
            figure(*seconds),
            figure(seconds / own)
        );
    }
    let fastest = totals
        .iter()
        .filter(|(name, (_, sent))| **name != "rollcall-small" && sent == resources);
    let fastest = fastest
        .map(|(_, (seconds, _))| seconds / own)
        .fold(f64::INFINITY, f64::min);
    if fastest.is_finite() {
        let holds = if fastest >= SYNC_GOAL {
            "holds"
        } else {
            "**does not hold**"
        };
        let _ = writeln!(
            text,
            "\nGoal: ≥ {SYNC_GOAL} × the fastest peer. {} ×: {holds}.",
            figure(fastest)
        );
    }
}

fn import(text: &mut String, measured: &Measured) {
    text.push_str("\n## Bulk import\n\n");
    for import in &measured.imports {
        let _ = writeln!(
            text,
            "- {} {} (population of {}): {} s, {}/s",
            count(import.count),
            import.kind,
            count(import.size),
            figure(import.seconds),
            figure(import.count as f64 / import.seconds)
        );
    }
    for copy in &measured.copies {
        let _ = writeln!(
            text,
            "- COPY of the same rows of {} users into tables with the same constraints and indexes ({}): {} s, {} users/s",
            count(copy.size),
            copy.tables,
            figure(copy.seconds),
            figure(copy.size as f64 / copy.seconds)
        );
        let import = measured
            .imports
            .iter()
            .find(|import| import.kind == "users" && import.size == copy.size);
        if let Some(import) = import {
            let ratio = copy.seconds / import.seconds;
            let holds = if ratio >= IMPORT_GOAL {
                "holds"
            } else {
                "**does not hold**"
            };
            let _ = writeln!(text, "\nGoal: ≥ {IMPORT_GOAL} × COPY. {} ×: {holds}.", figure(ratio));
        }
    }
}

fn runs(text: &mut String, measured: &Measured, charts: &[String]) {
    for profile in &measured.profiles {
        let Some(results) = measured.runs.get(&profile.profile) else {
            continue;
        };
        let _ = writeln!(
            text,
            "\n## Profile `{}`\n\n{}. Its limits: {}.\n\n```text",
            results.profile, results.about, profile.limits
        );
        text.push_str(&crate::report::text::table(results));
        text.push_str("```\n");
        let prefix = format!("{}-", results.profile);
        for chart in charts.iter().filter(|chart| chart.starts_with(&prefix)) {
            let _ = write!(text, "\n![{chart}](charts/{chart})\n");
        }
    }
}

fn nodes(text: &mut String, measured: &Measured) {
    let spreads = measured
        .runs
        .values()
        .filter_map(|results| Some((results, results.spread.as_ref()?)));
    for (results, spread) in spreads {
        let connections = measured.profiles.iter().find_map(|profile| profile.connections);
        let cores = |name: &str| results.processes.get(name).map_or(0.0, |used| used.cores);
        let _ = writeln!(
            text,
            "\n{} agents of one read replica: {} questions a second, {} of CPU cores in the replica and {} in its standby, \
             {} connections from nodes and {} to the database, {} bytes of bodies a second; a change was with the last node after \
             {} ms at most (p50 {} ms). Goal: 2 s.",
            count(spread.followers.into()),
            figure(spread.questions_per_second),
            figure(cores("replica")),
            figure(cores("standby")),
            spread.followers,
            connections.map_or("unknown".to_owned(), |number| number.to_string()),
            figure(spread.body_bytes_per_second),
            figure(spread.all.max_us as f64 / 1_000.0),
            figure(spread.all.p50_us as f64 / 1_000.0)
        );
    }
}

fn memory(text: &mut String, measured: &Measured) {
    text.push_str("\n## Memory\n\n");
    if measured.memory.is_empty() {
        text.push_str("Not measured.\n");
        return;
    }
    text.push_str(
        "| Process | Users | After the load, MiB | At its highest, MiB | Goal | Holds |\n|---|---|---|---|---|---|\n",
    );
    for memory in &measured.memory {
        let goal = MEMORY_GOALS
            .iter()
            .find(|(role, _)| *role == memory.role)
            .map(|(_, goal)| *goal);
        let holds = match goal {
            Some(goal) if memory.highest_mib <= goal => "yes",
            Some(goal) if memory.rss_mib <= goal => "after the load, not at its highest",
            Some(_) => "**no**",
            None => "–",
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {holds} |",
            memory.role,
            count(memory.size),
            figure(memory.rss_mib),
            figure(memory.highest_mib),
            goal.map_or("–".to_owned(), |goal| format!("≤ {goal}"))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::measured::tests::sample;
    use super::*;

    fn line<'a>(page: &'a str, beginning: &str) -> &'a str {
        page.lines()
            .find(|line| line.starts_with(beginning))
            .unwrap_or_default()
    }

    #[test]
    fn a_cost_that_grows_is_called_so() {
        let page = markdown(&sample(), &["size-writes-time.svg".to_owned()]);
        assert!(line(&page, "| create |").ends_with("| 1.10 | 1.10 | yes |"), "{page}");
        assert!(
            line(&page, "| nss-name |").ends_with("| 1.50 | 1.50 | **no** |"),
            "{page}"
        );
        assert!(page.contains("![size-writes-time.svg](charts/size-writes-time.svg)"));
    }

    #[test]
    fn each_goal_is_judged_by_the_figures() {
        let page = markdown(&sample(), &[]);
        assert!(page.contains("20.0 ×: holds"), "{page}");
        assert!(page.contains("0.60 ×: holds"), "{page}");
        assert!(
            line(&page, "| api |").ends_with("after the load, not at its highest |"),
            "{page}"
        );
    }

    #[test]
    fn nothing_measured_makes_a_page_that_says_so() {
        let page = markdown(&Measured::default(), &[]);
        assert!(page.matches("ot measured").count() >= 3, "{page}");
    }
}
