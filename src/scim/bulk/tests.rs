//! Tests of Bulk requests.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a JSON literal reads better without a borrow"
)]

use serde_json::json;

use super::*;
use crate::scim::limits::{BULK_OPERATIONS, Limits};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn request(operations: Value) -> BulkRequest {
    parse(
        json!({"schemas": [BULK_REQUEST_URN], "Operations": operations}),
        &Limits::default(),
    )
    .unwrap()
}

fn post_group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Value = members
        .iter()
        .map(|id| json!({"value": format!("bulkId:{id}")}))
        .collect();
    json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": {"displayName": bulk_id, "members": members}})
}

fn post_user(bulk_id: &str) -> Value {
    json!({"method": "post", "path": "/Users", "bulkId": bulk_id, "data": {"userName": bulk_id}})
}

fn order(steps: &[Step]) -> Vec<usize> {
    steps
        .iter()
        .map(|step| match step {
            Step::Run(operation) | Step::RunWithout { operation, .. } | Step::Complete { operation, .. } => *operation,
        })
        .collect()
}

#[test]
fn a_creation_moves_up_before_the_first_reference_to_it() {
    let request = request(json!([
        post_group("g", &["u1", "u2"]),
        {"method": "DELETE", "path": "/Users/1"},
        post_user("u2"),
        post_user("u1"),
        {"method": "PATCH", "path": "/Groups/bulkId:g", "data": {"Operations": []}},
    ]));
    let steps = plan(&request);
    assert!(steps.iter().all(|step| matches!(step, Step::Run(_))));
    assert_eq!(order(&steps), [2, 3, 0, 1, 4]);
}

#[test]
fn a_circle_is_broken_by_completing_one_creation_afterwards() {
    let request = request(json!([
        post_group("a", &["b", "u"]),
        post_group("b", &["a"]),
        post_user("u")
    ]));
    let steps = plan(&request);
    assert_eq!(order(&steps), [1, 2, 0, 1]);
    let Step::RunWithout { reduced, .. } = &steps[0] else {
        panic!("{steps:?}")
    };
    assert_eq!(reduced.data.as_ref().unwrap()["members"], json!([]));
    let Step::Complete { value, .. } = &steps[3] else {
        panic!("{steps:?}")
    };
    let ids = BulkIds::from([("a".to_owned(), "id-a".to_owned())]);
    let body = Step::completion(value, &ids).unwrap();
    assert_eq!(
        body["Operations"],
        json!([{"op": "add", "value": {"members": [{"value": "id-a"}]}}])
    );
}

#[test]
fn a_reference_to_itself_is_completed_afterwards() {
    let manager = json!({"manager": {"value": "bulkId:u"}, "department": "x"});
    let request = request(json!([{
        "method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "u", ENTERPRISE: manager},
    }]));
    let steps = plan(&request);
    let [Step::RunWithout { reduced, .. }, Step::Complete { value, .. }] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    assert_eq!(reduced.data.as_ref().unwrap()[ENTERPRISE], json!({"department": "x"}));
    assert_eq!(value, &json!({ENTERPRISE: {"manager": {"value": "bulkId:u"}}}));
}

#[test]
fn references_are_replaced_everywhere() {
    let request = request(json!([{
        "method": "PATCH", "path": "/Groups/bulkId:g", "data": {"Operations": [
            {"op": "remove", "path": "members[value eq \"bulkId:u\" or value eq \"bulkId:v\"]"},
            {"op": "add", "path": "members", "value": [{"value": "bulkId:v", "$ref": null}]},
        ]},
    }]));
    let operation = request.operations[0].operation.clone().unwrap();
    let ids: BulkIds = ["g", "u", "v"]
        .iter()
        .map(|id| ((*id).to_owned(), format!("id-{id}")))
        .collect();
    let resolved = substitute(&operation, &ids).unwrap();
    assert_eq!(resolved.id.as_deref(), Some("id-g"));
    assert_eq!(
        resolved.data.unwrap()["Operations"],
        json!([
            {"op": "remove", "path": "members[value eq \"id-u\" or value eq \"id-v\"]"},
            {"op": "add", "path": "members", "value": [{"value": "id-v", "$ref": null}]},
        ])
    );
}

#[test]
fn a_reference_to_nothing_is_a_conflict_of_its_operation() {
    let request = request(json!([post_group("g", &["nope"]), post_user("u")]));
    assert_eq!(order(&plan(&request)), [0, 1]);
    let operation = request.operations[0].operation.clone().unwrap();
    assert_eq!(substitute(&operation, &BulkIds::new()).unwrap_err().status, 409);
}

#[test]
fn faulty_operations_fail_alone() {
    let request = request(json!([
        "x",
        {"method": "GET", "path": "/Users/1"},
        {"method": "POST", "path": "/Users", "data": {}},
        {"method": "POST", "path": "/Users/1", "bulkId": "a", "data": {}},
        {"method": "POST", "path": "/Devices", "bulkId": "b", "data": {}},
        {"method": "PUT", "path": "/Users", "data": {}},
        {"method": "PATCH", "path": "/Users/1"},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {}},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {}},
        {"method": "DELETE", "path": "/Users/%zz"},
        {"method": "DELETE", "path": "/Users/1/2"},
        {"method": 5},
    ]));
    let fine: Vec<_> = request.operations.iter().map(|entry| entry.operation.is_ok()).collect();
    assert_eq!(fine.iter().filter(|&&fine| fine).count(), 1);
    assert!(fine[7]);
    assert_eq!(order(&plan(&request)), [7]);
    assert_eq!(request.operations[8].bulk_id.as_deref(), Some("u"));
}

#[test]
fn the_fields_of_an_operation_are_bounded() {
    let fine = |length: usize| {
        let request = request(json!([{"method": "DELETE", "path": format!("/Users/{}", "a".repeat(length - 7))}]));
        request.operations[0].operation.is_ok()
    };
    assert!(fine(1_024));
    assert!(!fine(1_025));
}

#[test]
fn versions_and_encoded_ids_are_read() {
    let request = request(json!([{"method": "DELETE", "path": "Users/a%20b", "version": "W/\"1\"", "data": {}}]));
    let operation = request.operations[0].operation.clone().unwrap();
    assert_eq!(operation.id.as_deref(), Some("a b"));
    assert_eq!(operation.version.as_deref(), Some("W/\"1\""));
    assert_eq!(operation.data, None);
}

#[test]
fn a_request_of_a_wrong_structure_is_refused() {
    let refusal = |body: Value| parse(body, &Limits::default()).unwrap_err();
    for body in [
        json!([]),
        json!({}),
        json!({"Operations": []}),
        json!({"schemas": ["urn:x"], "Operations": [post_user("u")]}),
        json!({"failOnErrors": "1", "Operations": [post_user("u")]}),
    ] {
        assert_eq!(refusal(body).scim_type.unwrap().as_str(), "invalidSyntax");
    }
    let many: Vec<_> = (0..=BULK_OPERATIONS)
        .map(|index| post_user(&index.to_string()))
        .collect();
    assert_eq!(refusal(json!({"Operations": many})).status, 413);
}

#[test]
fn a_chain_as_long_as_the_limit_is_planned() {
    let operations: Vec<_> = (0..BULK_OPERATIONS)
        .map(|index| post_group(&index.to_string(), &[&(index + 1).to_string()]))
        .collect();
    let steps = plan(&request(json!(operations)));
    let expected: Vec<_> = (0..BULK_OPERATIONS).rev().collect();
    assert_eq!(order(&steps), expected);
}
