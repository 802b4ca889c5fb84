//! Tests of the exchange of maps: readers at it, and what a fork may leave behind.

use super::*;
use crate::answer;
use rollcall_nss::contract::User;
use rollcall_nss::lookup::Outcome;
use rollcall_nss::map::{AGENT_SILENT_MS, Found, MAP_FILE, Plan, Service, Writer};
use rollcall_nss::record::{self, Key};
use rollcall_nss::rules::IdRange;
use std::ffi::CString;

fn folder(name: &str) -> String {
    let folder = std::env::temp_dir().join(format!("current-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn path(folder: &str) -> CString {
    CString::new(format!("{folder}/{MAP_FILE}")).unwrap()
}

/// A map in which `ada` has the uid 10,000 + `generation`.
fn published(folder: &str, generation: u64, old: Option<&Writer>) -> Writer {
    let plan = Plan {
        users: 1,
        groups: 0,
        bytes: 200,
        ids: IdRange::default(),
        generation,
    };
    let mut writer = Writer::create(folder, plan).unwrap();
    let ada = User {
        name: "ada".to_owned(),
        uid: 10_000 + u32::try_from(generation).unwrap(),
        gid: 10_000,
        home: "/home".to_owned(),
        shell: "/bin/sh".to_owned(),
        ..User::default()
    };
    let offset = writer.append(&record::user(&ada, true).unwrap()).unwrap();
    writer.point(&Key::UserName(b"ada"), offset).unwrap();
    writer.publish(old).unwrap();
    writer
}

fn uid(map: &Map) -> u32 {
    match map.find(&Key::UserName(b"ada")) {
        Found::Record(record) => record.id(),
        Found::Absent | Found::Broken => 0,
    }
}

#[test]
fn while_the_service_is_down_the_map_alone_tells_that_nobody_can_know() {
    let folder = folder("down");
    let writer = published(&folder, 1, None);
    let (ada, stranger) = (Key::UserName(b"ada"), Key::UserName(b"stranger"));
    let found = |key| answer(writer.map(), key, |_| Outcome::Found);
    let now = now_ms();
    writer.beat(now);
    assert_eq!(
        (found(&ada), found(&stranger)),
        (Some(Outcome::Found), None),
        "the agent has to be asked"
    );
    writer.set_service(Service::Down, now);
    assert_eq!(
        (found(&ada), found(&stranger)),
        (Some(Outcome::Found), Some(Outcome::CannotKnow))
    );
    writer.beat(now - AGENT_SILENT_MS - 1);
    assert_eq!(found(&stranger), None, "an agent that is gone knows nothing");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_superseded_map_is_left_for_the_one_that_has_the_name() {
    let folder = folder("superseded");
    let path = path(&folder);
    let current = Current::new();
    let first = published(&folder, 1, None);
    assert_eq!(current.read(&path, uid), Some(10_001));
    let second = published(&folder, 2, Some(&first));
    assert_eq!(current.read(&path, uid), Some(10_002));
    std::fs::remove_file(format!("{folder}/{MAP_FILE}")).unwrap();
    second.retire();
    assert_eq!(current.read(&path, uid), None, "taken away");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn without_a_map_the_file_is_looked_for_once_a_second() {
    let folder = folder("absent");
    let path = path(&folder);
    let current = Current::new();
    assert_eq!(current.read(&path, uid), None);
    let _writer = published(&folder, 1, None);
    assert_eq!(current.read(&path, uid), None, "not looked for again yet");
    current.missed_ms.fetch_sub(RECHECK_MS, Relaxed);
    assert_eq!(current.read(&path, uid), Some(10_001));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_fork_leaves_behind_is_never_waited_for() {
    let folder = folder("fork");
    let path = path(&folder);
    let first = published(&folder, 1, None);

    let current = Current::new();
    current.exchanging.store(true, Relaxed);
    assert_eq!(current.read(&path, uid), None, "an exchange that nobody goes on with");

    let current = Current::new();
    current.places[1].readers.fetch_add(1, Relaxed);
    assert_eq!(current.read(&path, uid), Some(10_001));
    let second = published(&folder, 2, Some(&first));
    assert_eq!(
        current.read(&path, uid),
        None,
        "a reader that is no more is in the other place"
    );
    drop(second);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn eight_readers_never_see_an_old_map_come_back_and_old_ones_are_unmapped() {
    let folder = folder("race");
    let path = path(&folder);
    let current = Current::new();
    let done = AtomicBool::new(false);
    let mut writer = published(&folder, 1, None);
    assert_eq!(current.read(&path, uid), Some(10_001));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut last = 10_001;
                while !done.load(Relaxed) {
                    // None: another thread is exchanging, and the full module would answer.
                    if let Some(uid) = current.read(&path, uid) {
                        assert!(uid >= last, "{uid} after {last}");
                        last = uid;
                    }
                }
            });
        }
        for generation in 2..302 {
            writer = published(&folder, generation, Some(&writer));
        }
        done.store(true, Relaxed);
    });
    assert_eq!(current.read(&path, uid), Some(10_301));
    let mapped = std::fs::read_to_string("/proc/self/maps").unwrap();
    // Two places of the reader, one writer.
    assert!(mapped.lines().filter(|line| line.contains(&folder)).count() <= 3);
    drop(writer);
    std::fs::remove_dir_all(folder).unwrap();
}
