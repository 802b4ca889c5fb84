//! Membership changes.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a JSON literal reads better without a borrow"
)]

use super::*;
use crate::scim::group::MemberRef;
use crate::scim::limits::MEMBERS;

fn compiled(operations: Value) -> Result<GroupPatch, ScimError> {
    compile_group(parse(
        ResourceType::Group,
        json!({"Operations": operations}),
        Dialect::Strict,
    )?)
}

fn change(operations: Value) -> MembersChange {
    let text = operations.to_string();
    compiled(operations)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .members
}

fn member(id: &str) -> MemberRef {
    MemberRef {
        id: id.to_owned(),
        kind: None,
    }
}

fn delta(add: &[&str], remove: &[&str]) -> MembersChange {
    MembersChange::Delta(MembersDelta {
        add: add.iter().map(|id| member(id)).collect(),
        remove: remove.iter().map(|&id| id.to_owned()).collect(),
    })
}

#[test]
fn additions_and_removals_need_no_read() {
    assert_eq!(
        change(json!([
            {"op": "remove", "path": "members[value eq \"a\"]"},
            {"op": "add", "path": "members", "value": [{"value": "b", "display": "B", "$ref": null}]},
            {"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "c"}]},
            {"op": "remove", "path": "members[value eq \"d\" or value eq \"e\"]"},
        ])),
        delta(&["b"], &["a", "c", "d", "e"])
    );
}

#[test]
fn the_last_word_on_a_member_holds() {
    assert_eq!(
        change(json!([
            {"op": "add", "path": "members", "value": [{"value": "a"}, {"value": "b"}, {"value": "a"}]},
            {"op": "remove", "path": "members[value eq \"a\"]"},
            {"op": "remove", "path": "members[value eq \"c\"]"},
            {"op": "add", "path": "members", "value": {"value": "c"}},
        ])),
        delta(&["b", "c"], &["a"])
    );
}

#[test]
fn a_replaced_list_takes_the_operations_after_it_along() {
    let operations = json!([
        {"op": "add", "path": "members", "value": [{"value": "x"}]},
        {"op": "replace", "path": "members", "value": [{"value": "a"}, {"value": "b"}]},
        {"op": "remove", "path": "members", "value": [{"value": "a"}]},
        {"op": "add", "path": "members", "value": [{"value": "c", "type": "group"}]},
    ]);
    let expected = vec![
        member("b"),
        MemberRef {
            id: "c".to_owned(),
            kind: Some(ResourceType::Group),
        },
    ];
    assert_eq!(change(operations), MembersChange::Replace(expected));
}

#[test]
fn an_empty_list_empties_the_group_and_an_empty_removal_does_not() {
    for operations in [
        json!([{"op": "replace", "path": "members", "value": []}]),
        json!([{"op": "replace", "path": "members", "value": null}]),
        json!([{"op": "replace", "value": {"members": []}}]),
        json!([{"op": "remove", "path": "members"}]),
    ] {
        assert_eq!(change(operations), MembersChange::Replace(Vec::new()));
    }
    let nothing = change(json!([{"op": "remove", "path": "members", "value": []}]));
    assert!(nothing.is_empty());
}

#[test]
fn a_pathless_value_is_split() {
    let patch =
        compiled(json!([{"op": "replace", "value": {"id": ID, "displayName": "x", "Members": [{"value": "a"}]}}]))
            .unwrap();
    assert_eq!(patch.members, MembersChange::Replace(vec![member("a")]));
    let before = normalise(
        ResourceType::Group,
        object(json!({"displayName": "g"})).unwrap(),
        Dialect::Strict,
    )
    .unwrap();
    let after = apply(&patch.attributes, ResourceType::Group, ID, &before, Dialect::Strict).unwrap();
    assert_eq!(after["displayName"], "x");
    assert!(after.get("members").is_none());
}

#[test]
fn other_filters_on_members_ask_for_a_read() {
    let change = change(json!([
        {"op": "add", "path": "members", "value": [{"value": "d"}]},
        {"op": "remove", "path": "members[type eq \"Group\"]"},
    ]));
    assert!(matches!(change, MembersChange::Steps(_)));
    let current = [
        MemberRef {
            id: "a".to_owned(),
            kind: Some(ResourceType::User),
        },
        MemberRef {
            id: "b".to_owned(),
            kind: Some(ResourceType::Group),
        },
    ];
    assert_eq!(change.put_in().collect::<Vec<_>>(), ["d"]);
    let delta = change.resolve(&current, |_| Some(ResourceType::User));
    assert_eq!(
        delta,
        MembersDelta {
            add: vec![MemberRef {
                id: "d".to_owned(),
                kind: Some(ResourceType::User),
            }],
            remove: vec!["b".to_owned()]
        }
    );
}

#[test]
fn changes_inside_a_member_are_refused() {
    for operation in [
        json!({"op": "replace", "path": "members.value", "value": "x"}),
        json!({"op": "replace", "path": "members[value eq \"a\"].type", "value": "Group"}),
        json!({"op": "remove", "path": "members.value"}),
    ] {
        let error = compiled(json!([operation])).unwrap_err();
        assert_eq!(error.scim_type.unwrap().as_str(), "mutability", "{operation}");
    }
    assert!(change(json!([{"op": "replace", "path": "members[value eq \"a\"].display", "value": "x"}])).is_empty());
}

#[test]
fn members_without_an_id_are_refused() {
    for value in [
        json!([{}]),
        json!([{"value": ""}]),
        json!([{"value": 5}]),
        json!(["a"]),
        json!(5),
    ] {
        let error = compiled(json!([{"op": "add", "path": "members", "value": value}])).unwrap_err();
        assert_eq!(error.scim_type.unwrap().as_str(), "invalidValue", "{value}");
    }
}

#[test]
fn the_number_of_members_is_bounded() {
    let members = |count: usize| -> Value { (0..count).map(|index| json!({"value": index.to_string()})).collect() };
    let replace = |count| compiled(json!([{"op": "replace", "path": "members", "value": members(count)}]));
    assert!(matches!(replace(MEMBERS).unwrap().members, MembersChange::Replace(all) if all.len() == MEMBERS));
    assert!(replace(MEMBERS + 1).is_err());
    let twice = compiled(json!([
        {"op": "add", "path": "members", "value": members(MEMBERS)},
        {"op": "remove", "path": "members", "value": members(1)},
    ]));
    assert!(twice.is_err());
}
