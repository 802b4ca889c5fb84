//! Tests of the map: writer against reader, and readers against everything.

use super::*;
use crate::contract::User;
use crate::record::{self, Key, Kind};
use crate::rules::IdRange;
use proptest::prelude::*;
use std::sync::atomic::Ordering::Relaxed;

fn folder(name: &str) -> String {
    let folder = std::env::temp_dir().join(format!("map-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn somebody(number: u32) -> User {
    User {
        id: number.to_string(),
        name: format!("user{number:05}"),
        uid: 10_000 + number,
        gid: 10_000,
        home: "/home".to_owned(),
        shell: "/bin/sh".to_owned(),
        gids: Some(vec![10_000]),
        ..User::default()
    }
}

fn plan(users: usize, generation: u64) -> Plan {
    Plan {
        users,
        groups: 0,
        bytes: users * 160,
        ids: IdRange::default(),
        generation,
    }
}

fn filled(folder: &str, users: u32, generation: u64) -> Writer {
    let mut writer = Writer::create(folder, plan(users as usize, generation)).unwrap();
    for number in 0..users {
        let user = somebody(number);
        let offset = writer.append(&record::user(&user, true).unwrap()).unwrap();
        writer.point(&Key::UserName(user.name.as_bytes()), offset).unwrap();
        writer.point(&Key::Uid(user.uid), offset).unwrap();
        writer.list(Database::Passwd, None, offset).unwrap();
    }
    writer
}

fn name_in(map: &Map, key: &Key<'_>) -> Option<String> {
    match map.find(key) {
        Found::Record(record) => Some(String::from_utf8_lossy(record.name()).into_owned()),
        Found::Absent | Found::Broken => None,
    }
}

#[test]
fn everybody_written_is_found_by_name_and_uid_and_in_the_list() {
    let folder = folder("all");
    let mut writer = filled(&folder, 5000, 1);
    writer.publish(None).unwrap();
    let map = Map::open(format!("{folder}/{MAP_FILE}")).unwrap();
    for number in 0..5000 {
        let user = somebody(number);
        assert_eq!(
            name_in(&map, &Key::UserName(user.name.as_bytes())),
            Some(user.name.clone())
        );
        assert_eq!(name_in(&map, &Key::Uid(user.uid)), Some(user.name));
    }
    assert!(matches!(map.find(&Key::UserName(b"user99999")), Found::Absent));
    let mut at = 0;
    let mut seen = 0;
    while let Some((_, next)) = map.next(Database::Passwd, at) {
        (at, seen) = (next, seen + 1);
    }
    assert_eq!(seen, 5000);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_changed_entry_is_seen_through_a_mapping_that_was_there_before() {
    let folder = folder("change");
    let mut writer = filled(&folder, 10, 1);
    writer.publish(None).unwrap();
    let map = Map::open(format!("{folder}/{MAP_FILE}")).unwrap();
    let negative = record::negative(&Key::UserName(b"user00003"), 77).unwrap();
    let offset = writer.append(&negative).unwrap();
    writer.point(&Key::UserName(b"user00003"), offset).unwrap();
    match map.find(&Key::UserName(b"user00003")) {
        Found::Record(record) => assert_eq!((record.kind(), record.fresh_until()), (Kind::Negative, 77)),
        other => panic!("{other:?}"),
    }
    writer.unlist(Database::Passwd, 0);
    assert_eq!(map.next(Database::Passwd, 0).map(|(_, next)| next), Some(2));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn readers_of_a_replaced_map_are_told_and_a_full_one_says_so() {
    let folder = folder("replace");
    let mut old = filled(&folder, 10, 1);
    old.publish(None).unwrap();
    let map = Map::open(format!("{folder}/{MAP_FILE}")).unwrap();
    assert!(!map.is_superseded());
    let mut fresh = filled(&folder, 20, 2);
    fresh.publish(Some(&old)).unwrap();
    assert!(map.is_superseded());
    assert_eq!(Map::open(format!("{folder}/{MAP_FILE}")).unwrap().generation(), 2);
    let mut appended = 0;
    while fresh.append(&[0; 4096]).is_ok() {
        appended += 1;
        assert!(appended < 10_000);
    }
    assert_eq!(fresh.append(&[0; 4096]), Err(Full));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_map_that_others_could_have_written_is_not_opened() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let folder = folder("unsafe");
    filled(&folder, 1, 1).publish(None).unwrap();
    let path = format!("{folder}/{MAP_FILE}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(Map::open(&path).unwrap_err(), RegionError::Unsafe);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    chown(&path, Some(12345), None).unwrap();
    assert_eq!(Map::open(&path).unwrap_err(), RegionError::Unsafe);
    std::fs::write(&path, b"short").unwrap();
    assert_eq!(Map::open(&path).unwrap_err(), RegionError::Unsafe);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_record_lies_in_as_few_cache_lines_as_it_can() {
    let folder = folder("lines");
    let mut writer = filled(&folder, 0, 1);
    for length in [40, 64, 112, 8, 200, 128, 72].into_iter().cycle().take(1000) {
        let offset = writer.append(&vec![0; length]).unwrap();
        let touched = (offset + length - 1) / 64 - offset / 64 + 1;
        assert_eq!(touched, length.div_ceil(64), "{length} bytes at {offset}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn eight_readers_find_everybody_while_the_map_is_replaced_a_thousand_times() {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, RwLock};
    let folder = folder("race");
    let mut writer = filled(&folder, 50, 1);
    writer.publish(None).unwrap();
    let path = format!("{folder}/{MAP_FILE}");
    let done = AtomicBool::new(false);
    let shared = RwLock::new(Arc::new(Map::open(&path).unwrap()));
    std::thread::scope(|scope| {
        for reader in 0..8_u32 {
            let (done, shared, path) = (&done, &shared, &path);
            scope.spawn(move || {
                let mut number = reader;
                while !done.load(Relaxed) {
                    let map = Arc::clone(&shared.read().unwrap());
                    if map.is_superseded() {
                        *shared.write().unwrap() = Arc::new(Map::open(path).unwrap());
                    }
                    number = (number + 1) % 50;
                    let user = somebody(number);
                    assert_eq!(name_in(&map, &Key::Uid(user.uid)), Some(user.name));
                }
            });
        }
        for generation in 2..1002 {
            let mut fresh = filled(&folder, 50, generation);
            fresh.publish(Some(&writer)).unwrap();
            writer = fresh;
        }
        done.store(true, Relaxed);
    });
    std::fs::remove_dir_all(folder).unwrap();
}

/// The words of a small map, to be damaged.
fn words() -> Vec<u64> {
    let folder = folder(&format!("words-{:?}", std::thread::current().id()));
    let writer = filled(&folder, 3, 1);
    let region = writer.map().region();
    let words = (0..region.size() / 8)
        .map(|index| region.word(index).unwrap().load(Relaxed))
        .collect();
    std::fs::remove_dir_all(folder).unwrap();
    words
}

fn exercise(words: Vec<u64>) {
    let Some(map) = Map::from_region(Region::from_words(words)) else {
        return;
    };
    for number in 0..4 {
        let user = somebody(number);
        let _ = (
            name_in(&map, &Key::UserName(user.name.as_bytes())),
            name_in(&map, &Key::Uid(user.uid)),
        );
    }
    let mut at = 0;
    for _ in 0..10_000 {
        let Some((record, next)) = map.next(Database::Passwd, at) else {
            break;
        };
        let _ = (record.passwd_offsets(), record.gids().count());
        at = next;
    }
}

#[test]
fn headers_that_lie_about_sizes_are_refused() {
    let good = words();
    for (index, value) in [
        (word::MAGIC, 0),
        (word::VERSION, 99),
        (word::SIZE, 1 << 40),
        (word::TABLE, 0),
        (word::TABLE, u64::MAX - 7),
        (word::SLOTS, 3),
        (word::SLOTS, 1 << 62),
        (word::USERS_CAPACITY, u64::MAX),
        (word::RECORDS, u64::MAX - 7),
    ] {
        let mut bad = good.clone();
        bad[index] = value;
        assert!(
            Map::from_region(Region::from_words(bad)).is_none(),
            "word {index} = {value}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_damage_to_a_map_makes_a_reader_crash(damage in prop::collection::vec((0..24_usize, any::<u64>()), 1..4), deep in prop::collection::vec((any::<u32>(), any::<u64>()), 0..200)) {
        let mut bad = words();
        let length = bad.len();
        for (index, value) in damage {
            if index > word::SIZE {
                bad[index] = value;
            }
        }
        for (index, value) in deep {
            bad[index as usize % length] = value;
        }
        exercise(bad);
    }
}
