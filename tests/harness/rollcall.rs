//! A service on a database of its own: what most tests start with.

use std::sync::atomic::{AtomicU32, Ordering};

use super::client::Scim;
use super::command::{Outcome, run};
use super::database::{Database, Role};
use super::service::Service;

/// Settings without a limit on the rate of requests, for tests that send many.
pub const UNLIMITED: [(&str, &str); 2] = [("scim-rate-limit", "100000"), ("scim-rate-burst", "100000")];

/// A service and its database.
#[derive(Debug)]
pub struct Rollcall {
    /// Its database.
    pub database: Database,
    /// The service.
    pub service: Service,
}

impl Rollcall {
    /// A service with default settings on a fresh database.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A service with these settings on a fresh database.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let database = Database::create().await;
        let service = Self::replica(&database, settings);
        Self { database, service }
    }

    /// A service with these settings, and without a limit on the rate of requests, on a fresh database.
    pub async fn start_unlimited(settings: &[(&str, &str)]) -> Self {
        Self::start_with(&[&UNLIMITED, settings].concat()).await
    }

    /// A further service on the same database.
    pub fn replica(database: &Database, settings: &[(&str, &str)]) -> Service {
        let (uri, read_uri) = (database.uri(Role::App), database.uri(Role::Read));
        let mut all = vec![("database-uri", uri.as_str()), ("database-read-uri", read_uri.as_str())];
        all.extend(settings);
        Service::start(&all)
    }

    /// Runs a command on the same database.
    pub fn command(&self, arguments: &[&str]) -> Outcome {
        let environment = self.database.environment();
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run(arguments, &environment)
    }

    /// A new token, made with these further arguments of `token generate`.
    pub fn token(&self, arguments: &[&str]) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut all = vec!["token", "generate", &name, "--output", "json"];
        all.extend(arguments);
        let made = self.command(&all).succeeded().json();
        made["token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token in {made}"))
            .to_owned()
    }

    /// A SCIM client with a token of its own.
    pub fn scim(&self) -> Scim {
        self.scim_as(&[])
    }

    /// A SCIM client with a token of its own, made with these further arguments of `token generate`.
    pub fn scim_as(&self, arguments: &[&str]) -> Scim {
        Scim::new(format!("{}/scim/v2", self.service.url("api")), self.token(arguments))
    }

    /// The same client, sending to another replica.
    pub fn scim_at(service: &Service, token: &str) -> Scim {
        Scim::new(format!("{}/scim/v2", service.url("api")), token)
    }

    /// One value that a query of the superuser gives.
    pub async fn number(&self, query: &str) -> i64 {
        let client = self.database.connect(Role::Superuser).await;
        client.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Kills the service and checks the invariants of its database.
    pub async fn finish(self) {
        let Self { database, mut service } = self;
        service.process().kill();
        database.finish().await;
    }
}
