//! The site that is broken: three database hosts, the balancers, three replicas, the tokens of the clients.

pub mod certificates;
pub mod cluster;
pub mod disk;
pub mod files;
pub mod front;
pub mod host;
pub mod patroni;
pub mod replicas;
pub mod share;
pub mod slow;

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::harness::command::{Outcome, ROLLCALL, run_program};
use cluster::Cluster;
use files::Folder;
use front::Front;
use replicas::Replicas;
use share::Share;

/// The balancer's address, as in packaging/ha.
pub const BALANCER: &str = "10.77.0.30";

/// Bearer tokens of the clients.
pub struct Tokens {
    /// For SCIM.
    pub scim: String,
    /// For the sign-in API.
    pub login: String,
    /// For nodes.
    pub nss: String,
}

/// Everything that runs.
pub struct Site {
    /// PostgreSQL, Patroni, etcd.
    pub cluster: Cluster,
    /// `HAProxy`, `PgBouncer`, nginx.
    pub front: Front,
    /// `rollcall serve`, three times.
    pub replicas: Replicas,
    /// Bearer tokens.
    pub tokens: Tokens,
    /// Configurations, data, logs.
    pub folder: Folder,
}

impl Site {
    /// Builds it all, schema and replicas from the binary `program`: about half a minute.
    pub async fn build(program: &str) -> Self {
        let folder = Folder::create();
        let clients = Share::of_bystander("clients");
        clients.join();
        if !clients.is_real() {
            println!(
                "no control groups can be made here: all hosts share the processors freely, and times under overload say less"
            );
        }
        host::build_hub();
        certificates::write(&folder);
        let mut cluster = Cluster::build(&folder);
        let front = Front::start(&folder);
        cluster.await_healthy().await;
        prepare_database(&cluster, program).await;
        let tokens = Tokens {
            scim: token(&folder, program, "scim"),
            login: token(&folder, program, "login"),
            nss: token(&folder, program, "nss-user"),
        };
        let replicas = Replicas::start(&folder, program);
        Self {
            cluster,
            front,
            replicas,
            tokens,
            folder,
        }
    }

    /// Heals whatever a fault left behind, and waits until all is well.
    pub async fn heal(&mut self) {
        self.cluster.heal();
        self.front.heal(&self.folder);
        self.replicas.heal(&self.folder);
        self.cluster.await_healthy().await;
    }
}

/// Brings the schema to this release, as an operator would.
pub fn migrate(folder: &Folder) {
    operate(folder, ROLLCALL, &["migrate"]).succeeded();
}

/// Runs the binary `program` of `rollcall` against the primary, as an operator would.
fn operate(folder: &Folder, program: &str, arguments: &[&str]) -> Outcome {
    let uri = front::uri(folder, "rollcall_app", front::PRIMARY_PORT);
    let migrate = front::uri(folder, "rollcall_migrate", front::PRIMARY_PORT);
    run_program(
        program,
        arguments,
        &[
            ("ROLLCALL_DATABASE_URI", &uri),
            ("ROLLCALL_DATABASE_MIGRATE_URI", &migrate),
        ],
    )
}

/// Roles, database and schema, as a database administrator and an operator make them.
async fn prepare_database(cluster: &Cluster, program: &str) {
    let server = cluster.connect_primary("postgres").await;
    server.batch_execute("create database rollcall").await.unwrap();
    server
        .batch_execute("create table probe (at timestamptz not null default now())")
        .await
        .unwrap();
    let roles = run_program(program, &["migrate", "--roles-sql"], &[])
        .succeeded()
        .stdout;
    let folder = cluster.folder();
    files::psql(&front::uri(folder, "postgres", front::PRIMARY_PORT), &roles);
    let passwords: String = ["app", "read", "migrate"]
        .map(|role| format!("alter role rollcall_{role} password '{}';", files::PASSWORD))
        .concat();
    cluster
        .connect_primary("rollcall")
        .await
        .batch_execute(&passwords)
        .await
        .unwrap();
    operate(cluster.folder(), program, &["migrate"]).succeeded();
}

fn token(folder: &Folder, program: &str, scope: &str) -> String {
    let made = operate(
        folder,
        program,
        &["token", "generate", scope, "--scope", scope, "--output", "json"],
    );
    let made: Value = made.succeeded().json();
    made["token"].as_str().unwrap().to_owned()
}

/// Runs a command that must succeed, and gives what it printed.
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The variables of an `.env` file of packaging/ha.
pub fn variables(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
