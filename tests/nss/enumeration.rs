//! Walking over everything, and following what changes: sizes of answers, and transactions that commit late.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};

/// nss/CONTRACT.md §2.
const MOST_BYTES: usize = 8 << 20;

/// 30,000 users with the longest names, all in each of five groups.
const LARGE_GROUPS: &str = "
    insert into store.users (id, user_name_key, posix_name, uid, primary_gid, private_group, home, gecos, admin, locked,
                             doc, doc_key, key_version, version, created, last_modified)
    select gen_random_uuid(), n.name, n.name, 100000 + n.number, 100000 + n.number, true, '/home/x', '', false, false,
           '{}', '{}', 1, 1, now(), now()
    from (select g as number, rpad('u' || g, 32, 'x') as name from generate_series(1, 30000) g) n;
    insert into store.groups (id, display_name_key, posix_name, gid, doc, doc_key, key_version, version, created, last_modified)
    select gen_random_uuid(), 'large' || n, 'large' || n, 200000 + n, '{}', '{}', 1, 1, now(), now() from generate_series(1, 5) n;
    insert into store.memberships (group_id, member_id, is_group, provenance)
    select g.id, u.id, false, 1 from store.groups g, store.users u;
    analyze";

/// 1,500 users with as many bytes of SSH keys as one may have, and a change of each.
const MANY_KEYS: &str = "
    insert into store.users (id, user_name_key, posix_name, uid, primary_gid, private_group, home, gecos, admin, locked,
                             doc, doc_key, key_version, version, created, last_modified)
    select gen_random_uuid(), 'u' || n, 'u' || n, 100000 + n, 100000 + n, true, '/home/x', '', false, false,
           jsonb_build_object('urn:rollcall:params:scim:schemas:extension:posix:1.0:User', jsonb_build_object('sshPublicKeys',
             jsonb_build_array(jsonb_build_object('value', repeat('k', 8000)), jsonb_build_object('value', repeat('l', 8000))))),
           '{}', 1, 1, now(), now()
    from generate_series(1, 1500) n;
    insert into store.change_feed (xid, at, kind, subject) select pg_current_xact_id(), now(), 'user', u.id from store.users u;
    analyze";

async fn body(rollcall: &Rollcall, token: &str, path: &str) -> Vec<u8> {
    let url = format!("{}{path}", rollcall.service.url("read"));
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().to_vec()
}

async fn get(rollcall: &Rollcall, token: &str, path: &str) -> Value {
    serde_json::from_slice(&body(rollcall, token, path).await).unwrap()
}

#[tokio::test]
async fn a_page_of_large_groups_ends_before_the_limit_of_bytes() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let superuser = rollcall.database.connect(Role::Superuser).await;
    superuser.batch_execute(LARGE_GROUPS).await.unwrap();
    let (mut pages, mut members, mut after) = (0, Vec::new(), String::new());
    loop {
        let bytes = body(&rollcall, &token, &format!("/nss/v1/group?limit=5000{after}")).await;
        assert!(bytes.len() <= MOST_BYTES, "{} bytes", bytes.len());
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        pages += 1;
        let large = page["entries"].as_array().unwrap().iter().filter(|entry| {
            let name = entry["name"].as_str().unwrap();
            name.starts_with("large")
        });
        members.extend(large.map(|group| group["members"].as_array().unwrap().len()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(members, [30_000; 5], "each group once, and whole");
    assert!(pages > 2, "{pages} pages");
    rollcall.database.discard().await;
}

#[tokio::test]
async fn pages_and_changes_of_many_keys_end_before_the_limit_of_bytes() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let start = get(&rollcall, &token, "/nss/v1/snapshot").await;
    let superuser = rollcall.database.connect(Role::Superuser).await;
    superuser.batch_execute(MANY_KEYS).await.unwrap();
    let (mut pages, mut users, mut after) = (0, Vec::new(), String::new());
    loop {
        let bytes = body(&rollcall, &token, &format!("/nss/v1/snapshot?limit=5000{after}")).await;
        assert!(bytes.len() <= MOST_BYTES, "{} bytes", bytes.len());
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        pages += 1;
        users.extend(
            page["users"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["uid"].as_u64().unwrap()),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    users.sort_unstable();
    assert_eq!(users, (100_001..=101_500).collect::<Vec<_>>(), "each user once");
    assert!(pages > 3, "{pages} pages");

    let mut cursor = start["cursor"].as_str().unwrap().to_owned();
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let bytes = body(&rollcall, &token, &format!("/nss/v1/changes?limit=5000&since={cursor}")).await;
        assert!(bytes.len() <= MOST_BYTES, "{} bytes", bytes.len());
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        seen.extend(names(&answer));
        answer["cursor"].as_str().unwrap().clone_into(&mut cursor);
        if answer["more"] != true {
            break;
        }
    }
    assert_eq!(seen.len(), 1_500, "each change");
    rollcall.database.discard().await;
}

#[tokio::test]
async fn a_change_that_commits_after_a_later_one_is_not_missed() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let scim = rollcall.scim();
    let early = scim.post("/Users", &json!({"userName": "early"})).await.expect(201);
    let start = get(&rollcall, &token, "/nss/v1/snapshot").await["cursor"]
        .as_str()
        .unwrap()
        .to_owned();

    // Locked in a transaction that stays open while others come and go.
    let mut slow = rollcall.database.connect(Role::App).await;
    let transaction = slow.transaction().await.unwrap();
    let id: uuid::Uuid = early.id().parse().unwrap();
    let audit = json!({"actor": "test", "path": "cli", "request_id": "r"});
    transaction
        .execute(
            "select api.user_set_flags($1, null, true, '{}', $2)",
            &[&id, &tokio_postgres::types::Json(&audit)],
        )
        .await
        .unwrap();
    scim.post("/Users", &json!({"userName": "late"})).await.expect(201);

    let during = get(&rollcall, &token, &format!("/nss/v1/changes?since={start}")).await;
    assert!(
        names(&during).contains(&"late".to_owned()),
        "what is committed is told at once: {during}"
    );
    transaction.commit().await.unwrap();
    let cursor = during["cursor"].as_str().unwrap();
    // Whoever stands at the same place is told the same for a moment.
    wait_until("the late commit is told", Duration::from_secs(2), async || {
        let after = get(&rollcall, &token, &format!("/nss/v1/changes?since={cursor}")).await;
        names(&after).contains(&"early".to_owned())
    })
    .await;
    rollcall.finish().await;
}

/// The users that an answer of the feed tells of.
fn names(answer: &Value) -> Vec<String> {
    let changes = answer["changes"].as_array().unwrap();
    let named = changes.iter().filter_map(|change| change["user"]["name"].as_str());
    named.map(str::to_owned).collect()
}
