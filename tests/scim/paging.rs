//! Pages by index and by cursor, and sort orders (RFC 7644 §3.4.2; RFC 9865).

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{WORKBENCH, group, user};
use crate::harness::Rollcall;
use crate::harness::client::Scim;
use crate::harness::wait_until;

fn ids(body: &Value) -> Vec<String> {
    let resources = body["Resources"].as_array().unwrap();
    resources
        .iter()
        .map(|resource| resource["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn walk(scim: &Scim, query: &[(&str, &str)], mut between: impl AsyncFnMut(usize)) -> Vec<String> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for page in 0.. {
        let mut parameters = query.to_vec();
        parameters.push(("cursor", &cursor));
        let answer = scim.query("/Users", &parameters).await.expect(200);
        seen.extend(ids(&answer.body));
        let Some(next) = answer.body["nextCursor"].as_str() else {
            return seen;
        };
        assert!(
            next.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)),
            "{next}"
        );
        cursor = next.to_owned();
        between(page).await;
    }
    unreachable!("the walk ends");
}

#[tokio::test]
async fn index_pages_have_one_order_whatever_their_size() {
    let rollcall = Rollcall::start().await;
    rollcall.database.populate(57).await;
    let scim = rollcall.scim();
    let all = ids(&scim.get("/Users?count=1000").await.expect(200).body);
    assert_eq!(all.len(), 57);
    for size in [1_usize, 7, 10, 56, 57, 58] {
        let mut gathered = Vec::new();
        for start in (1..=57).step_by(size) {
            let page = scim
                .get(&format!("/Users?startIndex={start}&count={size}"))
                .await
                .expect(200);
            assert_eq!(page.body["totalResults"], 57);
            assert_eq!(page.body["startIndex"], start);
            assert_eq!(
                page.body["itemsPerPage"],
                page.body["Resources"].as_array().unwrap().len()
            );
            gathered.extend(ids(&page.body));
        }
        assert_eq!(gathered, all, "pages of {size}");
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn odd_page_numbers_are_read_as_the_rfc_says() {
    let rollcall = Rollcall::start_with(&[("scim-max-results", "40"), ("scim-default-page-size", "20")]).await;
    rollcall.database.populate(57).await;
    let scim = rollcall.scim();
    for (query, start, items) in [
        ("", 1, 20),
        ("startIndex=0", 1, 20),
        ("startIndex=-5&count=3", 1, 3),
        ("count=0", 1, 0),
        ("count=-1", 1, 0),
        ("count=100000", 1, 40),
        ("startIndex=58", 58, 0),
        ("startIndex=9223372036854775807", i64::MAX, 0),
        ("startIndex=57&count=10", 57, 1),
    ] {
        let answer = scim.get(&format!("/Users?{query}")).await.expect(200);
        assert_eq!(answer.body["totalResults"], 57, "{query}");
        assert_eq!(answer.body["startIndex"], start, "{query}");
        assert_eq!(answer.body["itemsPerPage"], items, "{query}");
        assert_eq!(ids(&answer.body).len(), items, "{query}");
    }
    for query in [
        "count=abc",
        "startIndex=x",
        "count=1.5",
        "sortBy=nonsense",
        "sortBy=userName&sortOrder=sideways",
    ] {
        let answer = scim.get(&format!("/Users?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_page_looks_up_the_groups_and_sign_ins_of_those_on_it_only() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let users = rollcall.database.populate(200).await;
    let scim = rollcall.scim();
    let members: Vec<&str> = users.iter().map(String::as_str).collect();
    scim.post("/Groups", &group("all", &members)).await.expect(201);
    rollcall.database.run_script(
        "insert into store.sign_ins (user_id, at) select id, now() from store.users;
         analyze;
         select pg_stat_reset();",
    );
    let page = scim.get("/Users?startIndex=181&count=10").await.expect(200);
    let listed = page.body["Resources"].as_array().unwrap();
    assert_eq!(listed.len(), 10);
    for user in listed {
        assert_eq!(user["groups"][0]["display"], "all", "{user}");
        assert!(user[WORKBENCH]["lastSignIn"].is_string(), "{user}");
    }
    let of = |what: &str, table: &str| {
        format!("select coalesce(sum({what}), 0)::bigint from pg_stat_user_tables where relname = '{table}'")
    };
    let looked_up = of("seq_scan + coalesce(idx_scan, 0)", "groups");
    wait_until("the scans are counted", Duration::from_secs(20), async || {
        rollcall.number(&looked_up).await > 0
    })
    .await;
    // The service's own gauges look into them too, some few times; those whom the offset skips would be 180.
    let times = rollcall.number(&looked_up).await;
    assert!((10..50).contains(&times), "{times}");
    // Each sign-in is read once at most for the page, and not all of them for each user.
    let read = of("seq_tup_read + coalesce(idx_tup_fetch, 0)", "sign_ins");
    let read = rollcall.number(&read).await;
    assert!(read <= 400, "{read}");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_cursor_walk_sees_everyone_once_while_others_are_added_and_deleted() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let present: BTreeSet<String> = rollcall.database.populate(120).await.into_iter().collect();
    let scim = rollcall.scim();
    for sort in [
        "",
        "userName",
        "meta.lastModified",
        "displayName",
        "title",
        "emails.value",
        "active",
        "nickName",
    ] {
        for order in ["ascending", "descending"] {
            let mut query = vec![("count", "13")];
            if !sort.is_empty() {
                query.extend([("sortBy", sort), ("sortOrder", order)]);
            }
            let seen = walk(&scim, &query, async |page| {
                let added = scim.post("/Users", &user(&format!("m-{page}"))).await.expect(201);
                scim.delete(&format!("/Users/{}", added.id())).await.expect(204);
                if page == 2 {
                    let _ = scim.post("/Users", &user(&format!("new-{sort}-{order}"))).await;
                }
            })
            .await;
            let distinct: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(distinct.len(), seen.len(), "{sort} {order}: somebody came twice");
            assert!(present.is_subset(&distinct), "{sort} {order}: somebody is missing");
        }
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn cursors_that_are_forged_old_or_of_another_query_are_refused() {
    let rollcall = Rollcall::start().await;
    rollcall.database.populate(30).await;
    let scim = rollcall.scim();
    let first = scim.get("/Users?cursor&count=10&sortBy=userName").await.expect(200);
    assert!(first.body["startIndex"].is_null() && first.body["previousCursor"].is_null());
    let cursor = first.body["nextCursor"].as_str().unwrap();
    scim.get(&format!("/Users?cursor={cursor}&count=10&sortBy=userName"))
        .await
        .expect(200);
    for (query, scim_type) in [
        (format!("cursor={cursor}&count=10&sortBy=displayName"), "invalidCursor"),
        (
            format!("cursor={cursor}&count=10&sortBy=userName&filter=active eq true"),
            "invalidCursor",
        ),
        (
            format!("cursor={}&count=10&sortBy=userName", &cursor[..20]),
            "invalidCursor",
        ),
        ("cursor=AAAA".to_owned(), "invalidCursor"),
        (format!("cursor={}", "A".repeat(9_000)), "invalidCursor"),
        ("cursor=%00%FF".to_owned(), "invalidCursor"),
        ("cursor&count=0x".to_owned(), "invalidCount"),
    ] {
        let query = query.replace(' ', "%20");
        let answer = scim.get(&format!("/Users?{query}")).await;
        assert_eq!(
            (answer.status, answer.body["scimType"].as_str()),
            (400, Some(scim_type)),
            "{query}: {}",
            answer.body
        );
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_cursor_whose_place_was_forged_is_refused_and_no_defect() {
    let rollcall = Rollcall::start().await;
    rollcall.database.populate(3).await;
    let scim = rollcall.scim();
    // The sort key stands at the end, behind encoding, time, query, count, id and a flag.
    let fixed = 1 + 8 + 8 + 4 + 16 + 1;
    let posix = format!("{}:posixUserId", super::WORKBENCH);
    for (sort, forgeries) in [
        (
            "meta.created",
            [
                "0000-01-01 00:00:00+00",
                "-009999-01-01 00:00:00+00",
                "2024-13-40 00:00:00+00",
                "infinity",
                "",
            ],
        ),
        (&*posix, ["99999999999999999999", "1.5", "x", "", "1;"]),
        ("active", ["maybe", "1", "TRUE", "", "true "]),
    ] {
        let query = [("cursor", ""), ("count", "2"), ("sortBy", sort)];
        let page = scim.query("/Users", &query).await.expect(200);
        let cursor = page.body["nextCursor"].as_str().unwrap().to_owned();
        let honest = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        scim.query("/Users", &[("cursor", &*cursor), query[1], query[2]])
            .await
            .expect(200);
        for forged in forgeries {
            let cursor = URL_SAFE_NO_PAD.encode([&honest[..fixed], forged.as_bytes()].concat());
            scim.query("/Users", &[("cursor", &*cursor), query[1], query[2]])
                .await
                .expect_error(400, "invalidCursor");
        }
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn orders_ignore_case_and_put_what_is_missing_last() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    for (name, display) in [
        ("c", Some("beta")),
        ("A", Some("ALPHA")),
        ("b", None),
        ("D", Some("Émile")),
    ] {
        let mut body = user(name);
        if let Some(display) = display {
            body["displayName"] = display.into();
        }
        scim.post("/Users", &body).await.expect(201);
    }
    let order = async |query: &str| -> Vec<String> {
        let answer = scim.get(&format!("/Users?{query}")).await.expect(200);
        let resources = answer.body["Resources"].as_array().unwrap().clone();
        resources
            .iter()
            .map(|user| user["userName"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(order("sortBy=userName").await, ["A", "b", "c", "D"]);
    assert_eq!(
        order("sortBy=USERNAME&sortOrder=descending").await,
        ["D", "c", "b", "A"]
    );
    assert_eq!(order("sortBy=displayName").await, ["A", "c", "D", "b"]);
    assert_eq!(
        order("sortBy=displayName&sortOrder=descending").await,
        ["b", "D", "c", "A"]
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn a_search_over_everything_pages_through_users_and_then_groups() {
    let rollcall = Rollcall::start().await;
    rollcall.database.populate(7).await;
    let scim = rollcall.scim();
    for n in 0..5 {
        scim.post("/Groups", &group(&format!("Member {n}x"), &[]))
            .await
            .expect(201);
    }
    let mut seen = Vec::new();
    for start in [1, 4, 7, 10] {
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                            "filter": "displayName sw \"member\"", "startIndex": start, "count": 3});
        let answer = scim.post("/.search", &search).await.expect(200);
        assert_eq!(answer.body["totalResults"], 12, "{}", answer.body);
        seen.extend(ids(&answer.body));
    }
    assert_eq!(seen.len(), 12);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 12);
    rollcall.finish().await;
}
