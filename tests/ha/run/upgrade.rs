//! A rolling upgrade and back under load: no request through the balancer fails.

use std::time::Duration;

use super::Run;
use crate::journal::{Action, Entry};

impl Run {
    /// Replaces each replica in turn by the previous release, then by this one again. `ROLLCALL_HA_PREVIOUS` is the path of the
    /// previous release's binary; without it this release's is used both ways, which shows the draining alone.
    pub(super) async fn rolling_upgrade(&mut self) {
        let previous = std::env::var("ROLLCALL_HA_PREVIOUS").ok();
        let name = match &previous {
            Some(_) => "rolling upgrade back and forth",
            None => "rolling restart, twice (no previous release given)",
        };
        let begin = self.clients.journal().now();
        self.observe(name, async |site| {
            for program in [previous.as_deref(), None] {
                for number in 0..3 {
                    site.replicas.roll(&site.folder, number, program).await;
                    // A rollout waits for readiness, and the balancer notices it a moment later.
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
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
