//! Printing and parsing again gives the same filter.

use proptest::prelude::*;

use super::*;

/// The text of a filter, built from the grammar.
pub(super) fn filter_text() -> impl Strategy<Value = String> {
    let expression = prop_oneof![expression(), element()];
    expression.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} and {right}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} or {right}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

/// An expression on a resource.
fn expression() -> impl Strategy<Value = String> {
    let text_path = prop::sample::select(vec![
        "userName",
        "title",
        "name.givenName",
        "emails.type",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:core:2.0:User:nickName",
    ]);
    prop_oneof![
        (text_path, text_comparison()).prop_map(|(path, comparison)| format!("{path} {comparison}")),
        any::<bool>().prop_map(|truth| format!("active eq {truth}")),
        (prop::sample::select(vec!["eq", "ne", "gt", "le"]), any::<i32>()).prop_map(|(operator, number)| format!(
            "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User:posixUserId {operator} {number}"
        )),
        (prop::sample::select(vec!["gt", "le"]), 0..4_000_000_000_i64).prop_map(|(operator, seconds)| format!(
            "meta.created {operator} \"{}\"",
            jiff::Timestamp::from_second(seconds).unwrap()
        )),
    ]
}

fn text_comparison() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    prop_oneof![
        Just("pr".to_owned()),
        (operator, "[ -~éß]{0,8}").prop_map(|(operator, text)| format!("{operator} {}", Value::from(text))),
        Just("eq null".to_owned()),
    ]
}

fn element() -> impl Strategy<Value = String> {
    let part = (
        prop::sample::select(vec!["type", "value", "display"]),
        text_comparison(),
    )
        .prop_map(|(path, comparison)| format!("{path} {comparison}"));
    prop::collection::vec((part, prop::sample::select(vec![" and ", " or "])), 1..4).prop_map(|parts| {
        let mut text = String::new();
        for (index, (part, separator)) in parts.into_iter().enumerate() {
            if index > 0 {
                text.push_str(separator);
            }
            text.push_str(&part);
        }
        format!("emails[{text}]")
    })
}

proptest! {
    #[test]
    fn a_printed_filter_parses_to_itself(text in filter_text()) {
        let filter = user(&text);
        let printed = filter.to_string();
        prop_assert_eq!(user(&printed), filter, "{}", printed);
    }

    #[test]
    fn no_text_breaks_the_parser(text in "[a-zA-Z ()\\[\\]\".:$0-9\\\\é+-]{0,60}") {
        let _ = parse(ResourceType::User, &text);
        let _ = crate::scim::path::Path::parse(ResourceType::User, &text);
    }
}
