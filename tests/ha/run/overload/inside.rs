//! How long nodes' reads took inside the replicas, by their own histograms: the rest of what a node waited was spent on the way.

use std::collections::BTreeMap;
use std::fmt;

use crate::site::Site;

/// The histogram of the read listener's answers, and which of its series.
const READS: (&str, &str) = (
    "rollcall_http_request_duration_seconds_bucket",
    "listener=\"read\",method=\"GET\",route=\"/nss/v1/passwd\"",
);

/// The same of the calls of the database behind them.
const CALLS: (&str, &str) = ("rollcall_db_query_duration_seconds_bucket", "op=\"nss_passwd\"");

/// Counts by upper bound in microseconds, of all replicas together; the last bound is the greatest number.
type Buckets = BTreeMap<u64, u64>;

/// What the replicas tell.
pub(super) struct Inside {
    reads: Buckets,
    calls: Buckets,
}

impl Inside {
    /// What they tell now.
    pub(super) async fn of(site: &Site) -> Self {
        let mut text = String::new();
        for number in 0..3 {
            let url = format!("http://10.77.0.{}:9090/metrics", 21 + number);
            text += &site.cluster.http.get(url).send().await.unwrap().text().await.unwrap();
        }
        Self {
            reads: buckets(&text, READS),
            calls: buckets(&text, CALLS),
        }
    }

    /// What has come since `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            reads: less(&self.reads, &before.reads),
            calls: less(&self.calls, &before.calls),
        }
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [reads, calls] = [&self.reads, &self.calls].map(|buckets| p99(buckets) as f64 / 1000.0);
        write!(form, "p99 below {reads} ms, of the database below {calls} ms")
    }
}

fn less(now: &Buckets, before: &Buckets) -> Buckets {
    let count = |bound: &u64| before.get(bound).copied().unwrap_or(0);
    now.iter()
        .map(|(bound, all)| (*bound, all.saturating_sub(count(bound))))
        .collect()
}

/// The sum of the series of a histogram whose labels hold `labels`.
fn buckets(text: &str, (name, labels): (&str, &str)) -> Buckets {
    let mut buckets = Buckets::new();
    for line in text
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(labels))
    {
        let bound = line.split("le=\"").nth(1).and_then(|rest| rest.split('"').next());
        let count = line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok());
        let (Some(Ok(bound)), Some(count)) = (bound.map(str::parse::<f64>), count) else {
            continue;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some seconds, or infinite"
        )]
        let bound = (bound * 1e6) as u64;
        *buckets.entry(bound).or_default() += count;
    }
    buckets
}

/// The lowest bound below which 99 % lie, in microseconds.
fn p99(buckets: &Buckets) -> u64 {
    let all = buckets.values().max().copied().unwrap_or(0);
    let found = buckets.iter().find(|(_, count)| **count * 100 >= all * 99);
    found.map_or(0, |(bound, _)| *bound)
}
