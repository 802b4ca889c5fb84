//! Tests of projections.

use serde_json::json;

use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn jane() -> Document {
    let value = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": "1",
        "userName": "jane",
        "name": {"givenName": "J", "familyName": "D"},
        "emails": [{"value": "x", "type": "work"}, {"value": "y"}],
        "password": "secret",
        "meta": {"created": "c", "version": "v"},
        ENTERPRISE: {"department": "R&D", "manager": {"value": "m", "displayName": "M"}},
    });
    value.as_object().unwrap().clone()
}

fn projected(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let mut document = jane();
    Projection::parse(ResourceType::User, attributes, excluded)
        .unwrap()
        .apply(&mut document);
    assert!(document.contains_key("schemas") && document.contains_key("id"));
    document.shift_remove("schemas");
    document.shift_remove("id");
    Value::Object(document)
}

#[test]
fn without_parameters_all_but_the_password_is_shown() {
    let mut expected = Value::Object(jane());
    for key in ["schemas", "id", "password"] {
        expected.as_object_mut().unwrap().shift_remove(key);
    }
    assert_eq!(projected(None, Some(" ")), expected);
}

#[test]
fn only_the_named_attributes_are_shown() {
    assert_eq!(
        projected(Some("USERNAME, nope,password"), None),
        json!({"userName": "jane"})
    );
    assert_eq!(
        projected(Some("emails.type"), None),
        json!({"emails": [{"type": "work"}]})
    );
    assert_eq!(
        projected(Some("name.givenName,name"), None),
        json!({"name": {"givenName": "J", "familyName": "D"}})
    );
    assert_eq!(projected(Some("nope"), None), json!({}));
    assert_eq!(projected(Some("meta.version"), None), json!({"meta": {"version": "v"}}));
    let department = format!("{ENTERPRISE}:department");
    assert_eq!(
        projected(Some(&department), None),
        json!({ENTERPRISE: {"department": "R&D"}})
    );
    assert_eq!(
        projected(Some(ENTERPRISE), None),
        json!({ENTERPRISE: jane()[ENTERPRISE]})
    );
}

#[test]
fn excluded_attributes_are_hidden() {
    let shown = projected(
        None,
        Some(&format!("id,schemas,emails,meta.created,{ENTERPRISE}:manager.value")),
    );
    assert_eq!(
        shown,
        json!({
            "userName": "jane", "name": {"givenName": "J", "familyName": "D"}, "meta": {"version": "v"},
            ENTERPRISE: {"department": "R&D", "manager": {"displayName": "M"}},
        })
    );
    assert!(projected(None, Some(ENTERPRISE)).get(ENTERPRISE).is_none());
}

#[test]
fn callers_learn_what_they_need_not_read() {
    let wants = |attributes, excluded| {
        Projection::parse(ResourceType::Group, attributes, excluded)
            .unwrap()
            .wants("members")
    };
    assert!(wants(None, None));
    assert!(wants(Some("members.value"), None));
    assert!(wants(None, Some("members.display")));
    assert!(!wants(Some("displayName"), None));
    assert!(!wants(None, Some("Members")));
    assert!(!Projection::default_for(ResourceType::User).wants("password"));
}

#[test]
fn both_lists_or_an_endless_one_are_refused() {
    assert!(Projection::parse(ResourceType::User, Some("a"), Some("b")).is_err());
    Projection::parse(ResourceType::User, Some(&vec!["a"; PROJECTION_ENTRIES].join(",")), None).unwrap();
    assert!(
        Projection::parse(
            ResourceType::User,
            Some(&vec!["a"; PROJECTION_ENTRIES + 1].join(",")),
            None
        )
        .is_err()
    );
}

#[test]
fn a_dialect_of_the_rfc_alone_shows_no_extension_of_ours_whatever_is_asked_for() {
    let workbench = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";
    for attributes in [None, Some(workbench)] {
        for (dialect, shown) in [(Dialect::Core, false), (Dialect::Strict, true)] {
            let mut document = jane();
            document.insert(workbench.to_owned(), json!({"posixUserId": 7}));
            document["schemas"].as_array_mut().unwrap().push(workbench.into());
            let projection = Projection::parse(ResourceType::User, attributes, None).unwrap();
            projection.in_dialect(dialect).apply(&mut document);
            assert_eq!(document.contains_key(workbench), shown, "{dialect}");
            let urns = document["schemas"].as_array().unwrap();
            assert_eq!(urns.contains(&workbench.into()), shown, "{dialect}");
            assert!(urns.contains(&ENTERPRISE.into()));
        }
    }
}
