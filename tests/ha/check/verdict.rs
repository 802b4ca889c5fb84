//! The comparison: lost, doubled, changed and resurrected writes, numbers given twice, histories that cannot be ordered.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Evidence, Stored};
use super::register::{Operation, Step, is_linearizable};
use crate::journal::{Action, Entry};

/// What is wrong, a line for each case; all empty when every promise was kept.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Acknowledged and not there.
    pub lost: Vec<String>,
    /// Carried out twice, or there twice.
    pub doubled: Vec<String>,
    /// Another number, id or title than was told.
    pub changed: Vec<String>,
    /// Deleted and there again.
    pub resurrected: Vec<String>,
    /// Histories of single users without a legal order.
    pub unordered: Vec<String>,
    /// Violated invariants of the database.
    pub violations: Vec<String>,
}

impl Verdict {
    /// Every case, with the kind in front.
    pub fn lines(&self) -> Vec<String> {
        let kinds = [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("changed", &self.changed),
            ("resurrected", &self.resurrected),
            ("unordered", &self.unordered),
            ("violation", &self.violations),
        ];
        kinds
            .iter()
            .flat_map(|(kind, cases)| cases.iter().map(move |case| format!("{kind}: {case}")))
            .collect()
    }
}

/// Compares what clients were told with what is there.
pub fn judge(entries: &[Entry], evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict {
        violations: evidence.violations.clone(),
        ..Verdict::default()
    };
    against_audit(entries, evidence, &mut verdict);
    numbers(entries, evidence, &mut verdict);
    let mut histories: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries
        .iter()
        .filter(|entry| entry.is_write() || entry.action == Action::Read)
    {
        histories.entry(&entry.key).or_default().push(entry);
    }
    for (key, history) in histories {
        one_user(key, &history, evidence, &mut verdict);
    }
    memberships(entries, evidence, &mut verdict);
    verdict
}

/// An acknowledged write has one row in the audit log, a refused one none, an unanswered one at most one.
fn against_audit(entries: &[Entry], evidence: &Evidence, verdict: &mut Verdict) {
    for entry in entries.iter().filter(|entry| entry.is_write()) {
        let rows = evidence.audit.get(&entry.request_id).copied().unwrap_or(0);
        let case = format!(
            "{:?} of {} ({}): {rows} audit rows",
            entry.action, entry.key, entry.request_id
        );
        if entry.is_ok() && rows == 0 {
            verdict.lost.push(case);
        } else if rows > 1 {
            verdict.doubled.push(case);
        } else if rows == 1 && !entry.is_ok() && !entry.is_unknown() {
            verdict
                .changed
                .push(format!("{case} although it was refused with {}", entry.status));
        }
    }
}

/// A number has one owner and an owner one number, among all that was told and all that is there.
fn numbers(entries: &[Entry], evidence: &Evidence, verdict: &mut Verdict) {
    let mut owners: BTreeMap<i64, &str> = BTreeMap::new();
    let mut uids: BTreeMap<&str, i64> = BTreeMap::new();
    let stored = evidence
        .users
        .values()
        .flatten()
        .map(|user| (user.id.as_str(), user.uid));
    let told = entries
        .iter()
        .filter_map(|entry| Some((entry.id.as_deref()?, entry.uid?)));
    for (id, uid) in told.chain(stored) {
        let owner = *owners.entry(uid).or_insert(id);
        if owner != id {
            verdict
                .doubled
                .push(format!("uid {uid} belongs to {owner} and to {id}"));
        }
        let first = *uids.entry(id).or_insert(uid);
        if first != uid {
            verdict.changed.push(format!("{id} had uid {first}, then {uid}"));
        }
    }
    for (uid, owner) in owners {
        match evidence.owners.get(&uid) {
            Some(ledger) if ledger == owner => {}
            Some(ledger) => verdict
                .changed
                .push(format!("uid {uid} was told of {owner}, the ledger says {ledger}")),
            None => verdict.lost.push(format!("uid {uid} of {owner} is not in the ledger")),
        }
    }
}

fn one_user(key: &str, history: &[&Entry], evidence: &Evidence, verdict: &mut Verdict) {
    let none = Vec::new();
    let there = evidence.users.get(key).unwrap_or(&none);
    if there.len() > 1 {
        verdict.doubled.push(format!("{key} is there {} times", there.len()));
    }
    let deleted = |entry: &&&Entry| entry.action == Action::Delete && (entry.is_ok() || took_effect(entry, evidence));
    let was_deleted = history.iter().any(|entry| deleted(&entry));
    let created = history
        .iter()
        .find(|entry| entry.action == Action::Create && entry.is_ok());
    match (there.first(), was_deleted) {
        (Some(_), true) => verdict.resurrected.push(format!("{key} was deleted and is there")),
        (None, false) if created.is_some() => verdict.lost.push(format!("{key} was created and is not there")),
        _ => {}
    }
    if let (Some(created), Some(user)) = (created, there.first())
        && created.id.as_deref() != Some(&user.id)
    {
        verdict
            .changed
            .push(format!("{key} was created as {:?} and is {}", created.id, user.id));
    }
    if !is_linearizable(&operations(history, there.first(), evidence)) {
        verdict.unordered.push(key.to_owned());
    }
}

fn took_effect(entry: &Entry, evidence: &Evidence) -> bool {
    evidence.audit.contains_key(&entry.request_id)
}

/// The history as operations. The audit log settles which unanswered writes took effect; when is anybody's guess. The last
/// operation is what the database holds at the end.
fn operations(history: &[&Entry], last: Option<&Stored>, evidence: &Evidence) -> Vec<Operation> {
    let mut operations: Vec<Operation> = history
        .iter()
        .filter_map(|entry| {
            let end = if entry.is_unknown() { u64::MAX - 1 } else { entry.end };
            let step = step(entry, evidence)?;
            Some(Operation {
                start: entry.start,
                end,
                step,
            })
        })
        .collect();
    operations.push(Operation {
        start: u64::MAX,
        end: u64::MAX,
        step: last
            .and_then(|user| user.title.clone())
            .map_or(Step::Missing, Step::Read),
    });
    operations
}

fn step(entry: &Entry, evidence: &Evidence) -> Option<Step> {
    if entry.is_unknown() && !took_effect(entry, evidence) {
        return None;
    }
    match (entry.action, entry.status) {
        (Action::Create, 409) => Some(Step::Exists),
        (Action::Patch | Action::Delete | Action::Read, 404) => Some(Step::Missing),
        // A read that says itself that it may be old promises nothing about order.
        (Action::Read, 200) if entry.is_stale => None,
        (Action::Read, 200) => Some(entry.seen.clone().map_or(Step::Missing, Step::Read)),
        (Action::Create, _) if entry.is_ok() || entry.is_unknown() => Some(Step::Create(entry.value.clone())),
        (Action::Patch, _) if entry.is_ok() || entry.is_unknown() => Some(Step::Write(entry.value.clone())),
        (Action::Delete, _) if entry.is_ok() || entry.is_unknown() => Some(Step::Delete),
        _ => None,
    }
}

/// Whoever signed in has the groups of his last acknowledged assertion, or of a later one that was not answered.
fn memberships(entries: &[Entry], evidence: &Evidence, verdict: &mut Verdict) {
    let mut people: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.action == Action::Login) {
        people.entry(&entry.key).or_default().push(entry);
    }
    for (person, mut logins) in people {
        logins.sort_by_key(|login| login.start);
        let Some(last) = logins.iter().rposition(|login| login.is_ok()) else {
            continue;
        };
        let there = evidence.groups.get(person).cloned().unwrap_or_default();
        let mut possible = logins[last..]
            .iter()
            .filter(|login| login.is_ok() || login.is_unknown());
        let claimed = |login: &&&Entry| login.value.split(',').map(str::to_owned).collect::<BTreeSet<_>>() == there;
        if !possible.any(|login| claimed(&login)) {
            verdict.lost.push(format!(
                "{person} signed in with {} and has {there:?}",
                logins[last].value
            ));
        }
    }
}
