//! Tests of the checks on the structure of a body.

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

#[test]
fn values_up_to_the_limit_are_accepted() {
    let array = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    check_values(array(99).as_bytes(), 100).unwrap();
    let error = check_values(array(100).as_bytes(), 100).unwrap_err();
    assert_eq!(error.status, 413);
    assert!(check_values(b"{}", 2).is_ok() && check_values(b"{\"a\":[1,2]}", 4).is_ok());
}

#[test]
fn commas_inside_strings_are_no_values() {
    let text = format!("[\"{}\\\"{}\"]", ",".repeat(1000), "[".repeat(1000));
    check_values(text.as_bytes(), 3).unwrap();
}
