//! Tests of the nesting check.

use super::*;

fn nested(levels: usize) -> Vec<u8> {
    let mut text = vec![b'['; levels];
    text.extend(vec![b']'; levels]);
    text
}

#[test]
fn nesting_up_to_the_limit_is_accepted() {
    check_depth(&nested(JSON_DEPTH)).unwrap();
}

#[test]
fn nesting_beyond_the_limit_is_refused() {
    let error = check_depth(&nested(JSON_DEPTH + 1)).unwrap_err();
    assert_eq!(
        (error.status, error.scim_type.unwrap().as_str()),
        (400, "invalidSyntax")
    );
}

#[test]
fn ten_megabytes_of_brackets_are_refused() {
    assert!(check_depth(&vec![b'['; 10_000_000]).is_err());
}

#[test]
fn brackets_inside_strings_do_not_count() {
    let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(1000), "{".repeat(1000));
    check_depth(text.as_bytes()).unwrap();
}

#[test]
fn siblings_do_not_add_up() {
    let text = format!("[{}]", vec!["[]"; 1000].join(","));
    check_depth(text.as_bytes()).unwrap();
}
