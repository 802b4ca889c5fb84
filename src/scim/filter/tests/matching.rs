//! Evaluation in memory.

use serde_json::{Map, Value, json};

use super::*;

fn jane() -> Map<String, Value> {
    let value = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "2819c223-7f76-453a-919d-413861904646",
        "externalId": "Ab1",
        "userName": "Jane@Example.org",
        "title": "Dr",
        "name": {"familyName": "Straße"},
        "active": true,
        "emails": [
            {"type": "work", "value": "jane@example.org", "primary": true},
            {"type": "home", "value": "j@home.example"},
        ],
        "meta": {"created": "2024-04-23T18:57:43.500Z"},
        "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User": {"posixUserId": 10001},
    });
    value.as_object().unwrap().clone()
}

fn holds(text: &str) -> bool {
    matches(&user(text), &jane())
}

#[test]
fn conditions_that_hold() {
    for text in [
        "userName eq \"JANE@example.ORG\"",
        "userName sw \"jane\"",
        "userName ew \"EXAMPLE.org\"",
        "name.familyName eq \"STRASSE\"",
        "externalId eq \"Ab1\"",
        "externalId ne \"ab1\"",
        "title pr",
        "title gt \"Da\"",
        "nickName eq null",
        "nickName ne \"x\"",
        "not (nickName pr)",
        "title ne null",
        "emails co \"EXAMPLE\"",
        "emails[type eq \"work\" and value co \"example.org\"]",
        "emails[type eq \"home\"].value eq \"j@home.example\"",
        "emails.primary eq true",
        "emails.value ne \"nobody\"",
        "active eq true and (nickName pr or title eq \"dr\")",
        "meta.created eq \"2024-04-23T20:57:43.5+02:00\"",
        "meta.created lt \"2024-04-23T18:57:43.5000001Z\"",
        "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserId ge 10001",
        "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserId lt 10001.5",
        "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"",
    ] {
        assert!(holds(text), "{text}");
    }
}

#[test]
fn conditions_that_do_not_hold() {
    for text in [
        "externalId eq \"AB1\"",
        "nickName eq \"x\"",
        "nickName gt \"\"",
        "title eq null",
        "emails[type eq \"home\" and value co \"example.org\"]",
        "emails.value ne \"j@home.example\"",
        "emails[type eq \"other\"]",
        "active eq false",
        "not (title pr)",
        "meta.created gt \"2024-04-23T18:57:43.5Z\"",
        "phoneNumbers pr",
        "phoneNumbers.primary eq false",
    ] {
        assert!(!holds(text), "{text}");
    }
}
