//! `replace`.

use super::*;
use crate::scim::limits::{STRING_BYTES, VALUES};

#[test]
fn replacing_a_missing_attribute_acts_as_add() {
    assert_eq!(
        patched(json!([{"op": "replace", "path": "nickName", "value": "JD"}]))["nickName"],
        "JD"
    );
}

#[test]
fn a_list_is_replaced_as_a_whole() {
    let after = patched(json!([{"op": "replace", "path": "emails", "value": [{"value": "x"}]}]));
    assert_eq!(after["emails"], json!([{"value": "x"}]));
    let cleared = patched(json!([{"op": "replace", "path": "emails", "value": []}]));
    assert!(cleared.get("emails").is_none());
}

#[test]
fn a_complex_attribute_is_merged() {
    let after = patched(json!([{"op": "replace", "path": "name", "value": {"givenName": "J", "middleName": "M"}}]));
    assert_eq!(
        after["name"],
        json!({"givenName": "J", "familyName": "Doe", "middleName": "M"})
    );
    let after = patched(json!([{"op": "replace", "path": "name", "value": {"givenName": null}}]));
    assert_eq!(after["name"], json!({"familyName": "Doe"}));
}

#[test]
fn selected_values_are_replaced() {
    let after = patched(json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@x"}]));
    assert_eq!(
        after["emails"][0],
        json!({"value": "new@x", "type": "work", "primary": true})
    );
    let after = patched(json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "new@x"}}]));
    assert_eq!(after["emails"][0], json!({"value": "new@x"}));
}

#[test]
fn replacing_at_an_unmatched_value_path_has_no_target_but_for_entra() {
    let operations = json!([{"op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1"}]);
    assert_eq!(refusal(operations.clone()), "noTarget");
    let after = patched_in(Dialect::Entra, operations).unwrap();
    assert_eq!(after["phoneNumbers"], json!([{"type": "mobile", "value": "+1"}]));
}

#[test]
fn empty_and_null_values_clear() {
    for nothing in [json!(""), json!(null)] {
        let after = patched(json!([
            {"op": "replace", "path": "title", "value": nothing},
            {"op": "replace", "path": "name.givenName", "value": nothing},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": nothing},
            {"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": nothing},
        ]));
        assert!(after.get("title").is_none());
        assert_eq!(after["name"], json!({"familyName": "Doe"}));
        assert_eq!(after["emails"][0], json!({"type": "work", "primary": true}));
        assert!(after[ENTERPRISE].get("department").is_none());
    }
}

#[test]
fn the_manager_is_set_by_id_replaced_and_cleared() {
    let manager = format!("{ENTERPRISE}:manager");
    for value in [json!("m2"), json!({"value": "m2"}), json!([{"value": "m2"}])] {
        let after = patched(json!([{"op": "Replace", "path": manager, "value": value}]));
        // No `$ref` of the predecessor is left.
        assert_eq!(after[ENTERPRISE]["manager"], json!({"value": "m2"}));
    }
    for nothing in [json!(""), json!(null), json!({"value": ""})] {
        let after = patched(json!([{"op": "Replace", "path": "manager", "value": nothing}]));
        assert!(after[ENTERPRISE].get("manager").is_none());
    }
}

#[test]
fn booleans_may_be_strings() {
    assert_eq!(
        patched(json!([{"op": "Replace", "path": "active", "value": "False"}]))["active"],
        false
    );
}

#[test]
fn read_only_attributes_are_refused() {
    for path in [
        "id",
        "meta",
        "meta.created",
        "groups",
        &format!("{WORKBENCH}:locked"),
        &format!("{WORKBENCH}:lastSignIn"),
        &format!("{ENTERPRISE}:manager.displayName"),
        "groups[value eq \"x\"]",
    ] {
        for op in ["add", "replace"] {
            assert_eq!(
                refusal(json!([{"op": op, "path": path, "value": "x"}])),
                "mutability",
                "{op} {path}"
            );
        }
    }
    assert_eq!(
        refusal(json!([{"op": "replace", "value": {WORKBENCH: {"locked": true}}}])),
        "mutability"
    );
}

#[test]
fn values_that_become_equal_are_one() {
    for operation in [
        json!({"op": "replace", "path": "emails[type pr]", "value": {"value": "a@x", "type": "other"}}),
        json!({"op": "remove", "path": "emails[type eq \"home\"].value"}),
        json!({"op": "remove", "path": "emails.value"}),
        json!({"op": "replace", "path": "emails.value", "value": "c@x"}),
    ] {
        let twins = json!({"op": "replace", "path": "emails", "value": [
            {"value": "a@x", "type": "home"},
            {"value": "b@x", "type": "home"},
        ]});
        let after = patched(json!([twins, operation]));
        assert_eq!(
            after["emails"].as_array().map(Vec::len),
            Some(1),
            "{operation}: {after}"
        );
    }
}

#[test]
fn one_part_of_many_values_is_bounded() {
    let roles: Vec<Value> = (0..VALUES).map(|n| json!({"value": n.to_string()})).collect();
    let long = "x".repeat(STRING_BYTES);
    for path in ["roles.display", "roles[value pr].display"] {
        let error = refusal(json!([
            {"op": "add", "path": "roles", "value": roles},
            {"op": "replace", "path": path, "value": long},
            {"op": "replace", "path": path, "value": long},
        ]));
        assert_eq!(error, "tooMany", "{path}");
    }
}

#[test]
fn the_password_is_accepted_and_dropped() {
    assert_eq!(
        patched(json!([{"op": "replace", "path": "password", "value": "secret"}])),
        Value::Object(jane())
    );
}

#[test]
fn a_required_attribute_cannot_be_emptied() {
    assert_eq!(
        refusal(json!([{"op": "replace", "path": "userName", "value": ""}])),
        "invalidValue"
    );
    assert_eq!(
        refusal(json!([{"op": "replace", "path": "userName", "value": 5}])),
        "invalidValue"
    );
}

#[test]
fn the_last_extension_attribute_takes_its_schema_along() {
    let after = patched(json!([
        {"op": "remove", "path": format!("{ENTERPRISE}:department")},
        {"op": "remove", "path": format!("{ENTERPRISE}:manager")},
    ]));
    assert!(after.get(ENTERPRISE).is_none());
    assert!(!after["schemas"].as_array().unwrap().contains(&ENTERPRISE.into()));
}
