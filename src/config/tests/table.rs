//! The table of settings itself.

use std::collections::BTreeSet;

use crate::config::{Kind, setting, settings};

#[test]
fn names_are_unique_words_joined_by_hyphens() {
    let mut seen = BTreeSet::new();
    for setting in settings() {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(setting.name.split('-').all(is_word), "{}", setting.name);
        assert!(seen.insert(setting.name), "{} stands twice", setting.name);
        assert!(
            setting
                .file_name()
                .is_none_or(|name| seen.insert(Box::leak(name.into_boxed_str())))
        );
    }
}

#[test]
fn every_setting_is_documented_in_a_sentence() {
    for setting in settings() {
        assert!(setting.doc().ends_with('.'), "{}", setting.name);
        assert!(
            setting.doc().len() > 20 && !setting.doc().contains("  "),
            "{}: {}",
            setting.name,
            setting.doc()
        );
    }
}

#[test]
fn numbers_have_bounds() {
    for setting in settings() {
        let is_bounded = matches!(setting.kind, Kind::Number | Kind::Seconds);
        assert_eq!(setting.bounds.is_some(), is_bounded, "{}", setting.name);
    }
}

#[test]
fn the_three_spellings_follow_from_the_name() {
    let start = setting("user-provisioning-start-uid").unwrap();
    assert_eq!(start.variable(), "ROLLCALL_USER_PROVISIONING_START_UID");
    assert_eq!(
        setting("database-uri").unwrap().file_name().as_deref(),
        Some("database-uri-file")
    );
    assert_eq!(start.file_name(), None);
}
