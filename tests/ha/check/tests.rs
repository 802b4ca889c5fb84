//! The checker finds what is planted.

use std::collections::BTreeSet;

use super::evidence::{Evidence, Stored};
use super::register::{Operation, Step, is_linearizable};
use super::verdict::judge;
use crate::journal::{Action, Entry};

fn at(start: u64, end: u64, step: Step) -> Operation {
    Operation { start, end, step }
}

fn create(start: u64, end: u64, title: &str) -> Operation {
    at(start, end, Step::Create(title.into()))
}

fn write(start: u64, end: u64, title: &str) -> Operation {
    at(start, end, Step::Write(title.into()))
}

fn read(start: u64, end: u64, title: &str) -> Operation {
    at(start, end, Step::Read(title.into()))
}

#[test]
fn a_history_in_order_is_linearizable() {
    let history = [
        create(0, 1, "a"),
        write(2, 3, "b"),
        read(4, 5, "b"),
        at(6, 7, Step::Delete),
        at(8, 9, Step::Missing),
    ];
    assert!(is_linearizable(&history));
}

#[test]
fn rivals_may_win_in_either_order_but_readers_must_agree() {
    let rivals = [create(0, 1, "a"), write(2, 9, "b"), write(2, 9, "c")];
    let with = |reads: &[Operation]| is_linearizable(&[&rivals[..], reads].concat());
    assert!(with(&[read(10, 11, "b")]));
    assert!(with(&[read(10, 11, "c")]));
    assert!(with(&[read(3, 4, "b"), read(5, 6, "c")]));
    assert!(!with(&[read(10, 11, "b"), read(12, 13, "c")]), "both writes were over");
    assert!(
        !with(&[read(3, 4, "b"), read(5, 6, "c"), read(7, 8, "b")]),
        "one write, seen twice"
    );
    assert!(!with(&[read(10, 11, "a")]), "both writes were lost");
}

#[test]
fn a_write_whose_end_nobody_knows_may_happen_late_but_not_early() {
    let open = write(5, u64::MAX, "b");
    assert!(is_linearizable(&[
        create(0, 1, "a"),
        open.clone(),
        read(6, 7, "a"),
        read(100, 101, "b")
    ]));
    assert!(!is_linearizable(&[
        create(0, 1, "a"),
        open,
        read(2, 3, "b"),
        read(100, 101, "b")
    ]));
}

#[test]
fn a_stale_read_a_resurrection_and_a_second_creation_are_found() {
    assert!(!is_linearizable(&[
        create(0, 1, "a"),
        write(2, 3, "b"),
        read(4, 5, "a")
    ]));
    assert!(!is_linearizable(&[
        create(0, 1, "a"),
        at(2, 3, Step::Delete),
        read(4, 5, "a")
    ]));
    assert!(!is_linearizable(&[
        create(0, 1, "a"),
        at(2, 3, Step::Delete),
        write(4, 5, "b")
    ]));
    assert!(!is_linearizable(&[create(0, 1, "a"), create(2, 3, "b")]));
    assert!(!is_linearizable(&[at(0, 1, Step::Exists), create(2, 3, "b")]));
}

/// An acknowledged attempt on `jane`, with the number 10001 where a number is told.
fn told(action: Action, value: &str, at: u64) -> Entry {
    let status = match action {
        Action::Create => 201,
        Action::Delete => 204,
        _ => 200,
    };
    Entry {
        client: "test",
        action,
        key: "jane".into(),
        value: value.into(),
        request_id: format!("ha-{at}"),
        start: at,
        end: at + 1,
        status,
        id: (action != Action::Delete).then(|| "id-1".into()),
        uid: (action != Action::Delete).then_some(10001),
        seen: (action == Action::Read).then(|| value.into()),
        is_stale: false,
    }
}

/// A database that holds `jane` with this title and one audit row for each of these instants.
fn holds(title: &str, instants: &[u64]) -> Evidence {
    let mut evidence = Evidence::default();
    let jane = Stored {
        id: "id-1".into(),
        uid: 10001,
        title: Some(title.into()),
    };
    evidence.users.insert("jane".into(), vec![jane]);
    evidence.owners.insert(10001, "id-1".into());
    evidence.audit = instants.iter().map(|at| (format!("ha-{at}"), 1)).collect();
    evidence
}

#[test]
fn what_was_told_and_is_there_passes() {
    let entries = [
        told(Action::Create, "a", 0),
        told(Action::Patch, "b", 2),
        told(Action::Read, "b", 4),
    ];
    let verdict = judge(&entries, &holds("b", &[0, 2]));
    assert_eq!(verdict.lines(), Vec::<String>::new());
}

#[test]
fn a_lost_write_is_found_by_the_audit_log_and_by_the_last_state() {
    let entries = [told(Action::Create, "a", 0), told(Action::Patch, "b", 2)];
    let verdict = judge(&entries, &holds("a", &[0]));
    assert_eq!((verdict.lost.len(), verdict.unordered.len()), (1, 1), "{verdict:?}");
    let mut gone = holds("a", &[0, 2]);
    gone.users.clear();
    assert_eq!(judge(&entries, &gone).lost.len(), 1);
}

#[test]
fn a_write_that_was_carried_out_twice_is_found() {
    let entries = [told(Action::Create, "a", 0), told(Action::Patch, "b", 2)];
    let mut evidence = holds("b", &[0, 2]);
    evidence.audit.insert("ha-2".into(), 2);
    assert_eq!(judge(&entries, &evidence).doubled.len(), 1);
    let mut twins = holds("b", &[0, 2]);
    twins.users.get_mut("jane").unwrap().push(Stored {
        id: "id-2".into(),
        uid: 10002,
        title: None,
    });
    assert!(!judge(&entries, &twins).doubled.is_empty());
}

#[test]
fn a_number_that_changed_or_went_to_another_is_found() {
    let mut entries = [told(Action::Create, "a", 0), told(Action::Read, "a", 2)];
    entries[1].uid = Some(10002);
    assert!(!judge(&entries, &holds("a", &[0])).changed.is_empty());
    entries[1].uid = Some(10001);
    entries[1].id = Some("id-2".into());
    assert!(!judge(&entries, &holds("a", &[0])).doubled.is_empty());
}

#[test]
fn a_user_who_was_deleted_and_is_there_is_found() {
    let entries = [told(Action::Create, "a", 0), told(Action::Delete, "", 2)];
    assert_eq!(judge(&entries, &holds("a", &[0, 2])).resurrected.len(), 1);
}

#[test]
fn an_unanswered_write_is_settled_by_the_audit_log() {
    let mut entries = [told(Action::Create, "a", 0), told(Action::Patch, "b", 2)];
    (entries[1].status, entries[1].id, entries[1].uid) = (0, None, None);
    assert_eq!(
        judge(&entries, &holds("a", &[0])).lines(),
        Vec::<String>::new(),
        "it did not happen"
    );
    assert_eq!(
        judge(&entries, &holds("b", &[0, 2])).lines(),
        Vec::<String>::new(),
        "it happened"
    );
    assert_eq!(
        judge(&entries, &holds("a", &[0, 2])).unordered,
        ["jane"],
        "it happened and is gone"
    );
}

#[test]
fn a_sign_in_whose_groups_are_not_there_is_found() {
    let mut login = told(Action::Login, "eng,ops", 0);
    (login.id, login.uid) = (None, None);
    let mut evidence = Evidence::default();
    evidence
        .groups
        .insert("jane".into(), BTreeSet::from(["eng".into(), "ops".into()]));
    assert!(judge(std::slice::from_ref(&login), &evidence).lost.is_empty());
    evidence.groups.insert("jane".into(), BTreeSet::from(["eng".into()]));
    assert_eq!(judge(&[login], &evidence).lost.len(), 1);
}
