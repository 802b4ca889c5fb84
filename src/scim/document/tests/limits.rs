//! The limits of a document, each at its number and one beyond.

use super::*;
use crate::scim::limits::{DOCUMENT_BYTES, EXTERNAL_ID_CHARACTERS, MEMBERS, NAME_CHARACTERS, STRING_BYTES, VALUES};

#[test]
fn names_are_bounded_in_characters() {
    for (attribute, most) in [
        ("userName", NAME_CHARACTERS),
        ("displayName", NAME_CHARACTERS),
        ("externalId", EXTERNAL_ID_CHARACTERS),
    ] {
        let mut body = json!({"userName": "jane"});
        body[attribute] = "é".repeat(most).into();
        normalised(body.clone());
        body[attribute] = "é".repeat(most + 1).into();
        assert_eq!(refusal(body), "invalidValue");
    }
}

#[test]
fn strings_are_bounded_in_bytes() {
    normalised(json!({"userName": "jane", "title": "a".repeat(STRING_BYTES)}));
    assert_eq!(
        refusal(json!({"userName": "jane", "title": "a".repeat(STRING_BYTES + 1)})),
        "invalidValue"
    );
    assert_eq!(
        refusal(json!({"userName": "jane", "title": "a".repeat(10_000_000)})),
        "invalidValue"
    );
}

#[test]
fn values_are_bounded() {
    let roles = |count: usize| -> Value { (0..count).map(|index| json!({"value": index.to_string()})).collect() };
    normalised(json!({"userName": "jane", "roles": roles(VALUES)}));
    assert_eq!(
        refusal(json!({"userName": "jane", "roles": roles(VALUES + 1)})),
        "invalidValue"
    );
}

#[test]
fn members_have_a_bound_of_their_own() {
    let group = |count: usize| {
        let members: Value = (0..count).map(|index| json!({"value": index.to_string()})).collect();
        normalise(
            ResourceType::Group,
            object(json!({"displayName": "g", "members": members})).unwrap(),
            Dialect::Strict,
        )
    };
    assert_eq!(group(MEMBERS).unwrap()["members"].as_array().unwrap().len(), MEMBERS);
    assert!(group(MEMBERS + 1).is_err());
}

#[test]
fn documents_are_bounded_in_bytes() {
    let entitlements: Value = (0..900)
        .map(|index| json!({"value": format!("{index}{}", "a".repeat(400))}))
        .collect();
    let body = json!({"userName": "jane", "entitlements": entitlements});
    assert!(body.to_string().len() > DOCUMENT_BYTES);
    assert_eq!(refusal(body), "invalidValue");
}
