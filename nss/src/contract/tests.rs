//! Tests of the JSON reader against the fixtures that the service is tested against too.

use super::*;
use crate::record::Key;
use crate::rules::IdRange;
use proptest::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

const RANGE: IdRange = IdRange {
    min: 1000,
    max: 2_147_352_575,
};

fn fixtures(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/nss")
        .join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<(String, Value)> = paths
        .filter(|path: &PathBuf| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                serde_json::from_str(&text).unwrap(),
            )
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Reads a body as the node would after asking for `path`.
fn read(path: &str, body: &Value) -> Result<(), Refused> {
    let bytes = serde_json::to_vec(body).unwrap();
    let (noun, query) = path.strip_prefix("/nss/v1/").unwrap().split_once('?').unwrap();
    let (key, value) = query.split_once('=').unwrap();
    let value = value.replace("%20", " ");
    let name = value.as_bytes();
    let id = || value.parse().unwrap();
    match (noun, key) {
        ("passwd" | "user", "name") => user(&bytes, &Key::UserName(name), RANGE).map(drop),
        ("passwd" | "user", "uid") => user(&bytes, &Key::Uid(id()), RANGE).map(drop),
        ("group", "name") => group(&bytes, &Key::GroupName(name), RANGE).map(drop),
        ("group", "gid") => group(&bytes, &Key::Gid(id()), RANGE).map(drop),
        ("shadow", _) => shadow(&bytes, name).map(drop),
        ("initgroups", _) => initgroups(&bytes, name, RANGE).map(drop),
        ("passwd", "limit") => entries_of_users(&bytes, RANGE).map(drop),
        ("group", "limit") => entries_of_groups(&bytes, RANGE).map(drop),
        ("snapshot", _) => snapshot(&bytes, RANGE).map(drop),
        ("changes", _) => changes(&bytes, RANGE).map(drop),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fixture_is_read_and_every_hostile_one_refused() {
    let mut seen = 0;
    for (name, fixture) in fixtures(".") {
        let Some(path) = fixture["request"]["path"].as_str() else {
            continue;
        };
        seen += 1;
        let body = &fixture["body"];
        let bytes = serde_json::to_vec(body).unwrap();
        match fixture["status"].as_u64().unwrap() {
            200 => assert_eq!(read(path, body), Ok(()), "{name}"),
            404 => assert!(is_not_found(&bytes), "{name}"),
            410 => assert!(is_cursor_gone(&bytes), "{name}"),
            _ => assert!(!is_not_found(&bytes) && !is_cursor_gone(&bytes), "{name}"),
        }
    }
    assert!(seen >= 30);
    for (name, fixture) in fixtures("hostile") {
        let path = fixture["request"]["path"].as_str().unwrap();
        assert!(read(path, &fixture["body"]).is_err(), "{name}: {}", fixture["refuse"]);
    }
}

#[test]
fn one_bad_row_in_a_listing_is_skipped_and_counted() {
    let fixture = &fixtures(".")
        .into_iter()
        .find(|(name, _)| name == "snapshot")
        .unwrap()
        .1;
    let mut body = fixture["body"].clone();
    body["users"][1]["home"] = Value::Null;
    let page = snapshot(&serde_json::to_vec(&body).unwrap(), RANGE).unwrap();
    assert_eq!((page.users.len(), page.skipped), (3, 1));
}

#[test]
fn a_404_in_other_words_is_not_an_answer() {
    for body in [
        "",
        "default backend - 404",
        "{}",
        r#"{"error":"no_such_path"}"#,
        r#"["not_found"]"#,
    ] {
        assert!(!is_not_found(body.as_bytes()), "{body}");
    }
}

#[test]
fn a_locked_user_has_a_shadow_entry_that_refuses_even_a_login_by_key() {
    let locked = User {
        name: "bob".to_owned(),
        state: State::Locked,
        ..User::default()
    }
    .shadow();
    assert_eq!((locked.password.as_str(), locked.expire), ("!", Some(1)));
    let live = User {
        name: "ada".to_owned(),
        ..User::default()
    }
    .shadow();
    assert_eq!((live.password.as_str(), live.expire), ("*", None));
}

proptest! {
    #[test]
    fn no_body_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = user(&bytes, &Key::UserName(b"ada"), RANGE);
        let _ = group(&bytes, &Key::Gid(10_001), RANGE);
        let _ = snapshot(&bytes, RANGE);
        let _ = changes(&bytes, RANGE);
    }

    #[test]
    fn no_damage_to_a_body_makes_a_reader_panic(place: u16, value: u8) {
        let fixture = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/nss/snapshot.json")).unwrap();
        let body: Value = serde_json::from_slice(&fixture).unwrap();
        let mut bytes = serde_json::to_vec(&body["body"]).unwrap();
        let length = bytes.len();
        bytes[usize::from(place) % length] = value;
        let _ = snapshot(&bytes, RANGE);
    }
}
