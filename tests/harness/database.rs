//! A database of one's own: a clone of the migrated template, checked for its invariants at the end.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::Client;

use super::postgres::{Postgres, SUPERUSER, TEMPLATE};

/// Whom to connect as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What `serve` uses.
    App,
    /// What the read API uses.
    Read,
    /// What `migrate` uses.
    Migrate,
    /// What only tests use.
    Superuser,
}

impl Role {
    fn user(self) -> &'static str {
        match self {
            Self::App => "rollcall_app",
            Self::Read => "rollcall_read",
            Self::Migrate => "rollcall_migrate",
            Self::Superuser => SUPERUSER,
        }
    }
}

/// A database for one test; call [`finish`](Self::finish) at its end.
#[derive(Debug)]
pub struct Database {
    name: String,
    is_finished: bool,
}

impl Database {
    /// A clone of the migrated template.
    pub async fn create() -> Self {
        Self::clone_of(TEMPLATE).await
    }

    /// An empty database, not migrated.
    pub async fn create_empty() -> Self {
        Self::clone_of("template0").await
    }

    /// An empty database in the encoding LATIN1.
    pub async fn create_latin1() -> Self {
        Self::clone_of("template0 encoding 'LATIN1'").await
    }

    /// Runs a script of psql in it as the superuser.
    pub fn run_script(&self, script: &str) {
        Postgres::shared().psql(&self.name, script);
    }

    async fn clone_of(template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = Postgres::shared().connect(SUPERUSER, "postgres").await;
        server
            .batch_execute(&format!("create database {name} template {template}"))
            .await
            .unwrap();
        // Rights on the database itself are not cloned.
        let rights = format!(
            "revoke temporary on database {name} from public; grant create on database {name} to rollcall_owner"
        );
        server.batch_execute(&rights).await.unwrap();
        Self {
            name,
            is_finished: false,
        }
    }

    /// The connection string of a role.
    pub fn uri(&self, role: Role) -> String {
        Postgres::shared().uri(role.user(), &self.name)
    }

    /// The environment that points the command line at this database.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("ROLLCALL_DATABASE_URI", self.uri(Role::App))]
    }

    /// A connection as `role`.
    pub async fn connect(&self, role: Role) -> Client {
        Postgres::shared().connect(role.user(), &self.name).await
    }

    /// What is wrong with the data: a line for each violated invariant.
    pub async fn violations(&self) -> Vec<String> {
        let client = self.connect(Role::Superuser).await;
        let rows = client
            .query("select violation || ': ' || subject from api.check_invariants()", &[])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Fails the test when an invariant is violated; drops the database.
    pub async fn finish(mut self) {
        assert_eq!(
            self.violations().await,
            Vec::<String>::new(),
            "invariants of the database"
        );
        self.is_finished = true;
        let server = Postgres::shared().connect(SUPERUSER, "postgres").await;
        server
            .batch_execute(&format!("drop database {} with (force)", self.name))
            .await
            .unwrap();
    }

    /// Drops the database without looking at it: for one that was never migrated.
    pub async fn discard(mut self) {
        self.is_finished = true;
        let server = Postgres::shared().connect(SUPERUSER, "postgres").await;
        server
            .batch_execute(&format!("drop database {} with (force)", self.name))
            .await
            .unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        assert!(
            self.is_finished || std::thread::panicking(),
            "a test ends with finish(), which checks the invariants"
        );
    }
}
