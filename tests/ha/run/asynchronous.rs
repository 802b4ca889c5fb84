//! An asynchronous failover that loses commits: users are lost, but no number is handed out twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::Run;
use crate::clients::Desk;
use crate::clients::http::Http;
use crate::faults::another_primary;
use crate::journal::{Action, Entry};
use crate::site::BALANCER;

/// Clients that create users at once.
const CREATORS: usize = 4;

/// How long the standbys miss what the primary acknowledges.
const BLIND: Duration = Duration::from_secs(1);

/// Users created after the failover.
const AFTER: usize = 300;

/// How often it is tried until something was lost.
const TRIES: usize = 3;

impl Run {
    /// Switches synchronous replication off, lets the primary acknowledge what no standby gets, and kills it.
    pub(super) async fn asynchronous_failover(&mut self) {
        self.site.cluster.configure(&json!({"synchronous_mode": false})).await;
        self.site.cluster.is_synchronous = false;
        self.site.cluster.await_healthy().await;
        for number in 0..TRIES {
            let (lost, twice) = self.lose_commits(number).await;
            if let Some(case) = twice {
                self.broken.push(format!("asynchronous failover: {case}"));
            }
            if lost > 0 {
                return;
            }
        }
        self.broken.push(format!(
            "asynchronous failover: nothing was lost in {TRIES} tries, so nothing is shown"
        ));
    }

    async fn lose_commits(&mut self, number: usize) -> (usize, Option<String>) {
        let primary = self.site.cluster.primary().await.expect("a primary");
        let stop = Arc::new(AtomicBool::new(false));
        let mut creators = JoinSet::new();
        for creator in 0..CREATORS {
            let http = Http::new("front", &format!("http://{BALANCER}:8080"), &self.site.tokens.scim);
            let name = format!("lost{number}-{creator}");
            creators.spawn(create(self.clients.desk.clone(), http, name, stop.clone()));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        for member in &self.site.cluster.members {
            member.host.set_alone(true);
        }
        tokio::time::sleep(BLIND).await;
        self.site.cluster.members[primary].kill(true);
        for member in &self.site.cluster.members {
            member.host.set_alone(false);
        }
        stop.store(true, Ordering::Relaxed);
        let told: Vec<(String, i64)> = creators.join_all().await.into_iter().flatten().collect();
        another_primary(&self.site, primary).await;
        let client = self.site.cluster.connect_primary("rollcall").await;
        let kept = live(&client).await;
        let lost: Vec<&(String, i64)> = told.iter().filter(|(id, _)| !kept.contains(id)).collect();
        let new = self.create_after(number).await;
        let mut owners: BTreeMap<i64, &str> = BTreeMap::new();
        let mut twice = None;
        for (id, uid) in told.iter().chain(&new) {
            let owner = *owners.entry(*uid).or_insert(id);
            if owner != id {
                twice = Some(format!("uid {uid} was told of {owner} and of {id}"));
            }
        }
        println!(
            "asynchronous failover: {} users acknowledged, {} lost, then {} created: {} numbers handed out twice",
            told.len(),
            lost.len(),
            new.len(),
            told.len() + new.len() - owners.len()
        );
        self.site.heal().await;
        let violations = client
            .query("select violation from api.check_invariants()", &[])
            .await
            .unwrap();
        if !violations.is_empty() {
            self.broken
                .push("asynchronous failover: invariants are violated".into());
        }
        (lost.len(), twice)
    }

    async fn create_after(&self, number: usize) -> Vec<(String, i64)> {
        let http = Http::new("front", &format!("http://{BALANCER}:8080"), &self.site.tokens.scim);
        let mut told = Vec::new();
        for turn in 0..AFTER * 10 {
            told.extend(create_one(&self.clients.desk, &http, &format!("after{number}-{turn}")).await);
            if told.len() == AFTER {
                break;
            }
        }
        told
    }
}

async fn live(client: &Client) -> BTreeSet<String> {
    let rows = client
        .query("select id::text from store.users where deleted_at is null", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn create(desk: Desk, http: Http, name: String, stop: Arc<AtomicBool>) -> Vec<(String, i64)> {
    let mut told = Vec::new();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        told.extend(create_one(&desk, &http, &format!("{name}-{turn}")).await);
    }
    told
}

/// Creates a user; his id and uid when that was acknowledged.
async fn create_one(desk: &Desk, http: &Http, key: &str) -> Option<(String, i64)> {
    let entry = Entry::begin(&desk.journal, "front", Action::Create, key, "");
    let body = json!({"userName": key});
    let (entry, _) = http
        .send(None, entry, Duration::from_secs(32), |client, base| {
            client.post(format!("{base}/scim/v2/Users")).json(&body)
        })
        .await;
    Some((entry.id?, entry.uid?))
}
