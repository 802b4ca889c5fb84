//! What the parser accepts, refuses, and makes of it.

use super::*;

fn canonical(text: &str) -> String {
    user(text).to_string()
}

#[test]
fn names_and_operators_compare_without_case() {
    assert_eq!(canonical("username Eq \"x\""), "userName eq \"x\"");
    assert_eq!(canonical("ActiVe EQ TRUE"), "active eq true");
    assert_eq!(
        canonical("URN:ietf:params:scim:schemas:core:2.0:user:externalId eq \"x\""),
        "externalId eq \"x\""
    );
    assert_eq!(
        canonical("meta.lastmodified GT \"2024-01-01T00:00:00Z\""),
        "meta.lastModified gt \"2024-01-01T00:00:00Z\""
    );
}

#[test]
fn and_binds_tighter_than_or() {
    assert_eq!(
        user("title pr or nickName pr and active eq true"),
        user("title pr or (nickName pr and active eq true)")
    );
    assert_ne!(
        user("title pr or nickName pr and active eq true"),
        user("(title pr or nickName pr) and active eq true")
    );
}

#[test]
fn not_takes_parentheses_with_or_without_a_blank() {
    assert_eq!(user("not (title pr)"), user("NOT(title pr)"));
    assert_eq!(refusal("not title pr"), "invalidFilter");
}

#[test]
fn client_liberties_are_accepted() {
    for (sent, canonical_form) in [
        (
            "emails[type eq \"work\"].value eq \"x\"",
            "emails[type eq \"work\" and value eq \"x\"]",
        ),
        ("emails eq \"x\"", "emails.value eq \"x\""),
        ("emails co \"x\"", "emails.value co \"x\""),
        ("emails[value eq\"x\"]", "emails[value eq \"x\"]"),
        ("userName+eq+\"a+b\"", "userName eq \"a+b\""),
        ("active eq \"True\"", "active eq true"),
        (
            "manager eq \"x\"",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"x\"",
        ),
        (
            "meta.created gt \"2024-04-23T18:57:43\"",
            "meta.created gt \"2024-04-23T18:57:43Z\"",
        ),
        (
            "meta.created gt \"2024-04-23T18:57:43.1234567Z\"",
            "meta.created gt \"2024-04-23T18:57:43.1234567Z\"",
        ),
        ("groups[$ref co \"x\"]", "groups[$ref co \"x\"]"),
        (
            "emails[(type eq \"a\" or type eq \"b\") and not(value pr)]",
            "emails[(type eq \"a\" or type eq \"b\") and not (value pr)]",
        ),
        ("schemas eq \"urn:x\"", "schemas eq \"urn:x\""),
        ("nickName eq null", "nickName eq null"),
        (
            "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUid gt 1e+3",
            "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserId gt 1000.0",
        ),
    ] {
        assert_eq!(canonical(sent), canonical_form, "{sent}");
    }
    assert_eq!(
        parse(ResourceType::Group, "members eq \"x\"").unwrap().to_string(),
        "members.value eq \"x\""
    );
}

#[test]
fn strings_follow_json() {
    assert_eq!(
        user(r#"userName eq "a\"b\u00e9\\""#),
        Filter::Compare {
            path: ResourceType::User.resolve_attribute("userName").unwrap(),
            operator: Operator::Eq,
            value: Literal::String("a\"bé\\".to_owned()),
        }
    );
    for text in [
        r#"userName eq "\q""#,
        r#"userName eq "\ud800""#,
        r#"userName eq "a\u0000""#,
        "userName eq 'a'",
    ] {
        assert_eq!(refusal(text), "invalidFilter", "{text}");
    }
}

#[test]
fn malformed_filters_are_refused() {
    for text in [
        "",
        " ",
        "userName",
        "userName zz \"x\"",
        "userName eq",
        "(userName pr",
        "userName pr)",
        "()",
        "userName eq \"a\" and",
        "and userName pr",
        "userName eq \"a\" userName eq \"b\"",
        "emails[type eq \"work\"",
        "emails[]",
        "emails[type eq \"work\"].nope eq \"x\"",
        "emails[type eq \"work\"].value",
        "emails[emails[type pr]]",
        "userName[value eq \"x\"]",
        "emails.value[type eq \"x\"]",
        "userName eq \"x",
        "\"x\" eq userName",
        "nope eq \"x\"",
        "userName.nope eq \"x\"",
        "emails[userName eq \"x\"]",
        "name eq \"x\"",
        "addresses eq \"x\"",
    ] {
        assert_eq!(refusal(text), "invalidFilter", "{text}");
    }
}

#[test]
fn operators_must_fit_the_type() {
    for text in [
        "active gt true",
        "active co \"t\"",
        "active eq \"maybe\"",
        "active eq 1",
        "x509Certificates.value gt \"AA==\"",
        "meta.created co \"2024\"",
        "meta.created gt \"yesterday\"",
        "userName eq 5",
        "userName eq true",
        "userName gt null",
        "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserId co 5",
        "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserId eq \"5\"",
    ] {
        assert_eq!(refusal(text), "invalidFilter", "{text}");
    }
}

#[test]
fn a_query_across_types_takes_the_other_types_attributes_as_absent() {
    let group = |text| parse_across_types(ResourceType::Group, text).unwrap();
    assert_eq!(group("userName eq \"x\""), Filter::Constant(false));
    assert_eq!(group("userName ne \"x\""), Filter::Constant(true));
    assert_eq!(group("userName eq null"), Filter::Constant(true));
    assert_eq!(group("emails[type eq \"work\"]"), Filter::Constant(false));
    assert_eq!(
        group("displayName eq \"x\" or userName pr").to_string(),
        "displayName eq \"x\" or not (id pr)"
    );
    assert!(parse_across_types(ResourceType::Group, "nope pr").is_err());
}

#[test]
fn eq_clauses_are_what_a_new_element_is_made_of() {
    let element = |text: &str| match user(text) {
        Filter::Element { filter, .. } => *filter,
        other => panic!("{other}"),
    };
    let clauses = element("emails[type eq \"work\" and primary eq true]")
        .eq_clauses()
        .unwrap();
    let pairs: Vec<_> = clauses.iter().map(|(sub, value)| (sub.name, value.clone())).collect();
    assert_eq!(pairs, [("type", "work".into()), ("primary", true.into())]);
    assert_eq!(
        element("emails[type eq \"work\" or primary eq true]").eq_clauses(),
        None
    );
    assert_eq!(element("emails[type ne \"work\"]").eq_clauses(), None);
}

#[test]
fn value_alternatives_are_the_ids_that_a_filter_lists() {
    let element = |text: &str| match parse(ResourceType::Group, text).unwrap() {
        Filter::Element { filter, .. } => *filter,
        other => panic!("{other}"),
    };
    let ids = element("members[value eq \"a\" or value eq \"b\"]").value_alternatives();
    assert_eq!(ids, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(
        element("members[value eq \"a\" and type eq \"User\"]").value_alternatives(),
        None
    );
    assert_eq!(element("members[display eq \"a\"]").value_alternatives(), None);
}
