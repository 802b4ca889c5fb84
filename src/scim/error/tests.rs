//! Tests of the error vocabulary.

use super::*;

#[test]
fn body_has_the_status_as_a_string() {
    let body = ScimError::invalid_filter("no such attribute").body();
    assert_eq!(
        body,
        json!({"schemas": [ERROR_URN], "status": "400", "scimType": "invalidFilter", "detail": "no such attribute"})
    );
}

#[test]
fn body_without_a_keyword_has_no_scim_type() {
    assert!(ScimError::not_found("gone").body().get("scimType").is_none());
}

#[test]
fn quoted_cuts_long_input_on_a_character_boundary() {
    let long = "é".repeat(5000);
    let text = quoted(&long);
    assert_eq!(text.chars().count(), QUOTED_CHARACTERS + 1);
    assert!(text.ends_with('…'));
}

#[test]
fn quoted_blanks_control_characters() {
    assert_eq!(quoted("a\nb\u{0}c"), "a b c");
}
