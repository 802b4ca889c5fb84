//! The whole database away: nodes resolve every known user, the replicas say how things are, and recover by themselves.

use std::time::Duration;

use serde_json::Value;

use super::Run;
use crate::clients::http::Http;
use crate::journal::{Action, Entry};
use crate::site::Site;

/// The counter of answers that nodes were given from memory, which the alert on stale reads watches.
const STALE: &str = "rollcall_cache_requests_total{cache=\"nss\",result=\"stale\"}";

impl Run {
    /// Kills every PostgreSQL and Patroni for `span`, then heals.
    pub(super) async fn database_away(&mut self, span: Duration) {
        self.let_every_replica_know_every_user().await;
        let before = stale_answers(&self.site).await;
        let name = format!("database away for {} s", span.as_secs());
        self.observe(&name, async |site| {
            for member in &mut site.cluster.members {
                member.kill(true);
            }
            tokio::time::sleep(span / 2).await;
            for number in 0..3 {
                let (status, body) = ready(site, number).await;
                assert_eq!(status, 200, "an outage must not empty the balancer");
                assert_eq!(
                    body["database"]["answers"], false,
                    "readiness says that no database answers"
                );
            }
            tokio::time::sleep(span / 2).await;
        })
        .await;
        let Some(figures) = self.figures.last_mut() else { return };
        // No SCIM client is promised an answer while there is no database at all.
        figures.scim_reads = (0, 0);
        let after = stale_answers(&self.site).await;
        if after <= before {
            self.broken
                .push(format!("{name}: no metric told that answers were stale"));
        }
    }

    async fn let_every_replica_know_every_user(&self) {
        for number in 0..3 {
            let base = format!("http://10.77.0.{}:8081", 21 + number);
            let http = Http::new("warm", &base, &self.site.tokens.nss);
            for user in self.clients.known.iter() {
                for query in [format!("name={}", user.name), format!("uid={}", user.uid)] {
                    let entry = Entry::begin(self.clients.journal(), "warm", Action::Nss, &user.name, &query);
                    let (entry, _) = http
                        .send(None, entry, Duration::from_secs(5), |client, base| {
                            client.get(format!("{base}/nss/v1/passwd?{query}"))
                        })
                        .await;
                    assert_eq!(entry.status, 200, "{} is known", user.name);
                }
            }
        }
    }
}

async fn ready(site: &Site, number: usize) -> (u16, Value) {
    let url = format!("http://10.77.0.{}:9090/readyz", 21 + number);
    let answer = site.cluster.http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn stale_answers(site: &Site) -> u64 {
    let mut sum = 0;
    for number in 0..3 {
        let url = format!("http://10.77.0.{}:9090/metrics", 21 + number);
        let text = site.cluster.http.get(url).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(STALE));
        sum += line.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or(0);
    }
    sum
}
