//! Sixty-four clients at once on two replicas.

use std::collections::BTreeSet;

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::Rollcall;
use crate::harness::client::{Answer, Scim};
use crate::harness::rollcall::UNLIMITED;

const CLIENTS: usize = 64;
const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

/// Two replicas, and a client of each.
struct Pair {
    rollcall: Rollcall,
    _second: crate::harness::service::Service,
    clients: [Scim; 2],
}

impl Pair {
    async fn start() -> Self {
        let rollcall = Rollcall::start_unlimited(&[
            ("user-provisioning-start-uid", "20000"),
            ("group-provisioning-start-gid", "20000"),
        ])
        .await;
        let second = Rollcall::replica(
            &rollcall.database,
            &[
                &UNLIMITED[..],
                &[
                    ("user-provisioning-start-uid", "20000"),
                    ("group-provisioning-start-gid", "20000"),
                ],
            ]
            .concat(),
        );
        let first = rollcall.scim();
        let clients = [first.clone(), Rollcall::scim_at(&second, first.token())];
        Self {
            rollcall,
            _second: second,
            clients,
        }
    }

    /// Runs `work` in as many tasks at once as there are clients and gathers what they give.
    async fn storm<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        work: impl Fn(usize, Scim) -> F,
    ) -> Vec<T> {
        let mut tasks = JoinSet::new();
        for n in 0..CLIENTS {
            tasks.spawn(work(n, self.clients[n % 2].clone()));
        }
        tasks.join_all().await
    }

    async fn end(self) {
        self.rollcall.finish().await;
    }
}

fn uid(answer: &Answer) -> i64 {
    answer.workbench("posixUserId").as_i64().unwrap()
}

#[tokio::test]
async fn one_user_created_by_everybody_is_one_user_with_one_uid() {
    let pair = Pair::start().await;
    for round in 0..3 {
        let answers = pair
            .storm(move |n, scim| async move {
                let spelling = if n % 3 == 0 {
                    format!("JANE-{round}@example.org")
                } else {
                    format!("jane-{round}@example.org")
                };
                scim.post("/Users", &json!({"userName": spelling})).await
            })
            .await;
        let (created, refused): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(created.len(), 1);
        for answer in refused {
            answer.expect_error(409, "uniqueness");
        }
    }
    assert_eq!(pair.rollcall.number("select count(*) from store.users").await, 3);
    assert_eq!(
        pair.rollcall.number("select count(*) from store.posix_ids").await,
        3,
        "nobody's number was burnt"
    );
    pair.end().await;
}

#[tokio::test]
async fn explicit_and_allocated_numbers_in_one_range_never_meet() {
    let pair = Pair::start().await;
    let answers = pair
        .storm(|n, scim| async move {
            let (mut given, mut honoured, mut refused) = (Vec::new(), 0, Vec::new());
            for turn in 0..6 {
                let body = if (n / 2 + turn) % 3 == 0 {
                    // Every number is asked for by two clients, one on each replica.
                    json!({"userName": format!("e-{n}-{turn}"), WORKBENCH: {"posixUserId": 20_000 + (n / 2) * 6 + turn}})
                } else {
                    json!({"userName": format!("a-{n}-{turn}")})
                };
                let asked = body[WORKBENCH]["posixUserId"].as_i64();
                let answer = scim.post("/Users", &body).await;
                if answer.status == 201 {
                    assert!(asked.is_none_or(|asked| asked == uid(&answer)), "honoured or refused, never changed");
                    honoured += usize::from(asked.is_some());
                    given.push(uid(&answer));
                } else {
                    refused.push(asked.unwrap_or_else(|| panic!("{}: {}", answer.status, answer.body)));
                    answer.expect_error(409, "uniqueness");
                }
            }
            (given, honoured, refused)
        })
        .await;
    let given: Vec<i64> = answers.iter().flat_map(|(given, ..)| given).copied().collect();
    let distinct: BTreeSet<i64> = given.iter().copied().collect();
    assert_eq!(distinct.len(), given.len(), "a number was given twice");
    for (_, _, refused) in &answers {
        assert!(
            refused.iter().all(|asked| distinct.contains(asked)),
            "refused, and nobody has it: {refused:?}"
        );
    }
    let honoured: usize = answers.iter().map(|(_, honoured, _)| honoured).sum();
    assert!(
        (1..=CLIENTS).contains(&honoured),
        "{honoured} of the {CLIENTS} numbers went to who asked"
    );
    assert_eq!(given.len(), CLIENTS * 4 + honoured, "who asked for none was given one");
    assert!(
        *distinct.last().unwrap() < 20_000 + 600,
        "no number far away was taken: {:?}",
        distinct.last()
    );
    pair.end().await;
}

#[tokio::test]
async fn users_and_groups_of_one_range_never_share_a_number() {
    let pair = Pair::start().await;
    let numbers = pair
        .storm(|n, scim| async move {
            let mut given = Vec::new();
            for turn in 0..5 {
                let user = scim
                    .post("/Users", &json!({"userName": format!("u-{n}-{turn}")}))
                    .await
                    .expect(201);
                given.push(uid(&user));
                let group = scim
                    .post("/Groups", &json!({"displayName": format!("g-{n}-{turn}")}))
                    .await
                    .expect(201);
                let extension = &group.body["urn:rollcall:params:scim:schemas:extension:posix:1.0:Group"];
                given.push(extension["posixGroupId"].as_i64().unwrap());
            }
            given
        })
        .await;
    let given: Vec<i64> = numbers.into_iter().flatten().collect();
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len());
    pair.end().await;
}

#[tokio::test]
async fn a_storm_of_membership_changes_loses_none() {
    let pair = Pair::start().await;
    let ids = pair.rollcall.database.populate(64).await;
    let group = pair.clients[0]
        .post("/Groups", &json!({"displayName": "team"}))
        .await
        .expect(201);
    let path = format!("/Groups/{}", group.id());
    let added: Vec<(String, u16)> = pair
        .storm(|n, scim| {
            let (path, id) = (path.clone(), ids[n].clone());
            async move {
                let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
                let remove = json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
                scim.patch(&path, &add).await.expect(204);
                scim.patch(&path, &remove).await.expect(204);
                if n % 2 == 0 {
                    scim.patch(&path, &add).await.expect(204);
                }
                (id, 204)
            }
        })
        .await;
    assert_eq!(added.len(), CLIENTS);
    let now = pair.clients[1].get(&path).await.expect(200);
    let members: BTreeSet<&str> = now.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["value"].as_str().unwrap())
        .collect();
    let expected: BTreeSet<&str> = ids.iter().step_by(2).map(String::as_str).collect();
    assert_eq!(members, expected);
    assert_eq!(
        now.body["meta"]["version"],
        format!("W/\"{}\"", 1 + 64 * 2 + 32),
        "every change counts"
    );
    pair.end().await;
}

#[tokio::test]
async fn concurrent_changes_of_one_user_are_all_kept_or_refused() {
    let pair = Pair::start().await;
    let created = pair.clients[0]
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201);
    let path = format!("/Users/{}", created.id());
    let answers = pair
        .storm(|n, scim| {
            let path = path.clone();
            async move {
                let add = json!([{"op": "add", "path": "emails", "value": [{"value": format!("mail-{n}@x"), "type": "other"}]}]);
                // A client that is told 503 tries again, as real ones do; 409 or 412 would be final for most.
                for _ in 0..200 {
                    let answer = scim.patch(&path, &add).await;
                    if answer.status == 200 {
                        return true;
                    }
                    assert!(!answer.expect_error(503, "").header("retry-after").is_empty());
                }
                false
            }
        })
        .await;
    assert!(answers.into_iter().all(|done| done), "everybody gets his turn");
    let now = pair.clients[0].get(&path).await.expect(200);
    let emails: BTreeSet<&str> = now.body["emails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["value"].as_str().unwrap())
        .collect();
    assert_eq!(emails.len(), CLIENTS, "no update is lost");
    pair.end().await;
}

#[tokio::test]
async fn only_one_of_many_writes_on_one_version_wins() {
    let pair = Pair::start().await;
    let created = pair.clients[0]
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201);
    let (path, tag) = (format!("/Users/{}", created.id()), created.header("etag").to_owned());
    let answers = pair
        .storm(|n, scim| {
            let (path, tag) = (path.clone(), tag.clone());
            async move {
                let body = json!({"userName": "jane", "title": format!("title {n}")});
                let request = scim
                    .request_with(reqwest::Method::PUT, &path, &body)
                    .header("if-match", tag);
                (n, scim.send(request).await.status)
            }
        })
        .await;
    let winners: Vec<usize> = answers
        .iter()
        .filter(|(_, status)| *status == 200)
        .map(|(n, _)| *n)
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(_, status)| matches!(status, 200 | 412)));
    let now = pair.clients[1].get(&path).await.expect(200);
    assert_eq!(now.body["title"], format!("title {}", winners[0]));
    pair.end().await;
}

#[tokio::test]
async fn deletions_creations_and_memberships_of_the_same_people_end_clean() {
    let pair = Pair::start().await;
    let group = pair.clients[0]
        .post("/Groups", &json!({"displayName": "team"}))
        .await
        .expect(201);
    let nested = pair.clients[0]
        .post("/Groups", &json!({"displayName": "nested"}))
        .await
        .expect(201);
    let (team, nested) = (group.id().to_owned(), nested.id().to_owned());
    pair.storm(|n, scim| {
        let (team, nested) = (team.clone(), nested.clone());
        async move {
            // Eight people, each of them handled by eight clients at once.
            let name = format!("person-{}", n % 8);
            for turn in 0..4 {
                let body = json!({"userName": name, "externalId": name});
                let created = scim.post("/Users", &body).await;
                let id = if created.status == 201 {
                    created.id().to_owned()
                } else {
                    let found = scim
                        .query("/Users", &[("filter", &format!("userName eq \"{name}\""))])
                        .await
                        .expect(200);
                    let Some(id) = found.body["Resources"][0]["id"].as_str() else {
                        continue;
                    };
                    id.to_owned()
                };
                let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
                let answer = scim.patch(&format!("/Groups/{team}"), &add).await;
                assert!(matches!(answer.status, 204 | 400), "{}: {}", answer.status, answer.body);
                if n == 0 {
                    let inner = json!([{"op": "add", "path": "members", "value": [{"value": nested}]}]);
                    let status = scim.patch(&format!("/Groups/{team}"), &inner).await.status;
                    assert!(matches!(status, 204 | 400), "{status}");
                }
                if n == 1 && turn == 2 {
                    scim.delete(&format!("/Groups/{nested}")).await.expect(204);
                }
                let status = scim.delete(&format!("/Users/{id}")).await.status;
                assert!(matches!(status, 204 | 404), "{status}");
            }
        }
    })
    .await;
    let uids = "select count(distinct uid) from store.users";
    assert_eq!(
        pair.rollcall.number(uids).await,
        8,
        "re-created people get their old numbers back"
    );
    pair.end().await;
}

#[tokio::test]
async fn a_group_deleted_while_it_is_put_into_another_leaves_no_trace() {
    let pair = Pair::start().await;
    for round in 0..5 {
        let outer = pair.clients[0]
            .post("/Groups", &json!({"displayName": format!("outer-{round}")}))
            .await
            .expect(201);
        let inner = pair.clients[0]
            .post("/Groups", &json!({"displayName": format!("inner-{round}")}))
            .await
            .expect(201);
        let (outer, inner) = (outer.id().to_owned(), inner.id().to_owned());
        pair.storm(|n, scim| {
            let (outer, inner) = (outer.clone(), inner.clone());
            async move {
                if n == 32 {
                    scim.delete(&format!("/Groups/{inner}")).await.expect(204);
                    return;
                }
                let add = json!([{"op": "add", "path": "members", "value": [{"value": inner}]}]);
                let remove = json!([{"op": "remove", "path": "members"}]);
                let status = scim
                    .patch(&format!("/Groups/{outer}"), if n % 2 == 0 { &add } else { &remove })
                    .await
                    .status;
                assert!(matches!(status, 204 | 400), "{status}");
            }
        })
        .await;
        assert_eq!(pair.rollcall.database.violations().await, Vec::<String>::new());
    }
    pair.end().await;
}
