//! All or nothing, and one after the other.

use proptest::prelude::*;

use super::*;

#[test]
fn a_failing_operation_fails_the_request() {
    let operations = json!([
        {"op": "replace", "path": "displayName", "value": "SHOULD NOT STICK"},
        {"op": "replace", "path": "id", "value": "zzz"},
    ]);
    let error = patched_in(Dialect::Strict, operations).unwrap_err();
    assert_eq!(error.scim_type.unwrap().as_str(), "mutability");
    assert!(error.detail.starts_with("Operation 2: "), "{}", error.detail);
}

fn operation() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec![
        "title",
        "name",
        "name.givenName",
        "emails",
        "emails[type eq \"work\"]",
        "emails[type eq \"home\"].value",
        "emails[primary eq true].display",
        "emails[type pr]",
        "emails[type pr].value",
        "emails.type",
        "roles",
        "manager",
        "active",
        "",
    ]);
    let value = prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        Just(json!([])),
        "[a-c]{1,2}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (
            "[a-c]",
            prop::sample::select(vec!["work", "home", "other"]),
            any::<Option<bool>>()
        )
            .prop_map(|(value, kind, primary)| json!({"value": value, "type": kind, "primary": primary})),
        ("[a-c]", "[a-c]?").prop_map(|(given, family)| json!({"givenName": given, "familyName": family})),
        ("[a-c]", any::<bool>())
            .prop_map(|(title, active)| json!({"title": title, "active": active, "name.givenName": "z"})),
        prop::collection::vec("[a-c]", 0..3)
            .prop_map(|values| values.into_iter().map(|value| json!({"value": value})).collect()),
    ];
    (prop::sample::select(vec!["add", "remove", "replace"]), path, value).prop_map(|(op, path, value)| {
        if path.is_empty() {
            json!({"op": op, "value": value})
        } else {
            json!({"op": op, "path": path, "value": value})
        }
    })
}

fn one_by_one(dialect: Dialect, operations: &[Value]) -> Result<Document, ScimError> {
    let mut document = jane();
    for operation in operations {
        let patch = parse(ResourceType::User, json!({"Operations": [operation]}), dialect)?;
        document = apply(&patch, ResourceType::User, ID, &document, dialect)?;
    }
    Ok(document)
}

proptest! {
    #[test]
    fn one_request_is_its_operations_one_by_one(operations in prop::collection::vec(operation(), 1..5)) {
        for dialect in [Dialect::Strict, Dialect::Entra] {
            let separate = one_by_one(dialect, &operations);
            let together = patched_in(dialect, Value::from(operations.clone()));
            prop_assert_eq!(together.is_ok(), separate.is_ok());
            if let (Ok(together), Ok(separate)) = (together, separate) {
                prop_assert_eq!(together, separate);
            }
        }
    }

    #[test]
    fn the_result_is_normalised(operations in prop::collection::vec(operation(), 1..5)) {
        if let Ok(after) = patched_in(Dialect::Entra, Value::from(operations)) {
            let again = normalise(ResourceType::User, after.clone(), Dialect::Strict);
            prop_assert_eq!(again, Ok(after));
        }
    }
}
