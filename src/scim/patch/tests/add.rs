//! `add`.

use super::*;
use crate::scim::limits::VALUES;

#[test]
fn add_appends_to_a_list_and_sets_a_single_value() {
    let after = patched(json!([
        {"op": "add", "path": "emails", "value": [{"value": "new@example.org", "type": "other"}]},
        {"op": "add", "path": "nickName", "value": "JD"},
    ]));
    assert_eq!(after["emails"].as_array().unwrap().len(), 3);
    assert_eq!(after["emails"][2]["value"], "new@example.org");
    assert_eq!(after["nickName"], "JD");
}

#[test]
fn adding_what_is_there_changes_nothing() {
    let operations = json!([
        {"op": "add", "path": "emails", "value": [{"type": "home", "value": "j@home.example"}]},
        {"op": "add", "path": "title", "value": "Dr"},
        {"op": "add", "path": "emails", "value": []},
    ]);
    assert_eq!(patched(operations), Value::Object(jane()));
}

#[test]
fn a_new_primary_value_takes_over() {
    let after =
        patched(json!([{"op": "add", "path": "emails", "value": {"value": "p@x", "type": "other", "primary": true}}]));
    let primary: Vec<_> = after["emails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|email| email["primary"].as_bool())
        .collect();
    assert_eq!(primary, [Some(false), None, Some(true)]);
}

#[test]
fn one_value_and_type_is_one_element() {
    let after = patched(
        json!([{"op": "add", "path": "emails", "value": [{"value": "j@home.example", "type": "Home", "primary": true}]}]),
    );
    assert_eq!(after["emails"].as_array().unwrap().len(), 2);
    assert_eq!(after["emails"][1]["primary"], true);
    assert_eq!(after["emails"][0]["primary"], false);
}

#[test]
fn add_at_an_unmatched_value_path_creates_the_element() {
    let after = patched(json!([
        {"op": "Add", "path": "emails[type eq \"other\"].value", "value": "o@x"},
        {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+15550100"},
        {"op": "Add", "path": "addresses[type eq \"work\" and primary eq \"True\"]", "value": {"country": "CH"}},
    ]));
    assert_eq!(after["emails"][2], json!({"type": "other", "value": "o@x"}));
    assert_eq!(after["phoneNumbers"], json!([{"type": "mobile", "value": "+15550100"}]));
    assert_eq!(
        after["addresses"],
        json!([{"type": "work", "primary": true, "country": "CH"}])
    );
}

#[test]
fn add_at_an_unmatched_filter_of_another_kind_has_no_target() {
    assert_eq!(
        refusal(json!([{"op": "add", "path": "emails[value co \"x@\"].display", "value": "x"}])),
        "noTarget"
    );
}

#[test]
fn add_at_a_matched_value_path_merges() {
    let after = patched(json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "Home"}}]));
    assert_eq!(
        after["emails"][1],
        json!({"value": "j@home.example", "type": "home", "display": "Home"})
    );
}

#[test]
fn workbench_paths_of_both_spellings_are_written() {
    let after = patched(json!([
        {"op": "add", "path": format!("{WORKBENCH}:posixName"), "value": "jd"},
        {"op": "replace", "path": format!("{WORKBENCH}:admin"), "value": true},
        {"op": "add", "path": format!("{WORKBENCH}:posixUserId"), "value": 10002},
    ]));
    assert_eq!(
        after[WORKBENCH],
        json!({"admin": true, "posixUserName": "jd", "posixUserId": 10002})
    );
}

#[test]
fn the_number_of_values_is_bounded() {
    let roles =
        |from: usize, to: usize| -> Value { (from..to).map(|index| json!({"value": index.to_string()})).collect() };
    let add = |to: usize| {
        json!([
            {"op": "add", "path": "roles", "value": roles(0, VALUES - 1)},
            {"op": "add", "path": "roles", "value": roles(VALUES - 1, to)},
        ])
    };
    assert_eq!(patched(add(VALUES))["roles"].as_array().unwrap().len(), VALUES);
    assert_eq!(refusal(add(VALUES + 1)), "invalidValue");
}
