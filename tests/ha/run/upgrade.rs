//! A rolling upgrade, back, and again under load: no request through the balancer fails.

use std::time::Duration;

use super::Run;
use crate::harness::command::ROLLCALL;
use crate::journal::{Action, Entry};
use crate::site::{Site, migrate};

impl Run {
    /// From the `previous` release, whose schema and replicas are there, to this one: first the schema, as an operator or the chart
    /// does it, while the old replicas go on; then one replica after the other. Then all back to the previous release on the new schema, and
    /// forward again. Without a previous release this one is restarted, which shows the draining alone.
    pub(super) async fn rolling_upgrade(&mut self, previous: Option<&str>) {
        let name = match previous {
            Some(_) => "rolling upgrade, back, and again",
            None => "rolling restart, twice (no previous release)",
        };
        let begin = self.clients.journal().now();
        self.observe(name, async |site| {
            if let Some(previous) = previous {
                tokio::task::block_in_place(|| migrate(&site.folder));
                // The old replicas alone on the new schema, for a while.
                tokio::time::sleep(Duration::from_secs(4)).await;
                roll(site, ROLLCALL).await;
                roll(site, previous).await;
            } else {
                roll(site, ROLLCALL).await;
            }
            roll(site, ROLLCALL).await;
        })
        .await;
        let entries = self.clients.journal().entries();
        let through_balancer =
            |entry: &&Entry| entry.start >= begin && matches!(entry.client, "front" | "scim-reader" | "login" | "nss");
        let asked = entries.iter().filter(through_balancer).count();
        let failed: Vec<&Entry> = entries
            .iter()
            .filter(through_balancer)
            .filter(|entry| entry.is_unknown() || (entry.action == Action::Nss && entry.status != 200))
            .collect();
        println!(
            "{name}: {} of {asked} requests through the balancer failed",
            failed.len()
        );
        for entry in &failed {
            self.broken.push(format!(
                "{name}: {:?} of {} got {}",
                entry.action, entry.key, entry.status
            ));
        }
    }
}

/// Replaces each replica in turn by one from the binary `program`.
async fn roll(site: &mut Site, program: &str) {
    for number in 0..3 {
        site.replicas.roll(&site.folder, number, program).await;
        // A rollout waits for readiness, and the balancer notices it a moment later.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
