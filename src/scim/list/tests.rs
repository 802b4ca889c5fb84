//! Tests of query parameters, cursors and the frame of a list.

use serde_json::json;
use uuid::Uuid;

use super::*;

const NOW: i64 = 1_700_000_000;

fn query(pairs: &[(&str, &str)]) -> Result<ListQuery, ScimError> {
    let parameters = Parameters::from_pairs(pairs.iter().copied());
    ListQuery::parse(&parameters, ResourceType::User, &Limits::default(), NOW)
}

fn refusal(pairs: &[(&str, &str)]) -> &'static str {
    let error = query(pairs).expect_err(&format!("{pairs:?}"));
    assert_eq!(error.status, 400);
    error.scim_type.unwrap().as_str()
}

#[test]
fn without_parameters_the_first_page_is_asked_for() {
    let query = query(&[]).unwrap();
    assert_eq!((query.page, query.count), (Page::Index(1), 100));
    assert!(query.filter.is_none() && query.sort.is_none());
}

#[test]
fn page_numbers_out_of_range_are_brought_into_it() {
    for (start_index, count, expected) in [
        ("0", "0", (1, 0)),
        ("-5", "-5", (1, 0)),
        ("7", "5000", (7, 1000)),
        ("99999999999999999999", "99999999999999999999", (i64::MAX as u64, 1000)),
    ] {
        let query = query(&[("startIndex", start_index), ("COUNT", count)]).unwrap();
        assert_eq!((query.page, query.count), (Page::Index(expected.0), expected.1));
    }
}

#[test]
fn what_is_no_number_is_refused() {
    assert_eq!(refusal(&[("count", "abc")]), "invalidValue");
    assert_eq!(refusal(&[("count", "")]), "invalidValue");
    assert_eq!(refusal(&[("startIndex", "1.5")]), "invalidValue");
    assert_eq!(refusal(&[("cursor", ""), ("count", "abc")]), "invalidCount");
}

#[test]
fn sort_parameters_are_resolved() {
    let sorted = |by: &str, order: &str| query(&[("sortBy", by), ("sortOrder", order)]).unwrap().sort.unwrap();
    assert_eq!(sorted("username", "Descending").path.to_string(), "userName");
    assert!(sorted("username", "Descending").descending);
    assert_eq!(sorted("emails", "").path.to_string(), "emails.value");
    assert_eq!(refusal(&[("sortBy", "nope")]), "invalidValue");
    assert_eq!(refusal(&[("sortBy", "name")]), "invalidValue");
    assert_eq!(refusal(&[("sortBy", "userName"), ("sortOrder", "up")]), "invalidValue");
}

#[test]
fn a_search_body_says_the_same_as_a_url() {
    let body = json!({
        "schemas": [SEARCH_REQUEST_URN], "filter": "title pr", "attributes": ["userName", "emails.value"],
        "startIndex": 2, "count": 5, "sortBy": "title", "nope": {},
    });
    let pairs = [
        ("filter", "title pr"),
        ("attributes", "userName,emails.value"),
        ("startIndex", "2"),
        ("count", "5"),
        ("sortBy", "title"),
    ];
    assert_eq!(Parameters::from_search(body).unwrap(), Parameters::from_pairs(pairs));
}

#[test]
fn a_malformed_search_body_is_refused() {
    for (body, expected) in [
        (json!([]), "invalidSyntax"),
        (json!({"schemas": ["urn:x"]}), "invalidSyntax"),
        (json!({"filter": {}}), "invalidValue"),
        (json!({"count": true}), "invalidValue"),
        (json!({"attributes": [1]}), "invalidValue"),
    ] {
        assert_eq!(
            Parameters::from_search(body).unwrap_err().scim_type.unwrap().as_str(),
            expected
        );
    }
}

fn cursor_of(query: &ListQuery) -> Cursor {
    Cursor {
        issued_at: NOW,
        query_hash: query.query_hash,
        count: query.count,
        sort_key: Some("ä".to_owned()),
        id: Uuid::from_u128(7),
    }
}

#[test]
fn a_cursor_continues_its_query() {
    let pairs = [("filter", "title pr"), ("count", "2"), ("cursor", "")];
    let first = query(&pairs).unwrap();
    assert_eq!(first.page, Page::First);
    let cursor = cursor_of(&first);
    let text = cursor.encode();
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    );
    let next = query(&[("filter", "title pr"), ("count", "2"), ("cursor", &text)]).unwrap();
    assert_eq!(next.page, Page::After(cursor));
}

#[test]
fn cursors_that_do_not_fit_are_refused() {
    let pairs = [("filter", "title pr"), ("count", "2"), ("cursor", "")];
    let cursor = cursor_of(&query(&pairs).unwrap());
    let ask =
        |filter: &str, count: &str, cursor: &str| refusal(&[("filter", filter), ("count", count), ("cursor", cursor)]);
    let text = cursor.encode();
    assert_eq!(ask("title pr", "3", &text), "invalidCount");
    assert_eq!(ask("nickName pr", "2", &text), "invalidCursor");
    let old = Cursor {
        issued_at: NOW - 601,
        ..cursor
    }
    .encode();
    assert_eq!(ask("title pr", "2", &old), "expiredCursor");
    for text in [
        "not-a-cursor",
        "%",
        "AAAA",
        &"A".repeat(100_000),
        &text[..text.len() - 8],
    ] {
        let outcome = query(&[("filter", "title pr"), ("count", "2"), ("cursor", text)]);
        // A shortened sort key is still a place in the order.
        assert!(outcome.is_ok() || outcome.unwrap_err().scim_type.unwrap().as_str() == "invalidCursor");
    }
    assert_eq!(ask("title pr", "2", "not-a-cursor"), "invalidCursor");
}

#[test]
fn cursors_without_a_sort_key_read_back() {
    let cursor = Cursor {
        issued_at: NOW,
        query_hash: [1; 8],
        count: 2,
        sort_key: None,
        id: Uuid::from_u128(7),
    };
    assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
    let empty = Cursor {
        sort_key: Some(String::new()),
        ..cursor
    };
    assert_eq!(Cursor::decode(&empty.encode()).unwrap(), empty);
}

#[test]
fn the_frame_of_a_list_is_json_with_numbers() {
    let frame = ListFrame {
        total_results: Some(5),
        start_index: Some(1),
        items_per_page: 1,
        next_cursor: None,
    };
    let parsed: Value = serde_json::from_str(&format!("{}{{\"id\":\"x\"}}{}", frame.head(), frame.tail())).unwrap();
    assert_eq!(
        parsed,
        json!({
            "schemas": [LIST_RESPONSE_URN], "totalResults": 5, "startIndex": 1, "itemsPerPage": 1,
            "Resources": [{"id": "x"}],
        })
    );
    let frame = ListFrame {
        next_cursor: Some("abc".to_owned()),
        ..ListFrame::default()
    };
    let parsed: Value = serde_json::from_str(&format!("{}{}", frame.head(), frame.tail())).unwrap();
    assert_eq!(
        parsed,
        json!({"schemas": [LIST_RESPONSE_URN], "itemsPerPage": 0, "nextCursor": "abc", "Resources": []})
    );
}
