//! Properties of normalising over generated bodies.

use proptest::prelude::*;

use super::*;

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        Just(Value::from("True")),
        any::<i32>().prop_map(Value::from),
        "[a-zA-Zé ]{0,6}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "value",
        "type",
        "Primary",
        "givenName",
        "$ref",
        "manager",
        "admin",
        "x",
    ]);
    leaf().prop_recursive(3, 16, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|parts| parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// A body most of which normalises.
fn body() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "title",
        "active",
        "emails",
        "ROLES",
        "name",
        "name.givenName",
        "externalId",
        "groups",
        "nope",
        WORKBENCH,
        ENTERPRISE,
    ]);
    prop::collection::vec((key, value()), 0..3).prop_map(|parts| {
        let mut body = json!({"userName": "jane"});
        for (key, value) in parts {
            body[key] = value;
        }
        body
    })
}

proptest! {
    #[test]
    fn normalising_twice_is_normalising_once(body in body()) {
        if let Ok(once) = user(body) {
            let twice = normalise(ResourceType::User, once.clone(), Dialect::Strict);
            prop_assert_eq!(twice, Ok(once));
        }
    }

    #[test]
    fn a_normalised_document_has_no_empty_value(body in body()) {
        fn is_full(value: &Value) -> bool {
            match value {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(elements) => !elements.is_empty() && elements.iter().all(is_full),
                Value::Object(parts) => !parts.is_empty() && parts.values().all(is_full),
                Value::Bool(_) | Value::Number(_) => true,
            }
        }
        if let Ok(document) = user(body) {
            prop_assert!(is_full(&Value::Object(document)));
        }
    }
}
