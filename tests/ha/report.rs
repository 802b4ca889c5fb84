//! Figures of a fault, from the journal: how long writes were away, for the service and for the plain probe, and how many
//! reads failed.

use crate::journal::{Action, Entry};

/// How much longer than the plain probe the service's writes may be away, in seconds.
const GRACE: f64 = 2.0;

/// The most SCIM reads that may fail, as a share of all of them.
const SCIM_READS: f64 = 0.001;

/// The figures of one fault.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// What was done.
    pub fault: String,
    /// Longest time without an acknowledged write through the balancer, in seconds.
    pub writes: f64,
    /// The same for the plain probe.
    pub probe: f64,
    /// The same for each way to the primary: `HAProxy`, several hosts, `PgBouncer`.
    pub ways: [f64; 3],
    /// Acknowledged writes.
    pub acknowledged: usize,
    /// Writes that were not answered, or with 5xx.
    pub unanswered: usize,
    /// Reads by nodes that ask the service.
    pub nss: Reads,
    /// Reads on a node with an agent.
    pub map: Reads,
    /// Reads by SCIM clients, and how many failed.
    pub scim_reads: (usize, usize),
    /// Reads by SCIM clients that were answered and marked stale.
    pub stale: usize,
    /// What the checker found.
    pub found: Vec<String>,
}

impl Figures {
    /// The figures of what happened from `begin` to `end` (microseconds of the journal).
    pub fn of(fault: &str, entries: &[Entry], begin: u64, end: u64) -> Self {
        let inside: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.end >= begin && entry.start <= end)
            .collect();
        let away = |wanted: &dyn Fn(&Entry) -> bool| {
            let mut instants: Vec<u64> = inside
                .iter()
                .filter(|entry| wanted(entry))
                .map(|entry| entry.end)
                .collect();
            instants.extend([begin, end]);
            instants.sort_unstable();
            let longest = instants
                .windows(2)
                .map(|pair| pair[1].saturating_sub(pair[0]))
                .max()
                .unwrap_or(0);
            longest as f64 / 1e6
        };
        let way =
            |name: &'static str| away(&move |entry: &Entry| entry.client == name && entry.is_write() && entry.is_ok());
        let reads: Vec<&&Entry> = inside.iter().filter(|entry| entry.client == "scim-reader").collect();
        let writes = || {
            inside
                .iter()
                .filter(|entry| entry.is_write() && entry.client == "front")
        };
        Self {
            fault: fault.to_owned(),
            writes: way("front"),
            probe: away(&|entry| entry.action == Action::Probe && entry.is_ok()),
            ways: [way("haproxy"), way("hosts"), way("pgbouncer")],
            acknowledged: writes().filter(|entry| entry.is_ok()).count(),
            unanswered: writes().filter(|entry| entry.is_unknown()).count(),
            nss: Reads::of(inside.iter().copied().filter(|entry| entry.action == Action::Nss)),
            map: Reads::of(inside.iter().copied().filter(|entry| entry.action == Action::Map)),
            scim_reads: (reads.len(), reads.iter().filter(|entry| entry.status != 200).count()),
            stale: reads.iter().filter(|entry| entry.is_stale).count(),
            found: Vec::new(),
        }
    }

    /// Which promises this fault has broken, a line each.
    pub fn broken(&self) -> Vec<String> {
        let mut broken: Vec<String> = self
            .found
            .iter()
            .map(|case| format!("{}: {case}", self.fault))
            .collect();
        if self.writes > self.probe + GRACE {
            broken.push(format!(
                "{}: writes away {:.1} s, the probe {:.1} s",
                self.fault, self.writes, self.probe
            ));
        }
        for (reads, where_from) in [(self.nss, "the service"), (self.map, "the map")] {
            if reads.failed > 0 {
                broken.push(format!(
                    "{}: {} of {} reads by nodes from {where_from} failed",
                    self.fault, reads.failed, reads.all
                ));
            }
        }
        broken
    }

    /// A row of the table.
    pub fn row(&self) -> String {
        format!(
            "| {} | {:.1} | {:.1} | {:.1} / {:.1} / {:.1} | {} ({}) | {} of {} ({:.0}) | {} of {} ({:.3}) | {} of {} ({}) | {} |",
            self.fault,
            self.writes,
            self.probe,
            self.ways[0],
            self.ways[1],
            self.ways[2],
            self.acknowledged,
            self.unanswered,
            self.nss.failed,
            self.nss.all,
            self.nss.p99,
            self.map.failed,
            self.map.all,
            self.map.p99,
            self.scim_reads.1,
            self.scim_reads.0,
            self.stale,
            self.found.len()
        )
    }
}

/// What readers met in a while.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reads {
    /// How many reads there were.
    pub all: usize,
    /// How many failed.
    pub failed: usize,
    /// Their 99th percentile in milliseconds.
    pub p99: f64,
}

impl Reads {
    /// Sums up.
    pub fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let entries: Vec<&Entry> = entries.collect();
        Self {
            all: entries.len(),
            failed: entries.iter().filter(|entry| entry.status != 200).count(),
            p99: percentile(entries.iter().map(|entry| entry.milliseconds()).collect(), 0.99),
        }
    }
}

/// The head of the table.
pub const HEAD: &str = "\
| Fault | Writes away, s | Plain probe, s | By HAProxy / hosts / PgBouncer, s | Writes acknowledged (unanswered) \
| Reads by nodes from the service failed (p99, ms) | From a node's map failed (p99, ms) | SCIM reads failed (stale) | Lost, doubled, changed |
|---|---|---|---|---|---|---|---|---|";

/// The faults under which too many SCIM reads failed, a line each.
pub fn scim_reads_broken(all: &[Figures]) -> impl Iterator<Item = String> {
    let broken = all.iter().filter(|figures| {
        let (asked, failed) = figures.scim_reads;
        failed as f64 > SCIM_READS * asked as f64
    });
    broken.map(|figures| {
        let (asked, failed) = figures.scim_reads;
        format!("{}: {failed} of {asked} SCIM reads failed", figures.fault)
    })
}

/// The value below which this share of the samples lies; 0 without samples.
pub fn percentile(mut samples: Vec<f64>, share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the number of samples"
    )]
    let index = (samples.len() as f64 * share) as usize;
    samples
        .get(index.min(samples.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}
