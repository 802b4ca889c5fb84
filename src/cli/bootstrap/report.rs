//! What became of each entry of a bootstrap file.

use serde::Serialize;

use crate::cli::output::table;

/// What was done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// It is missing.
    Create,
    /// It is there, and different.
    Change,
    /// It is there as the file says.
    Keep,
    /// It cannot be as the file says.
    Conflict,
}

/// One entry.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// All of them.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) dry_run: bool,
    pub(super) made: usize,
    pub(super) changed: usize,
    pub(super) conflicts: usize,
    entries: Vec<Entry>,
}

impl Report {
    pub(super) fn of(dry_run: bool, entries: Vec<Entry>) -> Self {
        let count = |action| entries.iter().filter(|entry| entry.action == action).count();
        Self {
            dry_run,
            made: count(Action::Create),
            changed: count(Action::Change),
            conflicts: count(Action::Conflict),
            entries,
        }
    }

    /// The entries that cannot be as the file says.
    pub(super) fn conflicting(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.action == Action::Conflict)
    }

    /// The entries that are left as they are though there is something to say of them, as a token whose file is lost.
    pub(super) fn kept_otherwise(&self) -> impl Iterator<Item = &Entry> {
        let is_told = |entry: &&Entry| entry.action == Action::Keep && entry.detail.is_some();
        self.entries.iter().filter(is_told)
    }

    /// The report for people: only what is not as it should be, and what is worth a word though it stays.
    pub(super) fn text(&self) -> String {
        let rows: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.action != Action::Keep || entry.detail.is_some())
            .map(|entry| {
                let action = match (entry.action, self.dry_run) {
                    (Action::Create, false) => "created",
                    (Action::Create, true) => "would create",
                    (Action::Change, false) => "changed",
                    (Action::Change, true) => "would change",
                    (Action::Keep, _) => "kept",
                    (Action::Conflict, _) => "conflict",
                };
                vec![
                    entry.line.to_string(),
                    entry.kind.to_owned(),
                    entry.name.clone(),
                    action.to_owned(),
                    entry.detail.clone().unwrap_or_else(|| "-".to_owned()),
                ]
            })
            .collect();
        if rows.is_empty() {
            return format!("all {} entries are as the file says\n", self.entries.len());
        }
        table(&["LINE", "KIND", "NAME", "ACTION", "DETAIL"], &rows)
    }
}
