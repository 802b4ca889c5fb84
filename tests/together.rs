//! Calls that came at once and shared a transaction leave the rows that they would have left one by one.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::Rollcall;
use crate::harness::client::{Answer, Scim};
use crate::harness::database::Role;
use crate::harness::rollcall::UNLIMITED;
use crate::login::api::{JIT, front_end};

const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";
const POSIX: &str = "urn:rollcall:params:scim:schemas:extension:posix:1.0:User";

/// What a creation leaves, without what is different each time: ids, numbers, times and requests.
const CREATED: &str = "
    select 'user', to_jsonb(u) - '{id,uid,primary_gid,created,last_modified}'::text[]
           || jsonb_build_object('same', u.uid = u.primary_gid and u.created = u.last_modified)
      from store.users u
    union all
    select 'email', jsonb_build_array(e.key, u.posix_name) from store.user_emails e left join store.users u on u.id = e.user_id
    union all
    select 'name', jsonb_build_array(n.name, u.posix_name) from store.posix_group_names n left join store.users u on u.id = n.owner
      where n.owner not in (select id from store.groups)
    union all
    select 'number', jsonb_build_array(u.posix_name, i.uid_owner = i.gid_owner, i.asked, i.uid_retired_at, i.issued_at = u.created)
      from store.posix_ids i join store.users u on u.uid = i.id
    union all
    select 'audit', to_jsonb(a) - '{id,at,subject,request_id,write,detail,actor}'::text[]
           || jsonb_build_object('of', u.posix_name, 'detail', a.detail - '{uid,gid,added,removed}'::text[],
                'same', (a.detail->>'uid')::bigint = u.uid and (a.detail->>'gid')::bigint = u.primary_gid,
                'request', a.request_id is null, 'actor', a.actor = '',
                'added', jsonb_array_length(a.detail->'added'), 'removed', jsonb_array_length(a.detail->'removed'))
      from store.audit a join store.users u on u.id = a.subject
    union all
    select 'feed', jsonb_build_array(f.kind, u.posix_name, f.members) from store.change_feed f join store.users u on u.id = f.subject";

/// What sign-ins leave beside that.
const SIGNED_IN: &str = "
    select 'member', jsonb_build_array(u.posix_name, g.display_name_key, m.is_group, m.provenance)
      from store.memberships m join store.users u on u.id = m.member_id join store.groups g on g.id = m.group_id
    union all
    select 'state', to_jsonb(l) - 'user_id' || jsonb_build_object('of', u.posix_name)
      from store.login_state l join store.users u on u.id = l.user_id
    union all
    select 'told', jsonb_build_array(g.display_name_key, u.posix_name, count(*))
      from store.change_feed f join store.groups g on g.id = f.subject, unnest(f.members) m join store.users u on u.id = m
      group by g.display_name_key, u.posix_name";

async fn rows(rollcall: &Rollcall, query: &str) -> Vec<String> {
    let database = rollcall.database.connect(Role::Superuser).await;
    let query = format!("select kind || ' ' || what::text from ({query}) as rows(kind, what) order by 1");
    let rows = database.query(&query, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// How many audit rows of this action are of a transaction that wrote an earlier one: only transactions that were shared have such.
async fn shared(rollcall: &Rollcall, action: &str) -> i64 {
    let query = format!("select count(*) - count(distinct at) from store.audit where action = '{action}'");
    rollcall.number(&query).await
}

/// Sends every body from a client of its own, all at once; the answers are in their order.
async fn at_once(client: &Scim, path: &'static str, bodies: &[Value]) -> Vec<Answer> {
    let barrier = Arc::new(tokio::sync::Barrier::new(bodies.len()));
    let mut tasks = JoinSet::new();
    for (number, body) in bodies.iter().cloned().enumerate() {
        let (client, barrier) = (client.clone(), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            (number, client.post(path, &body).await)
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

async fn one_by_one(client: &Scim, path: &str, bodies: &[Value]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for body in bodies {
        answers.push(client.post(path, body).await);
    }
    answers
}

/// A person of the many kinds that providers send.
fn person(number: usize) -> Value {
    let mut body = json!({"userName": format!("Person{number}@Example.org"), "title": "Straße 7"});
    if number.is_multiple_of(2) {
        body["externalId"] = json!(format!("ext-{number}"));
    }
    if !number.is_multiple_of(3) {
        body["displayName"] = json!(format!("Zoë O'Person, {number}"));
    }
    let addresses =
        (0..number % 4).map(|at| json!({"value": format!("P{number}.{at}@Example.org"), "primary": at == 0}));
    body["emails"] = addresses.collect();
    body["active"] = json!(!number.is_multiple_of(5));
    if number.is_multiple_of(7) {
        body[WORKBENCH] = json!({"homeDirectory": format!("/data/p{number}"), "loginShell": "/bin/zsh",
            "posixUserName": format!("p-{number}"), "admin": number.is_multiple_of(2)});
    }
    body
}

#[tokio::test]
async fn creations_that_come_at_once_leave_the_rows_of_creations_one_by_one() {
    let (crowd, queue) = tokio::join!(Rollcall::start_unlimited(&[]), Rollcall::start_unlimited(&[]));
    let people: Vec<Value> = (0..96).map(person).collect();
    let together = at_once(&crowd.scim(), "/Users", &people).await;
    let apart = one_by_one(&queue.scim(), "/Users", &people).await;
    let shown = |answer: Answer| {
        let mut body = answer.expect(201).body;
        body.as_object_mut()
            .unwrap()
            .retain(|name, _| name != "id" && name != "meta");
        body[WORKBENCH]["posixUserId"].take();
        body[POSIX]["posixGroupId"].take();
        body
    };
    for (one, other) in together.into_iter().zip(apart) {
        assert_eq!(shown(one), shown(other));
    }
    assert_eq!(rows(&crowd, CREATED).await, rows(&queue, CREATED).await);
    assert!(shared(&crowd, "create").await > 0, "none went together");
    assert_eq!(shared(&queue, "create").await, 0);
    crowd.finish().await;
    queue.finish().await;
}

#[tokio::test]
async fn of_creations_that_come_at_once_only_the_impossible_are_refused() {
    let rollcall = Rollcall::start_unlimited(&[]).await;
    let scim = rollcall.scim();
    scim.post("/Users", &json!({"userName": "taken"})).await.expect(201);
    let gone = scim
        .post("/Users", &json!({"userName": "gone", "externalId": "g"}))
        .await
        .expect(201);
    let uid = gone.workbench("posixUserId").clone();
    scim.delete(&format!("/Users/{}", gone.id())).await.expect(204);
    let mut people: Vec<Value> = (0..40).map(|n| json!({"userName": format!("user{n}")})).collect();
    people[3] = json!({"userName": "TAKEN"});
    people[11] = json!({"userName": "root"});
    people[17] = json!({"userName": "user16@elsewhere"});
    people[25] = json!({"userName": "gone", "externalId": "g"});
    people[31] = json!({"userName": "asks", WORKBENCH: {"posixUserId": 31_000}});
    let answers = at_once(&scim, "/Users", &people).await;
    let mut refused = Vec::new();
    for (number, answer) in answers.into_iter().enumerate() {
        match number {
            25 => assert_eq!(
                *answer.expect(201).workbench("posixUserId"),
                uid,
                "he gets his number back"
            ),
            31 => assert_eq!(*answer.expect(201).workbench("posixUserId"), 31_000),
            _ if answer.status == 201 => {}
            _ => {
                answer.expect_error(409, "uniqueness");
                refused.push(number);
            }
        }
    }
    // Two of them want the POSIX name user16, and either may have been first.
    assert!(matches!(refused[..], [3, 11, 16 | 17]), "{refused:?}");
    rollcall.finish().await;
}

#[tokio::test]
async fn sign_ins_that_come_at_once_leave_the_rows_of_sign_ins_one_by_one() {
    let settings = [&UNLIMITED[..], &[JIT]].concat();
    let (crowd, queue) = tokio::join!(Rollcall::start_with(&settings), Rollcall::start_with(&settings));
    let (at_once_client, queue_client) = (front_end(&crowd), front_end(&queue));
    // Everybody at first, then with two groups more and two fewer; some say more than groups, some say nothing new.
    let round = |round: usize| -> Vec<Value> {
        (0..48)
            .map(|user| {
                let groups: Vec<String> = (0..6).map(|at| format!("Group-{}", (user + at + round * 2) % 12)).collect();
                let mut claim = json!({"userName": format!("Person{user}"), "subject": format!("s-{user}"), "groups": groups,
                    "issuedAt": format!("2026-01-0{}T00:00:00Z", round + 1)});
                if user % 4 == 1 {
                    claim["displayName"] = json!(format!("Person {user} of {}", if user % 8 == 1 { 0 } else { round % 2 }));
                    claim["email"] = json!(format!("p{user}@example.org"));
                }
                if user % 6 == 2 {
                    claim["groups"] = json!(["group-0"]);
                }
                if user % 16 == 3 {
                    claim["groups"] = json!([]);
                }
                claim
            })
            .collect()
    };
    // The groups are there: who makes one is a matter of chance.
    for client in [&at_once_client, &queue_client] {
        let all: Vec<String> = (0..12).map(|number| format!("Group-{number}")).collect();
        let maker = json!({"userName": "maker", "groups": all, "issuedAt": "2026-01-01T00:00:00Z"});
        client.post("/logins", &maker).await.expect(200);
    }
    // In the second and third round some change their names, so that others go alone with them; in the last, groups alone change.
    for number in 0..4 {
        let before = shared(&crowd, "login").await;
        let claims = round(number % 3);
        let claims: Vec<Value> = claims
            .into_iter()
            .map(|mut claim| {
                claim["issuedAt"] = json!(format!("2026-01-0{}T00:00:00Z", number + 1));
                claim
            })
            .collect();
        let together = at_once(&at_once_client, "/logins", &claims).await;
        let apart = one_by_one(&queue_client, "/logins", &claims).await;
        for (one, other) in together.into_iter().zip(apart) {
            let (mut one, mut other) = (one.expect(200).body, other.expect(200).body);
            for body in [&mut one, &mut other] {
                for number in ["id", "posixUserId", "posixGroupId"] {
                    body["user"][number].take();
                }
            }
            assert_eq!(one, other);
        }
        assert_eq!(
            rows(&crowd, SIGNED_IN).await,
            rows(&queue, SIGNED_IN).await,
            "round {number}"
        );
        if matches!(number, 0 | 3) {
            assert!(
                shared(&crowd, "login").await > before,
                "none went together in round {number}"
            );
        }
    }
    assert_eq!(rows(&crowd, CREATED).await, rows(&queue, CREATED).await);
    assert_eq!(shared(&queue, "login").await, 0);
    crowd.finish().await;
    queue.finish().await;
}

#[tokio::test]
async fn a_user_whom_somebody_locks_keeps_nobody_else_waiting() {
    let rollcall = Rollcall::start_with(&[&UNLIMITED[..], &[JIT]].concat()).await;
    let client = front_end(&rollcall);
    let claim = |user: usize, group: &str| json!({"userName": format!("user{user}"), "groups": [group]});
    let group = |group: &'static str| -> Vec<Value> { (0..24).map(|user| claim(user, group)).collect() };
    for name in ["eng", "ops"] {
        client
            .post("/logins", &json!({"userName": "maker", "groups": [name]}))
            .await
            .expect(200);
    }
    for answer in at_once(&client, "/logins", &group("eng")).await {
        answer.expect(200);
    }
    let mut database = rollcall.database.connect(Role::Superuser).await;
    let rival = database.transaction().await.unwrap();
    rival
        .execute(
            "select from store.users where posix_name in ('user7', 'user8') for update",
            &[],
        )
        .await
        .unwrap();
    let mut others = group("ops");
    let stuck = others.split_off(7).into_iter().take(2).collect::<Vec<_>>();
    others.extend(group("ops").split_off(9));
    let (stuck_client, others_client) = (client.clone(), client.clone());
    let stuck = tokio::spawn(async move { at_once(&stuck_client, "/logins", &stuck).await });
    let done = tokio::spawn(async move { at_once(&others_client, "/logins", &others).await });
    for answer in done.await.unwrap() {
        answer.expect(200);
    }
    assert!(!stuck.is_finished(), "the locked ones still wait");
    rival.commit().await.unwrap();
    for answer in stuck.await.unwrap() {
        answer.expect(200);
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn of_sign_ins_that_come_at_once_only_the_impossible_are_refused() {
    let rollcall = Rollcall::start_with(&[&UNLIMITED[..], &[JIT]].concat()).await;
    let client = front_end(&rollcall);
    let claim =
        |user: usize| json!({"userName": format!("user{user}"), "subject": format!("s-{user}"), "groups": ["eng"]});
    let first: Vec<Value> = (0..40).map(claim).collect();
    for answer in at_once(&client, "/logins", &first).await {
        answer.expect(200);
    }
    rollcall.command(&["user", "lock", "user7", "--force"]).succeeded();
    let mut second: Vec<Value> = (0..40).map(claim).collect();
    for claim in &mut second {
        claim["groups"] = json!(["eng", "ops"]);
    }
    second[11]["subject"] = json!("somebody else");
    second[13]["userName"] = json!("odd\u{0}name");
    second[17]["groups"] = json!(["eng", "\u{0}"]);
    second[19]["userName"] = json!("user18");
    let answers = at_once(&client, "/logins", &second).await;
    for (number, answer) in answers.into_iter().enumerate() {
        match number {
            7 => assert_eq!(answer.expect(403).body["error"], "locked"),
            13 | 17 => assert_eq!(answer.status, 400, "{}", answer.body),
            // 19 is another subject of the name that 18 has: the pin decides, whoever is first.
            11 | 19 => assert_eq!(answer.expect(403).body["error"], "subject_mismatch"),
            _ => drop(answer.expect(200)),
        }
    }
    let members = "select count(*) from store.memberships m join store.groups g on g.id = m.group_id
                   where g.display_name_key = 'ops'";
    assert_eq!(rollcall.number(members).await, 35);
    rollcall.finish().await;
}
