//! Many sign-ins at once, while SCIM changes and deletes the same groups.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio_postgres::Client;

use super::api::{JIT, front_end};
use crate::harness::Rollcall;
use crate::harness::client::Scim;
use crate::harness::database::Role;
use crate::harness::rollcall::UNLIMITED;

/// Clients at once.
const CLIENTS: usize = 64;

/// Groups of a claim.
const EACH: usize = 20;

/// How many there are.
#[derive(Clone, Copy)]
struct Size {
    users: usize,
    /// Not a multiple of 7.
    groups: usize,
}

impl Size {
    /// What a debug build does in half a minute; with `ROLLCALL_STORM=full` (`make soak`) what the service is meant for.
    fn wanted() -> Self {
        match std::env::var("ROLLCALL_STORM").as_deref() {
            Ok("full") => Self {
                users: 5_000,
                groups: 2_000,
            },
            _ => Self {
                users: 400,
                groups: 200,
            },
        }
    }

    /// The claim of a user: each round takes two groups away and brings two others, spelled in changing case.
    fn claim(self, user: usize, round: usize) -> Vec<String> {
        let number = |at| (user * 37 + at + round * 2) * 7 % self.groups;
        cased((0..EACH).map(|at| format!("group-{}", number(at))), user + round)
    }
}

/// The same groups that nobody has seen before, for as many users as sign in at once, each in an order of his own.
fn unseen(user: usize) -> Vec<String> {
    let crowd = user / CLIENTS;
    cased((0..EACH).map(|at| format!("new-{crowd}-{}", (at + user) % EACH)), user)
}

fn cased(names: impl Iterator<Item = String>, turn: usize) -> Vec<String> {
    let upper = turn.is_multiple_of(2);
    names
        .map(|name| if upper { name.to_uppercase() } else { name })
        .collect()
}

/// Everybody signs in, twice at about the same time when `twice`, by `CLIENTS` clients.
async fn everybody(
    front_ends: &[Scim],
    users: usize,
    twice: bool,
    claim: impl Fn(usize) -> Vec<String> + Copy + Send + 'static,
) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (front_end, next) = (front_ends[client % front_ends.len()].clone(), Arc::clone(&next));
        clients.spawn(async move {
            loop {
                let user = next.fetch_add(1, Ordering::Relaxed) / (1 + usize::from(twice));
                if user >= users {
                    return;
                }
                let body = json!({"userName": format!("user{user}"), "groups": claim(user)});
                front_end.post("/logins", &body).await.expect(200);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

/// Fails the test unless every user is in the groups of his claim and in no other.
async fn expect_claims(database: &Client, users: usize, claim: impl Fn(usize) -> Vec<String>) {
    let query = "select u.posix_name, array_agg(g.display_name_key order by g.display_name_key)
                 from store.users u join store.memberships m on m.member_id = u.id join store.groups g on g.id = m.group_id
                 group by u.posix_name";
    let rows = database.query(query, &[]).await.unwrap();
    let mut found: BTreeMap<String, Vec<String>> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for user in 0..users {
        let mut claimed: Vec<String> = claim(user).iter().map(|name| name.to_lowercase()).collect();
        claimed.sort();
        assert_eq!(found.remove(&format!("user{user}")), Some(claimed), "user{user}");
    }
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_at_two_replicas_leaves_every_user_exactly_his_claim() {
    let size = Size::wanted();
    let settings = [
        &UNLIMITED[..],
        &[
            JIT,
            ("user-provisioning-start-uid", "10000"),
            ("group-provisioning-start-gid", "30000"),
        ],
    ]
    .concat();
    let rollcall = Rollcall::start_with(&settings).await;
    let other = Rollcall::replica(&rollcall.database, &settings);
    let one = front_end(&rollcall);
    let front_ends = [
        one.clone(),
        Scim::new(format!("{}/api/v1", other.url("api")), one.token().to_owned()),
    ];
    let database = rollcall.database.connect(Role::Superuser).await;
    for round in 0..3 {
        everybody(&front_ends, size.users, true, move |user| size.claim(user, round)).await;
        expect_claims(&database, size.users, |user| size.claim(user, round)).await;
    }
    everybody(&front_ends, size.users, false, unseen).await;
    expect_claims(&database, size.users, unseen).await;

    let count = async |query: &str| -> i64 { database.query_one(query, &[]).await.unwrap().get(0) };
    let groups = count("select count(distinct lower(doc->>'displayName')) from store.groups").await;
    assert_eq!(
        groups,
        count("select count(*) from store.groups").await,
        "a group is there twice"
    );
    assert_eq!(
        usize::try_from(groups).unwrap(),
        size.groups + size.users.div_ceil(CLIENTS) * EACH
    );
    let deadlocks = count("select deadlocks from pg_stat_database where datname = current_database()").await;
    assert_eq!(deadlocks, 0);
    drop(other);
    rollcall.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_and_scim_writers_of_the_same_groups_do_not_get_in_each_others_way() {
    const SIZE: Size = Size { users: 8, groups: 120 };
    let rollcall = Rollcall::start_unlimited(&[JIT]).await;
    let (front_end, scim) = (Arc::new(front_end(&rollcall)), rollcall.scim());
    let mut ids = Vec::new();
    for user in 0..SIZE.users {
        let claim = json!({"userName": format!("user{user}"), "groups": SIZE.claim(user, 0)});
        let answer = front_end.post("/logins", &claim).await.expect(200).body;
        ids.push(answer["user"]["id"].as_str().unwrap().to_owned());
    }
    let ids = Arc::new(ids);
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..16 {
        let (front_end, scim, ids) = (front_end.clone(), scim.clone(), ids.clone());
        clients.spawn(async move {
            for turn in 0..20 {
                let user = (client + turn) % SIZE.users;
                if client % 4 == 3 {
                    let name = format!("group-{}", (client * 13 + turn * 7) % 120);
                    let found = scim
                        .query("/Groups", &[("filter", &format!("displayName eq \"{name}\""))])
                        .await
                        .expect(200);
                    let Some(id) = found.body["Resources"][0]["id"].as_str() else {
                        continue;
                    };
                    let members: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
                    let answer = match turn % 3 {
                        0 => scim.delete(&format!("/Groups/{id}")).await,
                        1 => {
                            scim.put(
                                &format!("/Groups/{id}"),
                                &json!({"displayName": name, "members": members}),
                            )
                            .await
                        }
                        _ => {
                            let remove = json!([{"op": "remove", "path": "members"}]);
                            scim.patch(&format!("/Groups/{id}"), &remove).await
                        }
                    };
                    assert!([200, 204, 404].contains(&answer.status), "{answer:?}");
                } else {
                    let claim = json!({"userName": format!("user{user}"), "groups": SIZE.claim(user, turn)});
                    front_end.post("/logins", &claim).await.expect(200);
                }
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    for user in 0..SIZE.users {
        let claim = json!({"userName": format!("user{user}"), "groups": SIZE.claim(user, 1)});
        front_end.post("/logins", &claim).await.expect(200);
        let shown = rollcall
            .command(&["user", "show", &format!("user{user}"), "--output", "json"])
            .succeeded()
            .json();
        assert_eq!(shown["groups"].as_array().unwrap().len(), 20);
    }
    rollcall.finish().await;
}
