//! Tests of the compiler's output. That they mean the same in memory and in the database is tested with a database.

use proptest::prelude::*;
use uuid::Uuid;

use super::operand::upper_bound;
use super::*;
use crate::scim::ResourceType;
use crate::scim::filter::parse;
use crate::scim::list::{Cursor, Sort};
use crate::scim::schema::{ALL, AttributePath, Kind, Mutability};

fn compiled(resource_type: ResourceType, text: &str) -> (String, Vec<SqlValue>) {
    let filter = parse(resource_type, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut parameters = Parameters::default();
    let sql = condition(&filter, resource_type, &mut parameters);
    (sql, parameters.values().to_vec())
}

fn user(text: &str) -> (String, Vec<SqlValue>) {
    compiled(ResourceType::User, text)
}

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}

#[test]
fn look_ups_compare_plain_columns_with_folded_values() {
    assert_eq!(
        user("userName eq \"JANE\""),
        ("r.user_name_key = $1::text".to_owned(), vec![text("jane")])
    );
    assert_eq!(
        user("externalId eq \"Ab\""),
        ("r.external_id = $1::text".to_owned(), vec![text("Ab")])
    );
    let id = Uuid::from_u128(7);
    assert_eq!(
        user(&format!("id eq \"{id}\"")),
        ("r.id = $1::uuid".to_owned(), vec![SqlValue::Uuid(id)])
    );
    assert_eq!(user("id eq \"nope\""), ("false".to_owned(), vec![]));
}

#[test]
fn a_prefix_is_a_range() {
    let (sql, values) = user("userName sw \"Ja\"");
    assert_eq!(sql, "(r.user_name_key >= $1::text and r.user_name_key < $2::text)");
    assert_eq!(values, [text("ja"), text("jb")]);
}

#[test]
fn addresses_and_members_are_found_by_their_tables() {
    let (sql, values) = user("emails eq \"X@Y\"");
    assert_eq!(
        sql,
        "exists (select from api.user_emails e where e.user_id = r.id and e.key = $1::text)"
    );
    assert_eq!(values, [text("x@y")]);
    let (sql, _) = user("emails[type eq \"work\"].value eq \"x\"");
    assert!(sql.starts_with("(exists (select from api.user_emails e where"), "{sql}");
    let id = Uuid::from_u128(7);
    let (sql, values) = compiled(ResourceType::Group, &format!("members eq \"{id}\""));
    assert_eq!(
        sql,
        "exists (select from api.memberships m where m.group_id = r.id and m.member_id = $1::uuid)"
    );
    assert_eq!(values, [SqlValue::Uuid(id)]);
}

#[test]
fn many_look_ups_are_one_condition() {
    let (sql, values) = user("userName eq \"A\" or userName eq \"b\" or title pr");
    assert_eq!(
        sql,
        "((r.doc_key->>'title') is not null or r.user_name_key = any($1::text[]))"
    );
    assert_eq!(values, [SqlValue::Texts(vec!["a".to_owned(), "b".to_owned()])]);
}

#[test]
fn negations_are_two_valued() {
    assert_eq!(
        user("not (title eq \"x\")").0,
        "(((r.doc_key->>'title') = $1::text) is not true)"
    );
    assert_eq!(user("title ne \"x\""), user("not (title eq \"x\")"));
    assert_eq!(user("title eq null"), user("not (title pr)"));
}

#[test]
fn times_compare_as_clients_see_them() {
    let at = |text: &str| SqlValue::Time(text.parse().unwrap());
    let (sql, values) = user("meta.lastModified gt \"2024-01-01T00:00:00.1234567Z\"");
    assert_eq!(sql, "r.last_modified >= $1::timestamptz");
    assert_eq!(values, [at("2024-01-01T00:00:00.124Z")]);
    assert_eq!(user("meta.created eq \"2024-01-01T00:00:00.1234567Z\"").0, "false");
    let (_, values) = user("meta.created eq \"2024-01-01T00:00:00.123Z\"");
    assert_eq!(values, [at("2024-01-01T00:00:00.123Z"), at("2024-01-01T00:00:00.124Z")]);
}

#[test]
fn computed_attributes_are_constants() {
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    assert_eq!(user(&format!("schemas eq \"{core}\"")).0, "true");
    assert_eq!(user("schemas eq \"urn:x\"").0, "false");
    assert_eq!(user("meta.resourceType eq \"User\"").0, "true");
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(
        user(&format!("schemas eq \"{enterprise}\"")).0,
        format!("r.doc_key ? '{enterprise}'")
    );
}

#[test]
fn documents_hold_text_and_booleans_only() {
    // The compiler has no safe way to read another type out of a document, and needs none as long as this holds.
    for attribute in ALL.iter().flat_map(|schema| schema.attributes) {
        for part in std::iter::once(attribute).chain(attribute.sub_attributes) {
            let in_document =
                part.mutability != Mutability::ReadOnly && matches!(part.kind, Kind::Integer | Kind::DateTime);
            assert!(
                !in_document || attribute.name.starts_with("posix"),
                "{} needs a column",
                part.name
            );
        }
    }
}

#[test]
fn every_attribute_can_be_sorted_by() {
    for resource_type in ResourceType::ALL {
        for attribute in resource_type.core().attributes {
            let path = AttributePath {
                sub: attribute.value_sub_attribute(),
                ..AttributePath::core(attribute)
            };
            let order = Order::new(
                Some(&Sort {
                    path,
                    descending: false,
                }),
                resource_type,
            );
            assert!(order.order_by().ends_with("r.id asc"), "{}", attribute.name);
        }
    }
    assert_eq!(Order::new(None, ResourceType::User).order_by(), "r.id asc");
}

fn order(by: &str, descending: bool) -> Order {
    let path = ResourceType::User.resolve_attribute(by).unwrap();
    Order::new(Some(&Sort { path, descending }), ResourceType::User)
}

fn cursor(sort_key: Option<&str>) -> Cursor {
    Cursor {
        issued_at: 0,
        query_hash: [0; 8],
        count: 1,
        sort_key: sort_key.map(str::to_owned),
        id: Uuid::from_u128(7),
    }
}

#[test]
fn cursors_continue_behind_the_key_and_keep_what_has_none() {
    let after = |order: &Order, key| order.after(&cursor(key), &mut Parameters::default()).unwrap();
    let (up, down) = (order("externalId", false), order("externalId", true));
    assert_eq!(up.order_by(), "r.external_id asc nulls last, r.id asc");
    assert_eq!(
        after(&up, Some("x")),
        "((r.external_id, r.id) > ($2::text::text, $1::uuid) or r.external_id is null)"
    );
    assert_eq!(after(&up, None), "(r.external_id is null and r.id > $1::uuid)");
    assert_eq!(down.order_by(), "r.external_id desc nulls first, r.id desc");
    assert_eq!(
        after(&down, Some("x")),
        "(r.external_id, r.id) < ($2::text::text, $1::uuid)"
    );
    assert_eq!(
        after(&down, None),
        "((r.external_id is null and r.id < $1::uuid) or r.external_id is not null)"
    );
}

#[test]
fn forged_sort_keys_are_refused() {
    let refused = |by: &str, key: &str| {
        order(by, false)
            .after(&cursor(Some(key)), &mut Parameters::default())
            .is_none()
    };
    assert!(refused("meta.created", "yesterday") && refused("meta.created", "2024-99-01 00:00:00+00"));
    assert!(!refused("meta.created", "2024-01-01 00:00:00.123456+00"));
    assert!(refused("active", "maybe") && refused("id", "x"));
    assert!(refused("meta.version", "1e5") && !refused("meta.version", "15"));
}

proptest! {
    #[test]
    fn the_upper_bound_separates_what_has_the_prefix(prefix in "\\PC{1,4}", rest in "\\PC{0,4}", other in "\\PC{0,6}") {
        let bound = upper_bound(&prefix);
        let below = |text: &str| bound.as_deref().is_none_or(|bound| text < bound);
        let with_prefix = format!("{prefix}{rest}");
        prop_assert!(with_prefix >= prefix && below(&with_prefix));
        prop_assert_eq!(other.starts_with(&prefix), other >= prefix && below(&other));
    }

    #[test]
    fn no_text_of_a_client_is_part_of_the_sql(
        value in "[ -~]{0,20}",
        operator in prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "le"]),
        path in prop::sample::select(vec![
            "userName", "title", "emails", "emails.type", "name.givenName", "manager", "id", "schemas", "groups.display",
            "meta.version", "meta.location",
        ]),
    ) {
        let marked = serde_json::Value::from(format!("QQ{value}"));
        let (sql, _) = user(&format!("{path} {operator} {marked} or emails[value {operator} {marked}]"));
        prop_assert!(!sql.contains("QQ") && !sql.contains("qq"), "{}", sql);
    }
}

#[test]
fn the_greatest_prefix_has_no_upper_bound() {
    assert_eq!(upper_bound(""), None);
    assert_eq!(upper_bound("\u{10FFFF}"), None);
    assert_eq!(upper_bound("a\u{10FFFF}").as_deref(), Some("b"));
    assert_eq!(upper_bound("\u{D7FF}").as_deref(), Some("\u{E000}"));
}
