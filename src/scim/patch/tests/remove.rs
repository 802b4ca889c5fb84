//! `remove`.

use super::*;

#[test]
fn attributes_parts_and_selected_values_go() {
    let after = patched(json!([
        {"op": "remove", "path": "title"},
        {"op": "remove", "path": "name.givenName"},
        {"op": "remove", "path": "emails[type eq \"home\"]"},
        {"op": "remove", "path": "emails.primary"},
        {"op": "remove", "path": WORKBENCH},
    ]));
    assert!(after.get("title").is_none() && after.get(WORKBENCH).is_none());
    assert_eq!(after["name"], json!({"familyName": "Doe"}));
    assert_eq!(after["emails"], json!([{"value": "jane@example.org", "type": "work"}]));
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let operations = json!([
        {"op": "remove", "path": "nickName"},
        {"op": "remove", "path": "emails[type eq \"other\"]"},
        {"op": "remove", "path": "phoneNumbers"},
        {"op": "remove", "path": "phoneNumbers[type eq \"work\"].value"},
        {"op": "remove", "path": "urn:rollcall:params:scim:schemas:extension:posix:1.0:User:loginShell"},
    ]);
    assert_eq!(patched(operations), Value::Object(jane()));
}

#[test]
fn a_list_of_values_limits_what_goes() {
    for value in [
        json!([{"value": "J@HOME.example", "$ref": null}]),
        json!({"value": "j@home.example"}),
        json!("j@home.example"),
    ] {
        let after = patched(json!([{"op": "Remove", "path": "emails", "value": value}]));
        assert_eq!(after["emails"].as_array().unwrap().len(), 1, "{after}");
        assert_eq!(after["emails"][0]["type"], "work");
    }
    let unchanged =
        patched(json!([{"op": "Remove", "path": "emails", "value": [{"value": "j@home.example", "type": "work"}]}]));
    assert_eq!(unchanged, Value::Object(jane()));
    let unchanged = patched(json!([{"op": "Remove", "path": "emails", "value": []}]));
    assert_eq!(unchanged, Value::Object(jane()));
}

#[test]
fn a_path_alone_removes_all_values() {
    assert!(
        patched(json!([{"op": "remove", "path": "emails"}]))
            .get("emails")
            .is_none()
    );
}

#[test]
fn required_and_read_only_attributes_stay() {
    for path in [
        "userName",
        "id",
        "schemas",
        "meta",
        "groups",
        &format!("{WORKBENCH}:locked"),
    ] {
        assert_eq!(refusal(json!([{"op": "remove", "path": path}])), "mutability", "{path}");
    }
}
