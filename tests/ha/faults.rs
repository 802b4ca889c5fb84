//! The faults: what is broken, how long it is left so, and the schedule that a seed gives.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::harness::wait_until;
use crate::site::Site;

/// Longest time until another primary is there.
const FAILOVER: Duration = Duration::from_mins(2);

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Patroni hands over.
    Switchover,
    /// SIGKILL to the primary and its Patroni.
    PrimaryKilled,
    /// SIGKILL to the primary; Patroni starts it again.
    PostgresKilled,
    /// The primary's host is off the network.
    PrimaryCutOff,
    /// SIGKILL to the synchronous standby and its Patroni.
    StandbyLost,
    /// SIGKILL to the etcd that leads.
    EtcdLeaderLost,
    /// `HAProxy` is replaced by a new one.
    HaproxyRestarted,
    /// SIGKILL to a replica.
    ReplicaKilled(usize),
    /// SIGSTOP to a replica for a while.
    ReplicaFrozen(usize),
    /// The primary's network is slow and loses packets.
    NetworkSlow,
    /// Each sync of the primary's disk takes longer.
    DiskSlow,
    /// SIGKILL to `PgBouncer`, which starts again.
    PgbouncerRestarted,
}

impl Fault {
    /// Every kind once, in the order that `seed` gives.
    pub fn schedule(seed: u64) -> Vec<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut faults = vec![
            Self::Switchover,
            Self::PrimaryKilled,
            Self::PostgresKilled,
            Self::PrimaryCutOff,
            Self::StandbyLost,
            Self::EtcdLeaderLost,
            Self::HaproxyRestarted,
            Self::ReplicaKilled(random.random_range(0..3)),
            Self::ReplicaFrozen(random.random_range(0..3)),
            Self::NetworkSlow,
            Self::DiskSlow,
            Self::PgbouncerRestarted,
        ];
        faults.shuffle(&mut random);
        faults
    }

    /// What it is called in reports.
    pub fn name(self) -> String {
        match self {
            Self::Switchover => "switchover".into(),
            Self::PrimaryKilled => "primary `kill -9`".into(),
            Self::PostgresKilled => "PostgreSQL alone `kill -9`".into(),
            Self::PrimaryCutOff => "primary host cut off".into(),
            Self::StandbyLost => "standby lost".into(),
            Self::EtcdLeaderLost => "etcd leader lost".into(),
            Self::HaproxyRestarted => "HAProxy restarted".into(),
            Self::ReplicaKilled(number) => format!("replica {} `kill -9`", number + 1),
            Self::ReplicaFrozen(number) => format!("replica {} frozen for 8 s", number + 1),
            Self::NetworkSlow => "network of the primary slow (200 ms, 5 % loss)".into(),
            Self::DiskSlow => "disk of the primary slow (200 ms a sync)".into(),
            Self::PgbouncerRestarted => "PgBouncer restarted".into(),
        }
    }

    /// Breaks it and returns when it shall be healed.
    pub async fn strike(self, site: &mut Site) {
        let primary = site.cluster.primary().await.expect("a primary");
        match self {
            Self::Switchover => {
                site.cluster.switch_over().await;
                another_primary(site, primary).await;
            }
            Self::PrimaryKilled => {
                site.cluster.members[primary].kill(true);
                another_primary(site, primary).await;
            }
            Self::PostgresKilled => {
                site.cluster.members[primary].kill(false);
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
            Self::PrimaryCutOff => {
                site.cluster.members[primary].host.set_link(false);
                another_primary(site, primary).await;
            }
            Self::StandbyLost => {
                let standby = site.cluster.standby(true).await.expect("a synchronous standby");
                site.cluster.members[standby].kill(true);
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            Self::EtcdLeaderLost => {
                for member in &mut site.cluster.members {
                    if member.leads_etcd(&site.cluster.http).await {
                        member.kill_etcd();
                        break;
                    }
                }
                tokio::time::sleep(Duration::from_secs(8)).await;
            }
            Self::HaproxyRestarted => {
                site.front.restart_haproxy(&site.folder);
                // The old one ends five seconds later.
                tokio::time::sleep(Duration::from_secs(9)).await;
            }
            Self::ReplicaKilled(number) => {
                site.replicas.kill(number);
                tokio::time::sleep(Duration::from_secs(4)).await;
            }
            Self::ReplicaFrozen(number) => {
                site.replicas.freeze(number, true);
                tokio::time::sleep(Duration::from_secs(8)).await;
                site.replicas.freeze(number, false);
            }
            Self::NetworkSlow => {
                site.cluster.members[primary].host.slow_down();
                tokio::time::sleep(Duration::from_secs(15)).await;
            }
            Self::DiskSlow => {
                site.cluster.members[primary].set_slow_disk(true);
                tokio::time::sleep(Duration::from_secs(15)).await;
            }
            Self::PgbouncerRestarted => {
                site.front.restart_pgbouncer(&site.folder);
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        }
    }
}

/// Waits until another member than `old` is primary.
pub async fn another_primary(site: &Site, old: usize) {
    wait_until("another primary", FAILOVER, async || {
        site.cluster.primary().await.is_some_and(|primary| primary != old)
    })
    .await;
}
