//! Tests of the POSIX naming rules.

use proptest::prelude::*;

use super::*;

fn fits_the_default_rule(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= USER_NAME_BYTES
        && bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-'))
}

#[test]
fn a_plain_name_stays_plain() {
    assert_eq!(derive_user_name("jane.doe@x.org"), "jane.doe");
    assert_eq!(derive_user_name("Jane.Doe@X.org"), "jane.doe");
    assert_eq!(derive_user_name("jdoe"), "jdoe");
}

#[test]
fn a_name_with_replaced_characters_gets_a_hash() {
    let name = derive_user_name("jane+doe@x.org");
    assert!(name.starts_with("jane_doe-"), "{name}");
    assert_ne!(name, derive_user_name("jane/doe@x.org"));
}

#[test]
fn a_leading_digit_is_kept_behind_an_underscore() {
    assert!(derive_user_name("1234@x.org").starts_with("_1234-"));
}

#[test]
fn long_names_that_differ_at_the_end_stay_different() {
    let (one, two) = (
        derive_user_name(&format!("{}1", "a".repeat(40))),
        derive_user_name(&format!("{}2", "a".repeat(40))),
    );
    assert_eq!(one.len(), USER_NAME_BYTES);
    assert_ne!(one, two);
}

#[test]
fn exactly_thirty_two_bytes_are_not_cut() {
    let name = "a".repeat(USER_NAME_BYTES);
    assert_eq!(derive_user_name(&name), name);
}

#[test]
fn spellings_of_one_user_name_give_one_posix_name() {
    assert_eq!(derive_user_name("STRASSE@x"), derive_user_name("strasse@x"));
    assert_eq!(derive_user_name("É@x.org"), derive_user_name("é@X.ORG"));
}

#[test]
fn group_names_keep_spaces_and_lose_separators() {
    assert_eq!(derive_group_name("R&D: Data, Science/Ops\n"), "R&D_ Data_ Science_Ops_");
}

#[test]
fn long_group_names_are_cut_on_a_character_boundary() {
    let name = derive_group_name(&"é".repeat(200));
    assert!(name.len() <= FIELD_BYTES && name.contains('-'));
    assert_ne!(name, derive_group_name(&"é".repeat(201)));
}

#[test]
fn homes_must_be_absolute_and_direct() {
    assert_eq!(check_home("/home/jane"), Ok(()));
    assert_eq!(check_home("home/jane"), Err(PosixFault::NotAbsolute));
    assert_eq!(check_home("/home/../etc"), Err(PosixFault::ParentComponent));
    assert_eq!(check_home("/home/a:b"), Err(PosixFault::FieldBreaker));
    assert_eq!(check_home("/home/a\0"), Err(PosixFault::FieldBreaker));
    assert_eq!(check_home("/home/a\nroot"), Err(PosixFault::FieldBreaker));
    assert_eq!(check_home(""), Err(PosixFault::Empty));
    assert_eq!(check_home(&format!("/{}", "a".repeat(255))), Err(PosixFault::TooLong));
    assert_eq!(check_home("/home/a..b"), Ok(()));
}

#[test]
fn gecos_holds_no_separator() {
    assert_eq!(gecos("Doe, Jane: PhD\n"), "Doe  Jane PhD");
    assert!(gecos(&"é".repeat(400)).len() <= FIELD_BYTES);
}

proptest! {
    #[test]
    fn every_derived_user_name_fits_the_default_rule(name in "\\PC{0,60}") {
        let derived = derive_user_name(&name);
        prop_assert!(fits_the_default_rule(&derived), "{}", derived);
    }

    #[test]
    fn every_derived_group_name_passes_the_check(name in "\\PC{0,300}") {
        prop_assert_eq!(check_group_name(&derive_group_name(&name)), Ok(()));
    }
}
