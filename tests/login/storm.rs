//! Many sign-ins at once, while SCIM changes and deletes the same groups.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::api::{JIT, front_end};
use crate::harness::Rollcall;
use crate::harness::database::Role;

/// Clients at once.
const CLIENTS: usize = 64;

/// The groups of a claim: 20 of 60 names, spelled in changing case, a third of them new in each round.
fn groups(user: usize, round: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..20)
        .map(|at| format!("group-{}", (user * 7 + at * 3 + round * 20) % 120))
        .collect();
    if (user + round).is_multiple_of(2) {
        for name in &mut names {
            *name = name.to_uppercase();
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_leaves_every_user_exactly_his_claim() {
    const USERS: usize = 100;
    const ROUNDS: usize = 4;
    let limits = [
        JIT,
        ("user-provisioning-start-uid", "10000"),
        ("scim-rate-limit", "100000"),
        ("scim-rate-burst", "100000"),
    ];
    let rollcall = Rollcall::start_with(&limits).await;
    let front_end = Arc::new(front_end(&rollcall));
    for round in 0..ROUNDS {
        let next = Arc::new(AtomicUsize::new(0));
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            let (front_end, next) = (front_end.clone(), next.clone());
            clients.spawn(async move {
                loop {
                    // Each user signs in twice at about the same time.
                    let user = next.fetch_add(1, Ordering::Relaxed) / 2;
                    if user >= USERS {
                        return;
                    }
                    let claim = json!({"userName": format!("user{user}"), "groups": groups(user, round)});
                    front_end.post("/logins", &claim).await.expect(200);
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client.unwrap();
        }
    }
    let database = rollcall.database.connect(Role::Superuser).await;
    for user in 0..USERS {
        let rows = database
            .query(
                "select g.display_name_key from store.memberships m join store.groups g on g.id = m.group_id
                 join store.users u on u.id = m.member_id where u.posix_name = $1 order by 1",
                &[&format!("user{user}")],
            )
            .await
            .unwrap();
        let has: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let mut claimed: Vec<String> = groups(user, ROUNDS - 1)
            .iter()
            .map(|name| name.to_lowercase())
            .collect();
        claimed.sort();
        claimed.dedup();
        assert_eq!(has, claimed, "user{user}");
    }
    let deadlocks: i64 = database
        .query_one(
            "select deadlocks from pg_stat_database where datname = current_database()",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(deadlocks, 0);
    rollcall.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_and_scim_writers_of_the_same_groups_do_not_get_in_each_others_way() {
    let limits = [JIT, ("scim-rate-limit", "100000"), ("scim-rate-burst", "100000")];
    let rollcall = Rollcall::start_with(&limits).await;
    let (front_end, scim) = (Arc::new(front_end(&rollcall)), rollcall.scim());
    let mut ids = Vec::new();
    for user in 0..8 {
        let claim = json!({"userName": format!("user{user}"), "groups": groups(user, 0)});
        let answer = front_end.post("/logins", &claim).await.expect(200).body;
        ids.push(answer["user"]["id"].as_str().unwrap().to_owned());
    }
    let ids = Arc::new(ids);
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..16 {
        let (front_end, scim, ids) = (front_end.clone(), scim.clone(), ids.clone());
        clients.spawn(async move {
            for turn in 0..20 {
                let user = (client + turn) % 8;
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
                    let claim = json!({"userName": format!("user{user}"), "groups": groups(user, turn)});
                    front_end.post("/logins", &claim).await.expect(200);
                }
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    for user in 0..8 {
        let claim = json!({"userName": format!("user{user}"), "groups": groups(user, 1)});
        front_end.post("/logins", &claim).await.expect(200);
        let shown = rollcall
            .command(&["user", "show", &format!("user{user}"), "--output", "json"])
            .succeeded()
            .json();
        assert_eq!(shown["groups"].as_array().unwrap().len(), 20);
    }
    rollcall.finish().await;
}
