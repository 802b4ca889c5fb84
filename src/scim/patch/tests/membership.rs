//! Operations on members in one request do what they do one by one.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::scim::group::MemberRef;

/// Who there is: users `u…` and groups `g…`.
const EVERYBODY: [&str; 6] = ["u1", "u2", "u3", "u4", "g1", "g2"];

fn kind_of(id: &str) -> ResourceType {
    if id.starts_with('g') {
        ResourceType::Group
    } else {
        ResourceType::User
    }
}

fn operation() -> impl Strategy<Value = Value> {
    let id = || prop::sample::select(EVERYBODY.to_vec());
    // What the client says of a member need not be true.
    let claim = prop::sample::select(vec![json!(null), json!("User"), json!("Group")]);
    let member = (id(), claim).prop_map(|(id, kind)| json!({"value": id, "type": kind}));
    let members = move || prop::collection::vec(member.clone(), 0..4);
    let filter = prop_oneof![
        id().prop_map(|id| format!("value eq \"{id}\"")),
        (id(), id()).prop_map(|(left, right)| format!("value eq \"{left}\" or value eq \"{right}\"")),
        Just("type eq \"Group\"".to_owned()),
        Just("not (type eq \"group\")".to_owned()),
        id().prop_map(|id| format!("type eq \"User\" and value ne \"{id}\"")),
    ];
    prop_oneof![
        3 => members().prop_map(|members| json!({"op": "add", "path": "members", "value": members})),
        1 => members().prop_map(|members| json!({"op": "add", "value": {"members": members}})),
        2 => members().prop_map(|members| json!({"op": "remove", "path": "members", "value": members})),
        3 => filter.prop_map(|filter| json!({"op": "remove", "path": format!("members[{filter}]")})),
        1 => members().prop_map(|members| json!({"op": "replace", "path": "members", "value": members})),
        1 => Just(json!({"op": "remove", "path": "members"})),
    ]
}

/// The members after a request, of those before.
fn after(before: &BTreeSet<String>, operations: &[Value]) -> BTreeSet<String> {
    let body = json!({"Operations": operations});
    let change = compile_group(parse(ResourceType::Group, body, Dialect::Strict).unwrap()).unwrap();
    let current: Vec<MemberRef> = before
        .iter()
        .map(|id| MemberRef {
            id: id.clone(),
            kind: Some(kind_of(id)),
        })
        .collect();
    let delta = change.members.resolve(&current, |id| Some(kind_of(id)));
    assert!(delta.add.iter().all(|member| !delta.remove.contains(&member.id)));
    let kept = before.iter().filter(|id| !delta.remove.contains(id)).cloned();
    kept.chain(delta.add.iter().map(|member| member.id.clone())).collect()
}

proptest! {
    #[test]
    fn one_request_is_its_operations_one_by_one(
        before in prop::sample::subsequence(EVERYBODY.to_vec(), 0..=EVERYBODY.len()),
        operations in prop::collection::vec(operation(), 1..7),
    ) {
        let before: BTreeSet<String> = before.into_iter().map(str::to_owned).collect();
        let separate = operations.iter().fold(before.clone(), |members, operation| {
            after(&members, std::slice::from_ref(operation))
        });
        prop_assert_eq!(after(&before, &operations), separate);
    }
}
