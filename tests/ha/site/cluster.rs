//! Three members: who is primary, is all well, break and heal.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::disk;
use super::files::{Folder, PASSWORD};
use super::patroni::{Member, Part};
use crate::harness::wait_until;

/// Longest time until one primary, a synchronous standby and a second standby are there.
const PATIENCE: Duration = Duration::from_mins(2);

/// The cluster.
pub struct Cluster {
    /// Its members, db1 to db3.
    pub members: Vec<Member>,
    /// For Patroni's REST interface.
    pub http: reqwest::Client,
    /// Whether a synchronous standby is asked for.
    pub is_synchronous: bool,
    folder: Folder,
    tls: MakeRustlsConnect,
}

impl Cluster {
    /// Starts it; [`await_healthy`](Self::await_healthy) waits until it is there.
    pub fn build(folder: &Folder) -> Self {
        folder.write_reference("patroni.yml");
        disk::build_library(folder);
        let mut members: Vec<Member> = (1..=3).map(|number| Member::build(folder, number)).collect();
        for member in &mut members {
            member.start_patroni();
        }
        Self {
            members,
            http: reqwest::Client::new(),
            is_synchronous: true,
            folder: folder.clone(),
            tls: connector(folder),
        }
    }

    /// The run's folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What each member is.
    pub async fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for member in &self.members {
            parts.push(member.part(&self.http).await);
        }
        parts
    }

    /// The number of the member that is primary.
    pub async fn primary(&self) -> Option<usize> {
        self.parts().await.iter().position(|part| *part == Part::Primary)
    }

    /// The number of a standby; the synchronous one if asked for.
    pub async fn standby(&self, synchronous: bool) -> Option<usize> {
        let wanted = if synchronous { Part::Synchronous } else { Part::Replica };
        self.parts().await.iter().position(|part| *part == wanted)
    }

    /// Starts what was killed, joins what was cut off.
    pub fn heal(&mut self) {
        for member in &mut self.members {
            member.set_slow_disk(false);
            member.host.speed_up();
            member.host.set_link(true);
            member.host.set_alone(false);
            member.start_etcd();
            member.start_patroni();
        }
    }

    /// Waits until all members have their part and both standbys stream.
    pub async fn await_healthy(&mut self) {
        let cluster = &*self;
        wait_until("a healthy cluster", PATIENCE, async || cluster.is_healthy().await).await;
    }

    async fn is_healthy(&self) -> bool {
        let mut parts = self.parts().await;
        parts.sort_by_key(|part| *part as u8);
        let second = if self.is_synchronous {
            Part::Synchronous
        } else {
            Part::Replica
        };
        let wanted = [Part::Primary, second, Part::Replica];
        if parts != wanted || self.is_synchronous && !self.members[0].knows_synchronous(&self.http).await {
            return false;
        }
        let Some(client) = self.try_connect_primary("postgres").await else {
            return false;
        };
        let streaming = "select count(*) from pg_stat_replication where state = 'streaming'";
        client
            .query_one(streaming, &[])
            .await
            .is_ok_and(|row| row.get::<_, i64>(0) == 2)
    }

    /// Hands the part of the primary over to the synchronous standby, or any.
    pub async fn switch_over(&self) {
        let primary = self.primary().await.expect("a primary");
        let Member { host, .. } = &self.members[primary];
        // Refused with 412 while a standby is on its way to become the synchronous one.
        wait_until("a switchover", PATIENCE, async || {
            let request = self
                .http
                .post(format!("http://{}:8008/switchover", host.address))
                .body(format!("{{\"leader\": \"{}\"}}", host.name))
                .timeout(Duration::from_mins(1));
            let status = request.send().await.unwrap().status().as_u16();
            assert!(matches!(status, 200 | 412), "switchover: status {status}");
            status == 200
        })
        .await;
    }

    /// Changes Patroni's own settings for the whole cluster.
    pub async fn configure(&mut self, change: &serde_json::Value) {
        let answer = self
            .http
            .patch(format!("http://{}:8008/config", self.members[0].host.address))
            .body(change.to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }

    /// The connection string of the superuser, straight to whichever member is primary.
    pub fn superuser_uri(&self, database: &str) -> String {
        let hosts: Vec<&str> = self.members.iter().map(|member| member.host.address.as_str()).collect();
        format!(
            "host={} user=postgres password={PASSWORD} dbname={database} connect_timeout=2 sslmode=require \
             target_session_attrs=read-write",
            hosts.join(",")
        )
    }

    /// A connection as superuser to the primary.
    pub async fn connect_primary(&self, database: &str) -> Client {
        for _ in 0..100 {
            if let Some(client) = self.try_connect_primary(database).await {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("no primary to connect to");
    }

    async fn try_connect_primary(&self, database: &str) -> Option<Client> {
        let uri = self.superuser_uri(database);
        let connecting = tokio_postgres::connect(&uri, self.tls.clone());
        let (client, connection) = tokio::time::timeout(Duration::from_secs(8), connecting)
            .await
            .ok()?
            .ok()?;
        tokio::spawn(connection);
        Some(client)
    }
}

/// A TLS connector that trusts the run's own authority.
pub fn connector(folder: &Folder) -> MakeRustlsConnect {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(folder.path("etc/rollcall-ha/ca.pem")).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}
