//! Tests of users between documents and rows.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::scim::Dialect;
use crate::scim::document::{normalise, object};
use crate::scim::patch;

const BASE: &str = "https://scim.example.org/scim/v2";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn document(body: Value) -> Document {
    normalise(ResourceType::User, object(body).unwrap(), Dialect::Strict).unwrap()
}

fn draft(body: Value) -> UserDraft {
    UserDraft::from_document(&document(body)).unwrap()
}

fn full() -> Value {
    json!({
        "userName": "Jane@Example.org",
        "externalId": "Ext-1",
        "displayName": "Jane DOE",
        "name": {"givenName": "Jane", "familyName": "Straße"},
        "active": false,
        "emails": [{"value": "Jane@Example.org", "type": "Work"}, {"value": "JANE@example.org", "type": "home"}],
        "x509Certificates": [{"value": "AAbb"}],
        ENTERPRISE: {"department": "R&D", "manager": {"value": "M-1"}},
        WORKBENCH_USER.id: {"admin": true, "posixUserName": "jane", "posixUserId": 10001, "homeDirectory": "/home/jane"},
        POSIX_USER.id: {"loginShell": "/bin/bash"},
    })
}

fn row() -> UserRow {
    let draft = draft(full());
    UserRow {
        id: Uuid::from_u128(7),
        doc: draft.doc,
        posix_name: "jane".to_owned(),
        uid: 10001,
        primary_gid: 10001,
        home: "/home/jane".to_owned(),
        shell: Some("/bin/bash".to_owned()),
        admin: true,
        locked: true,
        created: "2024-04-23T18:57:43.123456Z".parse().unwrap(),
        last_modified: "2024-04-24T18:57:43Z".parse().unwrap(),
        version: 7,
        last_sign_in: None,
        groups: Some(vec![GroupRef {
            id: Uuid::from_u128(9),
            display: "Ops".to_owned(),
        }]),
    }
}

#[test]
fn a_document_is_split_into_columns_and_the_rest() {
    let draft = draft(full());
    assert_eq!(draft.user_name, "Jane@Example.org");
    assert_eq!(draft.user_name_key, "jane@example.org");
    assert_eq!(draft.external_id.as_deref(), Some("Ext-1"));
    assert_eq!(draft.display_name_key.as_deref(), Some("jane doe"));
    assert_eq!(draft.email_keys, ["jane@example.org"]);
    assert_eq!(draft.gecos.as_deref(), Some("Jane DOE"));
    assert_eq!((draft.posix_name.as_deref(), draft.uid), (Some("jane"), Some(10001)));
    assert_eq!(
        (draft.home.as_deref(), draft.shell.as_deref()),
        (Some("/home/jane"), Some("/bin/bash"))
    );
    assert_eq!((draft.admin, draft.active), (Some(true), Some(false)));
    assert_eq!(draft.doc["userName"], "Jane@Example.org");
    for key in ["schemas", "active", WORKBENCH_USER.id, POSIX_USER.id] {
        assert!(draft.doc.get(key).is_none(), "{key}");
    }
}

#[test]
fn the_key_document_folds_what_compares_without_case() {
    let key = draft(full()).doc_key;
    assert_eq!(key["name"]["familyName"], "strasse");
    assert_eq!(key["emails"][0], json!({"value": "jane@example.org", "type": "work"}));
    assert_eq!(key["externalId"], "Ext-1");
    assert_eq!(key["x509Certificates"][0]["value"], "AAbb");
    assert_eq!(
        key[ENTERPRISE],
        json!({"department": "r&d", "manager": {"value": "M-1"}})
    );
}

#[test]
fn what_a_document_does_not_mention_is_none() {
    let draft = draft(json!({"userName": "jane"}));
    assert_eq!(
        (draft.posix_name, draft.uid, draft.home, draft.shell),
        (None, None, None, None)
    );
    assert_eq!(
        (draft.admin, draft.active, draft.gecos, draft.external_id),
        (None, None, None, None)
    );
}

#[test]
fn the_gecos_name_comes_from_the_best_source() {
    let gecos = |body: Value| draft(body).gecos;
    assert_eq!(
        gecos(json!({"userName": "j", "name": {"formatted": "F", "givenName": "G"}})).as_deref(),
        Some("F")
    );
    assert_eq!(
        gecos(json!({"userName": "j", "name": {"givenName": "G", "familyName": "N"}})).as_deref(),
        Some("G N")
    );
    assert_eq!(gecos(json!({"userName": "j", "displayName": ":\n"})), None);
}

#[test]
fn names_and_paths_that_would_do_harm_are_refused() {
    for body in [
        json!({"userName": " jane"}),
        json!({"userName": "ja\u{200b}ne"}),
        json!({"userName": "jane", WORKBENCH_USER.id: {"homeDirectory": "home"}}),
        json!({"userName": "jane", WORKBENCH_USER.id: {"homeDirectory": "/home/../root"}}),
        json!({"userName": "jane", POSIX_USER.id: {"loginShell": "/bin/sh:x"}}),
    ] {
        let error = UserDraft::from_document(&document(body)).unwrap_err();
        assert_eq!(error.scim_type.unwrap().as_str(), "invalidValue");
    }
}

#[test]
fn a_row_is_rendered_as_workbench_documents_it() {
    let rendered = Value::Object(render(&row(), BASE));
    assert_eq!(rendered["id"], "00000000-0000-0000-0000-000000000007");
    assert_eq!(rendered["userName"], "Jane@Example.org");
    assert_eq!(rendered["active"], false);
    assert_eq!(
        rendered[WORKBENCH_USER.id],
        json!({"admin": true, "posixUserName": "jane", "posixUserId": 10001, "homeDirectory": "/home/jane", "locked": true})
    );
    assert_eq!(
        rendered[POSIX_USER.id],
        json!({"loginShell": "/bin/bash", "posixGroupId": 10001})
    );
    assert_eq!(
        rendered["groups"],
        json!([{
            "value": "00000000-0000-0000-0000-000000000009",
            "$ref": format!("{BASE}/Groups/00000000-0000-0000-0000-000000000009"),
            "display": "Ops",
            "type": "direct",
        }])
    );
    assert_eq!(
        rendered["meta"],
        json!({
            "resourceType": "User",
            "created": "2024-04-23T18:57:43.123Z",
            "lastModified": "2024-04-24T18:57:43.000Z",
            "location": format!("{BASE}/Users/00000000-0000-0000-0000-000000000007"),
            "version": row().tag(),
        })
    );
    let schemas = [
        "urn:ietf:params:scim:schemas:core:2.0:User",
        ENTERPRISE,
        WORKBENCH_USER.id,
        POSIX_USER.id,
    ];
    assert_eq!(rendered["schemas"], json!(schemas));
}

#[test]
fn the_last_sign_in_is_shown_when_there_was_one() {
    let time: Timestamp = "2024-04-23T22:23:55Z".parse().unwrap();
    let rendered = render(
        &UserRow {
            last_sign_in: Some(time),
            ..row()
        },
        BASE,
    );
    assert_eq!(rendered[WORKBENCH_USER.id]["lastSignIn"], "2024-04-23T22:23:55.000Z");
}

#[test]
fn the_tag_follows_the_groups_as_well_as_the_version() {
    let plain = UserRow { groups: None, ..row() };
    assert_eq!(plain.tag(), "W/\"7\"");
    let renamed = UserRow {
        groups: Some(vec![GroupRef {
            id: Uuid::from_u128(9),
            display: "Dev".to_owned(),
        }]),
        ..row()
    };
    assert_ne!(renamed.tag(), row().tag());
    assert!(row().tag().starts_with("W/\"7-"));
}

#[test]
fn a_patch_that_changes_nothing_gives_the_same_draft() {
    let before = to_document(&row());
    let again = normalise(ResourceType::User, before.clone(), Dialect::Strict).unwrap();
    assert_eq!(again, before);
    let draft = UserDraft::from_patched(&before, &before).unwrap();
    assert_eq!(draft.doc, row().doc);
    assert_eq!(
        (draft.uid, draft.home.as_deref(), draft.active),
        (Some(10001), Some("/home/jane"), Some(false))
    );
}

#[test]
fn removing_the_admin_attribute_takes_the_right_away() {
    let before = to_document(&row());
    let body = json!({"Operations": [{"op": "remove", "path": format!("{}:admin", WORKBENCH_USER.id)}]});
    let request = patch::parse(ResourceType::User, body, Dialect::Strict).unwrap();
    let after = patch::apply(&request, ResourceType::User, "x", &before, Dialect::Strict).unwrap();
    assert_eq!(UserDraft::from_patched(&before, &after).unwrap().admin, Some(false));
    assert_eq!(UserDraft::from_document(&after).unwrap().admin, None);
}

#[test]
fn a_removed_active_is_not_shown_until_it_is_set_again() {
    let patched = |row: &UserRow, operation: Value| {
        let before = to_document(row);
        let request = patch::parse(ResourceType::User, json!({"Operations": [operation]}), Dialect::Strict).unwrap();
        let after = patch::apply(&request, ResourceType::User, "x", &before, Dialect::Strict).unwrap();
        UserDraft::from_patched(&before, &after).unwrap()
    };
    let removed = patched(&row(), json!({"op": "remove", "path": "active"}));
    assert_eq!(removed.active, None);
    let hidden = UserRow {
        doc: removed.doc,
        ..row()
    };
    assert!(render(&hidden, BASE).get("active").is_none());
    let renamed = patched(&hidden, json!({"op": "replace", "path": "title", "value": "Dr"}));
    assert!(
        render(
            &UserRow {
                doc: renamed.doc,
                ..row()
            },
            BASE
        )
        .get("active")
        .is_none()
    );
    let set = patched(&hidden, json!({"op": "replace", "path": "active", "value": true}));
    assert_eq!(set.active, Some(true));
    assert_eq!(
        render(
            &UserRow {
                doc: set.doc,
                locked: false,
                ..row()
            },
            BASE
        )["active"],
        true
    );
}

#[test]
fn locations_percent_encode_the_id() {
    assert_eq!(
        location(BASE, ResourceType::User, "é/1"),
        format!("{BASE}/Users/%C3%A9%2F1")
    );
}
