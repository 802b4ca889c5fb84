//! Migrations: tables by refinery, functions and grants re-applied whenever their hash differs from the stored one.

use std::time::Duration;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use super::connect::Address;

mod embedded {
    refinery::embed_migrations!("sql/migrations");
}

/// Where refinery keeps its history.
const HISTORY: &str = "store.migrations";

/// The key of the session-level advisory lock around a migration ("rollcall" in ASCII).
const LOCK: i64 = 0x726f_6c6c_6361_6c6c;

/// Oldest PostgreSQL that is supported, as `server_version_num`.
const OLDEST_SERVER: i32 = 150_000;

macro_rules! sql_files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../../sql/functions/", $name, ".sql")))),+] };
}

/// The functions in the order in which they are applied.
const FUNCTIONS: &[(&str, &str)] = sql_files![
    "conditions",
    "audit",
    "ids",
    "id_blocks",
    "names",
    "groups",
    "users",
    "user_creation",
    "user_batches",
    "bootstrap",
    "brake",
    "imports",
    "import_users",
    "import_differences",
    "import_groups",
    "import_headroom",
    "import_members",
    "sessions",
    "admin_group",
    "logins",
    "login_batches",
    "tokens",
    "nodes",
    "requests",
    "history",
    "views",
    "nss",
    "nss_feed",
    "exports",
    "status",
    "doctor",
    "admin_pages",
    "schema",
];

const GRANTS: &str = include_str!("../../sql/grants.sql");

/// What a database administrator runs once to keep the roles apart.
pub const ROLES: &str = include_str!("../../sql/roles.sql");

/// Whether the role of `address` may make the schema itself because nobody keeps the roles apart (one-role mode).
pub async fn is_one_role(address: &Address) -> anyhow::Result<bool> {
    let client = address.connect().await?;
    let sql = "select has_database_privilege(current_database(), 'create')
                      and not exists (select from pg_roles where rolname = 'rollcall_owner')";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

/// Makes the roles in a cluster of our own, where the caller is superuser; harmless when they are there.
pub async fn make_roles(address: &Address) -> anyhow::Result<()> {
    let client = address.connect().await?;
    let there: bool = client
        .query_one(
            "select count(*) = 2 from pg_roles where rolname in ('rollcall_app', 'rollcall_read')",
            &[],
        )
        .await?
        .get(0);
    if !there {
        client
            .batch_execute(
                "create role rollcall_app login;
                 create role rollcall_read login;
                 alter role rollcall_app set statement_timeout = '5s';
                 alter role rollcall_app set lock_timeout = '2s';
                 alter role rollcall_app set jit = off;
                 alter role rollcall_read set jit = off;
                 alter role rollcall_app set idle_in_transaction_session_timeout = '10s';
                 alter role rollcall_read set statement_timeout = '1s';
                 alter role rollcall_read set default_transaction_read_only = on;",
            )
            .await?;
    }
    Ok(())
}

/// What `migrate` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Names of the migrations that were applied.
    pub migrations: Vec<String>,
    /// Whether functions and grants were applied.
    pub functions: bool,
}

impl Outcome {
    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        self.migrations.is_empty() && !self.functions
    }
}

/// The number of the newest migration in this binary.
pub fn newest() -> i32 {
    embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max()
        .unwrap_or(0)
}

/// The hash of the functions and grants in this binary.
pub fn functions_hash() -> String {
    let mut hash = Sha256::new();
    for (name, text) in FUNCTIONS {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.update(GRANTS.as_bytes());
    crate::tokens::SecretHash(hash.finalize().into()).hex()
}

/// Brings a database to the schema of this binary. Safe from several replicas at once; returns without taking a lock
/// when nothing is pending.
///
/// `address` must lead directly to the primary (no pooler in transaction mode): the lock belongs to the session. Where
/// the role `rollcall_owner` exists and the caller is its member, everything belongs to it.
pub async fn migrate(address: &Address) -> anyhow::Result<Outcome> {
    let mut client = address.connect().await?;
    check_server(&client).await?;
    // The role that migrates inherits nothing: only as the owner may it look into the schema.
    become_owner(&client).await?;
    if is_current(&client).await? {
        return Ok(Outcome {
            migrations: Vec::new(),
            functions: false,
        });
    }
    client
        .batch_execute("set lock_timeout = '10s'; set statement_timeout = 0")
        .await?;
    lock(&client).await?;
    let outcome = apply(&mut client).await;
    // The lock ends with the session in any case.
    drop(client);
    outcome
}

async fn check_server(client: &Client) -> anyhow::Result<()> {
    let row = client
        .query_one(
            "select current_setting('server_version_num')::int, pg_is_in_recovery(), getdatabaseencoding()",
            &[],
        )
        .await?;
    let (version, in_recovery, encoding): (i32, bool, String) = (row.get(0), row.get(1), row.get(2));
    if version < OLDEST_SERVER {
        bail!("PostgreSQL {} is too old: 15 is the oldest supported", version / 10_000);
    }
    if in_recovery {
        bail!("the database is a standby: migrations need the primary");
    }
    if encoding != "UTF8" {
        bail!("the database's encoding is {encoding}, it must be UTF8");
    }
    Ok(())
}

/// Whether the database has this binary's migrations and functions. A newer database is current too: release N's
/// functions serve release N−1's replicas.
async fn is_current(client: &Client) -> anyhow::Result<bool> {
    let there: bool = client
        .query_one("select to_regprocedure('api.schema_state()') is not null", &[])
        .await?
        .get(0);
    if !there {
        return Ok(false);
    }
    let row = client
        .query_opt("select version, functions_hash from api.schema_state()", &[])
        .await?;
    Ok(row.is_some_and(|row| {
        let (version, hash): (Option<i32>, Option<String>) = (row.get(0), row.get(1));
        version.is_some_and(|version| version > newest())
            || (version == Some(newest()) && hash.is_some_and(|hash| hash == functions_hash()))
    }))
}

async fn become_owner(client: &Client) -> anyhow::Result<()> {
    let has_owner: bool = client
        .query_one(
            "select coalesce((select pg_has_role(oid, 'member') from pg_roles where rolname = 'rollcall_owner'), false)",
            &[],
        )
        .await?
        .get(0);
    if has_owner {
        client.batch_execute("set role rollcall_owner").await?;
    }
    Ok(())
}

async fn lock(client: &Client) -> anyhow::Result<()> {
    // Waiting on the server would count against lock_timeout, which is there for tables; so it is tried for a minute.
    for _ in 0..600 {
        if client
            .query_one("select pg_try_advisory_lock($1)", &[&LOCK])
            .await?
            .get(0)
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("another migration has held the lock for a minute")
}

async fn apply(client: &mut Client) -> anyhow::Result<Outcome> {
    if is_current(client).await? {
        return Ok(Outcome {
            migrations: Vec::new(),
            functions: false,
        });
    }
    client
        .batch_execute("create schema if not exists store; create schema if not exists api")
        .await?;
    let mut runner = embedded::migrations::runner()
        .set_abort_divergent(true)
        .set_abort_missing(false);
    runner.set_migration_table_name(HISTORY);
    let report = runner
        .run_async(client)
        .await
        .context("a migration failed; nothing of it was kept")?;
    let transaction = client.transaction().await?;
    for (name, text) in FUNCTIONS {
        transaction
            .batch_execute(text)
            .await
            .with_context(|| format!("applying sql/functions/{name}.sql"))?;
    }
    transaction
        .batch_execute(GRANTS)
        .await
        .context("applying sql/grants.sql")?;
    transaction
        .batch_execute("select store.audit_partitions_ensure(); select api.id_follow_epoch()")
        .await?;
    transaction
        .execute(
            "insert into store.functions_state (hash, applied_at) values ($1, now())
             on conflict (only_row) do update set hash = excluded.hash, applied_at = excluded.applied_at",
            &[&functions_hash()],
        )
        .await?;
    transaction.commit().await?;
    Ok(Outcome {
        migrations: report.applied_migrations().iter().map(ToString::to_string).collect(),
        functions: true,
    })
}

#[cfg(test)]
mod tests {
    use super::embedded;

    #[test]
    fn a_migration_is_marked_as_breaking_in_its_text_and_in_its_name_or_in_neither() {
        for migration in embedded::migrations::runner().get_migrations() {
            let is_marked = migration.sql().is_some_and(|text| text.starts_with("--! breaking"));
            assert_eq!(is_marked, migration.name().starts_with("breaking_"), "{migration}");
        }
    }
}
