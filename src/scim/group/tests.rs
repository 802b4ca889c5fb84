//! Tests of groups between documents and rows.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::scim::Dialect;
use crate::scim::document::{normalise, object};
use crate::scim::limits::EXTERNAL_ID_CHARACTERS;

const BASE: &str = "https://scim.example.org/scim/v2";

fn draft(body: Value) -> Result<GroupDraft, ScimError> {
    let document = normalise(ResourceType::Group, object(body).unwrap(), Dialect::Strict)?;
    GroupDraft::from_document(document)
}

fn row() -> GroupRow {
    GroupRow {
        id: Uuid::from_u128(9),
        doc: json!({"displayName": "Ops", "externalId": "e"}),
        posix_name: "Ops".to_owned(),
        gid: 10009,
        created: "2024-04-23T18:57:43Z".parse().unwrap(),
        last_modified: "2024-04-23T18:57:43Z".parse().unwrap(),
        version: 3,
    }
}

#[test]
fn a_document_is_split_into_columns_members_and_the_rest() {
    let draft = draft(json!({
        "displayName": "Ops Ä", "externalId": "E1",
        "members": [{"value": "a", "type": "user", "display": "A"}, {"value": "a"}, {"value": "g", "type": "Group"}],
        POSIX_GROUP.id: {"posixGroupName": "ops", "posixGroupId": 10009},
    }))
    .unwrap();
    assert_eq!(
        (draft.display_name.as_str(), draft.display_name_key.as_str()),
        ("Ops Ä", "ops ä")
    );
    assert_eq!((draft.posix_name.as_deref(), draft.gid), (Some("ops"), Some(10009)));
    assert_eq!(
        draft.members,
        [
            MemberRef {
                id: "a".to_owned(),
                kind: Some(ResourceType::User)
            },
            MemberRef {
                id: "g".to_owned(),
                kind: Some(ResourceType::Group)
            },
        ]
    );
    assert_eq!(draft.doc, json!({"displayName": "Ops Ä", "externalId": "E1"}));
    assert_eq!(draft.doc_key, json!({"displayName": "ops ä", "externalId": "E1"}));
}

#[test]
fn names_that_would_do_harm_are_refused() {
    for body in [
        json!({"displayName": "Ops\u{202e}"}),
        json!({"displayName": "Ops "}),
        json!({"displayName": "Ops", POSIX_GROUP.id: {"posixGroupName": "a:b"}}),
        json!({"displayName": "Ops", "members": [{"type": "User"}]}),
    ] {
        assert_eq!(draft(body).unwrap_err().scim_type.unwrap().as_str(), "invalidValue");
    }
}

#[test]
fn the_id_of_a_member_is_bounded() {
    let group = |length: usize| draft(json!({"displayName": "Ops", "members": [{"value": "a".repeat(length)}]}));
    group(EXTERNAL_ID_CHARACTERS).unwrap();
    assert!(group(EXTERNAL_ID_CHARACTERS + 1).is_err());
}

#[test]
fn a_group_is_rendered_in_pieces() {
    let rendered = render(&row(), BASE);
    let member = member_json(Uuid::from_u128(7), false, BASE);
    let text = format!("{},\"members\":[{member}]}}", render_head(&rendered));
    let parsed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        parsed,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", POSIX_GROUP.id],
            "id": "00000000-0000-0000-0000-000000000009",
            "displayName": "Ops",
            "externalId": "e",
            POSIX_GROUP.id: {"posixGroupName": "Ops", "posixGroupId": 10009},
            "meta": {
                "resourceType": "Group",
                "created": "2024-04-23T18:57:43.000Z",
                "lastModified": "2024-04-23T18:57:43.000Z",
                "location": format!("{BASE}/Groups/00000000-0000-0000-0000-000000000009"),
                "version": "W/\"3\"",
            },
            "members": [{
                "value": "00000000-0000-0000-0000-000000000007",
                "$ref": format!("{BASE}/Users/00000000-0000-0000-0000-000000000007"),
                "type": "User",
            }],
        })
    );
}

#[test]
fn the_document_for_a_patch_is_normalised() {
    let document = to_document(&row());
    assert_eq!(
        normalise(ResourceType::Group, document.clone(), Dialect::Strict).unwrap(),
        document
    );
    assert_eq!(GroupDraft::from_document(document).unwrap().doc, row().doc);
}
