//! Inputs that attack the parser end early and without harm.

use super::*;
use crate::scim::limits::{FILTER_BYTES, FILTER_DEPTH, FILTER_TERMS};

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| format!("{}title pr{}", "(".repeat(levels), ")".repeat(levels));
    parse(ResourceType::User, &nested(FILTER_DEPTH)).unwrap();
    assert_eq!(refusal(&nested(FILTER_DEPTH + 1)), "invalidFilter");
    assert_eq!(refusal(&nested(3_000)), "invalidFilter");
    assert_eq!(refusal(&"(".repeat(10_000)), "invalidFilter");
    assert_eq!(refusal(&"not(".repeat(2_000)), "invalidFilter");
    assert_eq!(refusal(&"emails[".repeat(1_000)), "invalidFilter");
}

#[test]
fn the_number_of_expressions_is_bounded() {
    let terms = |count: usize| vec!["title pr"; count].join(" or ");
    parse(ResourceType::User, &terms(FILTER_TERMS)).unwrap();
    assert_eq!(refusal(&terms(FILTER_TERMS + 1)), "invalidFilter");
    assert_eq!(refusal(&terms(5_000)), "invalidFilter");
}

#[test]
fn the_length_is_bounded() {
    let long = |length: usize| format!("title eq \"{}\"", "a".repeat(length - "title eq \"\"".len()));
    parse(ResourceType::User, &long(FILTER_BYTES)).unwrap();
    assert_eq!(refusal(&long(FILTER_BYTES + 1)), "invalidFilter");
    assert_eq!(refusal(&long(10_000_000)), "invalidFilter");
}

#[test]
fn errors_repeat_only_a_piece_of_the_input() {
    let error = parse(ResourceType::User, &format!("title zz \"{}\"", "a".repeat(8_000))).unwrap_err();
    assert!(error.detail.len() < 600, "{}", error.detail.len());
}

#[test]
fn a_name_of_many_dots_and_colons_is_refused_quickly() {
    assert_eq!(refusal(&format!("{} pr", ".".repeat(8_000))), "invalidFilter");
    assert_eq!(refusal(&format!("{} pr", "urn:".repeat(2_000))), "invalidFilter");
}
