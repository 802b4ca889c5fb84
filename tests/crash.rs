//! `kill -9` of a replica and of PostgreSQL in the middle of a storm: what was acknowledged is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::command::run;
use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};
use crate::harness::rollcall::UNLIMITED;
use crate::harness::service::Service;
use crate::harness::wait_until;

const CLIENTS: usize = 64;

/// Longest time in which a storm must get on.
const STORM: Duration = Duration::from_mins(1);

/// Longest time for one request of an impatient client.
const IMPATIENCE: Duration = Duration::from_secs(8);

/// A PostgreSQL that may be killed, and what it takes to start replicas on it.
struct Site {
    postgres: Postgres,
    token: String,
}

impl Site {
    fn set() -> Self {
        let postgres = Postgres::synced();
        let uri = postgres.uri("rollcall_app", TEMPLATE);
        let made = run(
            &["token", "generate", "t", "--output", "json"],
            &[("ROLLCALL_DATABASE_URI", &uri)],
        );
        let token = made.succeeded().json()["token"].as_str().unwrap().to_owned();
        Self { postgres, token }
    }

    fn replica(&self) -> Service {
        let uri = self.postgres.uri("rollcall_app", TEMPLATE);
        Service::start(&[&UNLIMITED[..], &[("database-uri", &uri)]].concat())
    }

    /// Checks that the database is whole and that exactly the acknowledged users have the uids they were told.
    async fn check(&self, told: &BTreeMap<String, (String, i64)>) {
        let client = self.postgres.connect(SUPERUSER, TEMPLATE).await;
        let violations = client
            .query("select violation || ': ' || subject from api.check_invariants()", &[])
            .await
            .unwrap();
        assert!(
            violations.is_empty(),
            "{:?}",
            violations.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
        );
        let rows = client
            .query(
                "select user_name_key, id::text, uid from store.users where deleted_at is null",
                &[],
            )
            .await
            .unwrap();
        let there: BTreeMap<String, (String, i64)> =
            rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        for (name, what) in told {
            assert_eq!(there.get(name), Some(what), "{name} was acknowledged");
        }
        let uids: BTreeSet<i64> = there.values().map(|(_, uid)| *uid).collect();
        assert_eq!(uids.len(), there.len());
    }
}

/// Creates users until told to stop, each with retries until he is there, over whichever replica answers.
async fn create_until(
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    number: usize,
    bases: Vec<String>,
    token: String,
) -> BTreeMap<String, (String, i64)> {
    let http = reqwest::Client::builder().timeout(IMPATIENCE).build().unwrap();
    let mut told = BTreeMap::new();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("user-{number}-{turn}");
        let body = json!({"userName": name}).to_string();
        let mut base = number % bases.len();
        let user = loop {
            let request = http
                .post(format!("{}/scim/v2/Users", bases[base]))
                .bearer_auth(&token)
                .header("content-type", "application/json");
            let Ok(answer) = request.body(body.clone()).send().await else {
                base = (base + 1) % bases.len();
                tokio::task::yield_now().await;
                continue;
            };
            match answer.status().as_u16() {
                201 => match answer.json::<serde_json::Value>().await {
                    Ok(user) => break Some(user),
                    Err(_) => continue,
                },
                409 => {
                    // An earlier try was carried out, and its answer was lost.
                    let found = http
                        .get(format!("{}/scim/v2/Users", bases[base]))
                        .query(&[("filter", format!("userName eq \"{name}\""))])
                        .bearer_auth(&token)
                        .send()
                        .await;
                    if let Ok(found) = found
                        && let Ok(list) = found.json::<serde_json::Value>().await
                        && list["totalResults"] == 1
                    {
                        break Some(list["Resources"][0].clone());
                    }
                }
                503 => {}
                status => panic!("{name}: {status}: {:?}", answer.text().await),
            }
            base = (base + 1) % bases.len();
        };
        if let Some(user) = user {
            let extension = &user["urn:rstudio:params:scim:schemas:extension:workbench:1.0:User"];
            let uid = extension["posixUserId"].as_i64().unwrap();
            told.insert(name, (user["id"].as_str().unwrap().to_owned(), uid));
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
    told
}

struct Storm {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    tasks: JoinSet<BTreeMap<String, (String, i64)>>,
}

impl Storm {
    fn begin(services: &[&Service], token: &str) -> Self {
        let bases: Vec<String> = services.iter().map(|service| service.url("api")).collect();
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for number in 0..CLIENTS {
            tasks.spawn(create_until(
                stop.clone(),
                count.clone(),
                number,
                bases.clone(),
                token.to_owned(),
            ));
        }
        Self { stop, count, tasks }
    }

    /// Waits until so many more users were created.
    async fn go_on(&self, more: usize) {
        let goal = self.count.load(Ordering::Relaxed) + more;
        wait_until("users are created", STORM, async || {
            self.count.load(Ordering::Relaxed) >= goal
        })
        .await;
    }

    async fn end(self) -> BTreeMap<String, (String, i64)> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgresql_loses_no_acknowledged_user_and_the_replicas_recover_by_themselves() {
    let mut site = Site::set();
    let (mut first, mut second) = (site.replica(), site.replica());
    let storm = Storm::begin(&[&first, &second], &site.token);
    for _ in 0..2 {
        storm.go_on(60).await;
        site.postgres.kill();
        site.postgres.start_again();
    }
    storm.go_on(60).await;
    let told = storm.end().await;
    assert!(first.is_alive() && second.is_alive());
    site.check(&told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replica_loses_no_acknowledged_user_and_retries_find_the_same() {
    let site = Site::set();
    let (mut first, second) = (site.replica(), site.replica());
    let storm = Storm::begin(&[&first, &second], &site.token);
    storm.go_on(60).await;
    first.process().kill();
    storm.go_on(60).await;
    let told = storm.end().await;
    site.check(&told).await;
    let live = reqwest::get(format!("{}/livez", second.url("ops"))).await.unwrap();
    assert_eq!(live.status().as_u16(), 200);
}

#[tokio::test]
async fn while_postgresql_is_away_the_replica_stays_ready_and_says_when_to_come_back() {
    let mut site = Site::set();
    let service = site.replica();
    let scim = crate::harness::Rollcall::scim_at(&service, &site.token);
    let jane = scim.post("/Users", &json!({"userName": "jane"})).await.expect(201);
    site.postgres.kill();
    let address = format!("{}/readyz", service.url("ops"));
    wait_until(
        "it is told that the database does not answer",
        Duration::from_secs(5),
        async || {
            let ready = reqwest::get(&address).await.unwrap();
            assert_eq!(ready.status().as_u16(), 200, "a failover must not empty the balancer");
            ready.json::<serde_json::Value>().await.unwrap()["database"]["answers"] == false
        },
    )
    .await;
    let path = format!("/Users/{}", jane.id());
    let (read, unknown) = tokio::join!(scim.get(&path), async {
        scim.with_token("rc_AAAAAAAAAAAA.c2VjcmV0").get("/Users").await
    });
    for answer in [read, unknown] {
        let answer = answer.expect_error(503, "");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
    }
    site.postgres.start_again();
    wait_until("the replica answers again", Duration::from_secs(15), async || {
        scim.get(&path).await.status == 200
    })
    .await;
    assert_eq!(scim.get(&path).await.body, jane.body);
}
