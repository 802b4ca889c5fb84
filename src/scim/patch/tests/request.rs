//! Reading the request.

use super::*;
use crate::scim::limits::PATCH_OPERATIONS;

fn error(body: Value) -> &'static str {
    parse(ResourceType::User, body, Dialect::Strict)
        .unwrap_err()
        .scim_type
        .unwrap()
        .as_str()
}

#[test]
fn operations_and_members_are_named_in_any_case() {
    let body = json!({"schemas": [PATCH_OP_URN.to_lowercase()], "operations": [{"OP": "RePlace", "Path": "title", "VALUE": "x"}]});
    let patch = parse(ResourceType::User, body, Dialect::Strict).unwrap();
    assert_eq!(patch.operations[0].op, Op::Replace);
    assert_eq!(patch.operations[0].path.to_string(), "title");
}

#[test]
fn a_wrong_structure_is_refused() {
    for body in [
        json!([]),
        json!({}),
        json!({"Operations": {}}),
        json!({"Operations": []}),
        json!({"Operations": ["x"]}),
        json!({"Operations": [{"path": "title", "value": "x"}]}),
        json!({"Operations": [{"op": "move", "path": "title", "value": "x"}]}),
        json!({"Operations": [{"op": 5}]}),
        json!({"Operations": [{"op": "add", "path": 5, "value": "x"}]}),
        json!({"schemas": ["urn:x"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}),
    ] {
        assert_eq!(error(body.clone()), "invalidSyntax", "{body}");
    }
    assert_eq!(
        error(json!({"Operations": [{"op": "add", "path": "title"}]})),
        "invalidValue"
    );
    assert_eq!(
        error(json!({"Operations": [{"op": "add", "value": "x"}]})),
        "invalidValue"
    );
    assert_eq!(error(json!({"Operations": [{"op": "remove"}]})), "noTarget");
    assert_eq!(
        error(json!({"Operations": [{"op": "remove", "path": "nope"}]})),
        "invalidPath"
    );
    assert_eq!(
        error(json!({"Operations": [{"op": "remove", "path": "emails[type zz 1]"}]})),
        "invalidFilter"
    );
}

#[test]
fn no_operations_are_a_success_in_the_entra_dialect_only() {
    let patch = parse(ResourceType::User, json!({"Operations": []}), Dialect::Entra).unwrap();
    assert_eq!(
        apply(&patch, ResourceType::User, ID, &jane(), Dialect::Entra).unwrap(),
        jane()
    );
}

#[test]
fn the_number_of_operations_is_bounded() {
    let operations =
        |count: usize| json!({"Operations": vec![json!({"op": "replace", "path": "title", "value": "x"}); count]});
    parse(ResourceType::User, operations(PATCH_OPERATIONS), Dialect::Strict).unwrap();
    assert_eq!(error(operations(PATCH_OPERATIONS + 1)), "invalidSyntax");
}

#[test]
fn many_filters_over_a_long_list_end_early() {
    let mut document = jane();
    let roles: Value = (0..1000)
        .map(|index| json!({"value": format!("{index}{}", "x".repeat(200))}))
        .collect();
    document.insert("roles".to_owned(), roles);
    let path = format!("roles[{}]", vec!["value co \"q\""; 50].join(" or "));
    let body = json!({"Operations": vec![json!({"op": "remove", "path": path}); 1000]});
    let request = parse(ResourceType::User, body, Dialect::Strict).unwrap();
    let error = apply(&request, ResourceType::User, ID, &document, Dialect::Strict).unwrap_err();
    assert_eq!(error.scim_type.unwrap().as_str(), "tooMany");
}
