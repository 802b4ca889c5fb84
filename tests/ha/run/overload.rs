//! Ten times what the site can do: the rest is refused in time, nodes hardly notice, memory stays bounded, and it passes.

use std::time::Duration;

use super::Run;
use crate::journal::Action;
use crate::report::{Reads, percentile};
use crate::site::BALANCER;

mod crowd;
mod inside;
mod machine;
mod wire;

use crowd::{Crowd, Met};
use inside::Inside;
use machine::Machine;

/// How long it lasts.
const SPAN: Duration = Duration::from_mins(1);

/// How long the calm is before it: enough reads for a percentile.
const CALM: Duration = Duration::from_secs(20);

/// Clients that find out what the site can do, each with a request after the other.
const EAGER: usize = 64;

/// How many times that rate is asked for then, whether there are answers or not.
const TIMES: f64 = 10.0;

/// Longest time until a request that is refused must have been refused: the balancer lets one queue for three seconds.
const REFUSAL: Duration = Duration::from_secs(4);

/// Most memory that the overload may cost a replica, in MiB.
const MEMORY: u64 = 256;

/// How much worse the 99th percentile of nodes' reads may be than in calm.
const SLOWER: f64 = 2.0;

/// A calm percentile of nodes' reads below this counts as this, in milliseconds: eight programs hand each read on, on two cores that
/// the overload keeps busy. A node waits two seconds.
const READ: f64 = 75.0;

/// The share of the machine that others may use before the times of the overload are shown only, not judged: the run needs all of a
/// machine of two cores, and a compiler beside it is an overload of another kind.
const OTHERS: f64 = 0.1;

/// What a read of a node's map may take whatever the calm was, in milliseconds: it is some microseconds, unless the thread loses its
/// processor meanwhile.
const MAP: f64 = 1.0;

/// The share of the calm rate of writes that must be back five seconds after; the rest is how much two short measurements differ on a
/// machine that others use.
const BACK: f64 = 0.5;

impl Run {
    /// Lets a crowd in for [`SPAN`].
    pub(super) async fn overload(&mut self) {
        let machine = Machine::now();
        let before = Inside::of(&self.site).await;
        let calm = self.pace(CALM).await;
        let calm_inside = Inside::of(&self.site).await.since(&before);
        let address = format!("{BALANCER}:8080");
        let eager = Crowd::eager(&address, &self.site.tokens.scim, EAGER);
        let measured = Duration::from_secs(5);
        tokio::time::sleep(measured).await;
        let capacity = eager.leave().await.accepted as f64 / measured.as_secs_f64();
        let memory = self.site.replicas.peak_memory();
        let crowd = Crowd::steady(&address, &self.site.tokens.scim, TIMES * capacity);
        let before = Inside::of(&self.site).await;
        let under = self.pace(SPAN).await;
        let under_inside = Inside::of(&self.site).await.since(&before);
        let met = crowd.leave().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let after = self.pace(CALM).await;
        let more = self.site.replicas.peak_memory().saturating_sub(memory);
        let seconds = SPAN.as_secs_f64();
        let slowest = met.refused.iter().copied().fold(0.0, f64::max);
        println!(
            "overload for {seconds} s: {capacity:.0} writes/s are possible, {:.0}/s were asked for, {:.0}/s accepted, {:.0}/s refused by 429 \
             or 503 (half of them within {:.3} s, 99 % within {:.2} s, the slowest after {slowest:.1} s); memory {more} MiB more; writes of the usual clients {:.0}/s before, {:.0}/s after",
            met.asked() as f64 / seconds,
            met.accepted as f64 / seconds,
            met.refused.len() as f64 / seconds,
            percentile(met.refused.clone(), 0.5),
            percentile(met.refused.clone(), 0.99),
            calm.writes,
            after.writes,
        );
        println!(
            "overload, reads by nodes: from the service {} of {} failed, p99 {:.0} ms, calm {:.0} ms (inside the replicas {under_inside}, calm \
             {calm_inside}); from a node's map {} of {} failed, p99 {:.3} ms, calm {:.3} ms",
            under.nss.failed,
            under.nss.all,
            under.nss.p99,
            calm.nss.p99,
            under.map.failed,
            under.map.all,
            under.map.p99,
            calm.map.p99,
        );
        let others = machine.share_of_others();
        if others > OTHERS {
            println!(
                "overload: others used {:.0} % of the machine meanwhile, so times are not judged",
                others * 100.0
            );
        }
        for line in broken(&calm, &under, &after, &met, more, others > OTHERS) {
            println!("BROKEN overload: {line}");
            self.broken.push(format!("overload: {line}"));
        }
    }

    /// What the usual clients meet within `span` from now.
    async fn pace(&self, span: Duration) -> Pace {
        let begin = self.clients.journal().now();
        tokio::time::sleep(span).await;
        let entries = self.clients.journal().entries_since(begin);
        let reads = |action| Reads::of(entries.iter().filter(move |entry| entry.action == action));
        let writes = entries.iter().filter(|entry| entry.is_write() && entry.is_ok());
        Pace {
            nss: reads(Action::Nss),
            map: reads(Action::Map),
            writes: writes.count() as f64 / span.as_secs_f64(),
        }
    }
}

/// What the usual clients met in a while.
struct Pace {
    nss: Reads,
    map: Reads,
    writes: f64,
}

/// Which promises were broken. On a machine that is `shared` with others times are not judged, but those of a map's reads.
fn broken(calm: &Pace, under: &Pace, after: &Pace, met: &Met, memory: u64, shared: bool) -> Vec<String> {
    let slowest = met.refused.iter().copied().fold(0.0, f64::max);
    let demands = [
        (met.accepted > 0, "nothing was accepted".to_owned()),
        (
            !met.refused.is_empty(),
            "nothing was refused, so nothing is shown".to_owned(),
        ),
        (
            shared || slowest <= REFUSAL.as_secs_f64(),
            format!("a refusal took {slowest:.1} s"),
        ),
        (memory <= MEMORY, format!("{memory} MiB more memory")),
        (
            under.nss.failed + under.map.failed == 0,
            format!("reads by nodes failed: {:?}, {:?}", under.nss, under.map),
        ),
        (
            shared || under.nss.p99 <= SLOWER * calm.nss.p99.max(READ),
            format!(
                "p99 of nodes' reads {:.0} ms, calm {:.0} ms",
                under.nss.p99, calm.nss.p99
            ),
        ),
        (
            under.map.p99 <= (SLOWER * calm.map.p99).max(MAP),
            format!(
                "p99 of a map's reads {:.3} ms, calm {:.3} ms",
                under.map.p99, calm.map.p99
            ),
        ),
        (
            shared || after.writes >= BACK * calm.writes,
            format!("{:.0} writes/s, before {:.0}", after.writes, calm.writes),
        ),
    ];
    let unkept = demands.into_iter().filter(|(kept, _)| !kept).map(|(_, what)| what);
    unkept.chain(met.wrong.iter().take(5).cloned()).collect()
}
