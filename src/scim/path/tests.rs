//! Tests of PATCH paths.

use super::*;
use crate::scim::limits::FILTER_BYTES;

fn parsed(text: &str) -> String {
    Path::parse(ResourceType::User, text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .to_string()
}

fn refusal(text: &str) -> &'static str {
    Path::parse(ResourceType::User, text)
        .expect_err(text)
        .scim_type
        .unwrap()
        .as_str()
}

#[test]
fn paths_of_every_form_resolve() {
    for (sent, canonical) in [
        ("userName", "userName"),
        ("NAME.givenname", "name.givenName"),
        ("emails[type eq \"work\"]", "emails[type eq \"work\"]"),
        ("emails[type eq \"work\"].value", "emails[type eq \"work\"].value"),
        (
            "addresses[type EQ \"work\" and primary eq \"True\"].Formatted",
            "addresses[type eq \"work\" and primary eq true].formatted",
        ),
        (
            "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixName",
            "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserName",
        ),
        (
            "manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:emails[value eq \"x\"].type",
            "emails[value eq \"x\"].type",
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ),
        ("urn:ietf:params:scim:schemas:core:2.0:User", ""),
    ] {
        assert_eq!(parsed(sent), canonical, "{sent}");
    }
}

#[test]
fn malformed_and_unknown_paths_are_refused() {
    for text in [
        "",
        "nope",
        "name.nope",
        "emails[type eq \"work\"].nope",
        "emails[type eq \"work\"]value",
        "emails[type eq \"work\"].value.x",
        "emails[type eq \"work\"] .value x",
        "userName[value eq \"x\"]",
        "name[givenName eq \"x\"]",
        "emails.value[type eq \"x\"]",
        "userName userName",
        "(userName)",
        "\"userName\"",
        "urn:nope:User:userName",
        "members",
    ] {
        assert_eq!(refusal(text), "invalidPath", "{text}");
    }
}

#[test]
fn faulty_brackets_are_an_invalid_filter() {
    for text in [
        "emails[",
        "emails[type eq]",
        "emails[nope eq \"x\"]",
        "emails[type zz \"x\"]",
        "emails[type eq \"x\"",
    ] {
        assert_eq!(refusal(text), "invalidFilter", "{text}");
    }
}

#[test]
fn long_and_deep_paths_are_refused() {
    assert_eq!(refusal(&"a".repeat(FILTER_BYTES + 1)), "invalidPath");
    assert_eq!(refusal(&format!("emails[{}", "(".repeat(5_000))), "invalidFilter");
}
