//! What an import did, or would do: for people and for scripts.

use std::fmt::Write as _;

use rollcall::transfer::Fault;
use serde::Serialize;

use crate::cli::output::table;

/// What an import did, or would do.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) resource: &'static str,
    pub(super) dry_run: bool,
    /// Records of the file that were wanted.
    pub(super) records: i64,
    /// Records outside of the wanted numbers.
    pub(super) passed_over: u64,
    /// Records that are in the database without this import.
    pub(super) present: i64,
    pub(super) created: i64,
    /// Groups that were there and got members.
    pub(super) changed: i64,
    /// Records that were left out, because somebody took a name or number of theirs after the look at the file.
    pub(super) refused: i64,
    /// Numbers in ranges that sssd or containers may use too.
    pub(super) in_soft_ranges: i64,
    pub(super) conflicts: u64,
    /// The first conflicts, in the order of the file.
    pub(super) faults: Vec<Fault>,
    pub(super) warned: u64,
    /// The first warnings, in the order of the file: what those who are there have otherwise and keep, and circles of groups.
    pub(super) warnings: Vec<Fault>,
    pub(super) seconds: f64,
    pub(super) rows_per_second: f64,
}

impl Report {
    /// The report for a person.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for (head, faults, total) in [
            ("CONFLICT", &self.faults, self.conflicts),
            ("WARNING", &self.warnings, self.warned),
        ] {
            if !faults.is_empty() {
                let rows: Vec<_> = faults.iter().map(row).collect();
                text.push_str(&table(&["LINE", "ATTRIBUTE", "VALUE", head], &rows));
            }
            let more = total.saturating_sub(faults.len() as u64);
            if more > 0 {
                writeln!(text, "and {more} more (--list N shows them)")?;
            }
        }
        if self.in_soft_ranges > 0 {
            let count = self.in_soft_ranges;
            writeln!(
                text,
                "warning: {count} numbers lie in ranges that sssd or containers may use too"
            )?;
        }
        if self.passed_over > 0 {
            writeln!(text, "{} records outside of --ids passed over", self.passed_over)?;
        }
        let (records, present, refused) = (self.records, self.present, self.refused);
        if self.conflicts > 0 && refused == 0 {
            Ok(())
        } else if self.dry_run {
            let new = records - present;
            writeln!(text, "{records} records: {new} would be created, {present} are there")
        } else {
            let (created, changed, rate) = (self.created, self.changed, self.rows_per_second);
            write!(text, "{records} records: {created} created, {changed} changed, ")?;
            if refused > 0 {
                write!(text, "{refused} left out, ")?;
            }
            writeln!(text, "{present} were there; {rate:.0} records/s")
        }
    }
}

fn row(fault: &Fault) -> Vec<String> {
    vec![
        fault.line.to_string(),
        fault.attribute.clone().unwrap_or_default(),
        fault.value.clone().unwrap_or_default(),
        fault.reason.clone(),
    ]
}
