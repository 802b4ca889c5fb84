//! What goes on beside the requests: migrating, following changes, writing batches, housekeeping.

use std::time::Duration;

use rollcall::bootstrap::Bootstrap;
use rollcall::config::{Database as DatabaseConfig, Private, Role};
use rollcall::db::tokens::TokenDraft;
use rollcall::db::{Database, Origin, migrate};
use rollcall::http::state::State;
use rollcall::telemetry::metrics::METRICS;
use rollcall::tokens::{NewToken, Scope};
use tokio::task::JoinSet;

use crate::cli::bootstrap;
use crate::cli::session::{self, Addresses};
use crate::cli::whole_file::keep_or_write;

/// How often the schema is looked for while it is too old.
const SCHEMA_POLL: Duration = Duration::from_millis(500);

/// How often it is looked whether a later release has broken with this one.
const BREAK_POLL: Duration = Duration::from_secs(5);

/// How often batches are written beside the requests.
const FLUSH: Duration = Duration::from_secs(1);

/// What can wait longer is written every so many times.
const TICKS: u32 = 10;

/// How often the gauges of the database are read.
const OBSERVE: Duration = Duration::from_secs(15);

/// How often housekeeping runs; every replica tries, one does it.
const MAINTAIN: Duration = Duration::from_mins(1);

/// Starts what goes on beside the requests. A task that ends with an error ends the service.
pub(super) fn start(state: &State, addresses: &Addresses, bootstrap: Option<Bootstrap>) -> JoinSet<anyhow::Result<()>> {
    let db = &state.db;
    let mut background = JoinSet::new();
    background.spawn(prepare(
        state.clone(),
        Migrations {
            given: addresses.migrate.clone(),
            one_role: addresses
                .primary
                .clone()
                .filter(|_| state.config.listeners.role == Role::All),
            is_private: addresses.is_private,
        },
        bootstrap,
    ));
    background.spawn(observe_breaks(state.clone()));
    background.spawn(observe_reads(db.clone()));
    background.spawn(observe_primary(db.clone()));
    let tokens = state.tokens.clone().follow(db.clone());
    background.spawn(async {
        tokens.await;
        Ok(())
    });
    background.spawn(observe(state.clone()));
    #[cfg(feature = "saml")]
    if let Some(saml) = state.saml.clone() {
        background.spawn(async {
            saml.follow().await;
            Ok(())
        });
    }
    if state.config.listeners.role == Role::All {
        let sessions = state.sessions.clone().follow(db.clone());
        background.spawn(async {
            sessions.await;
            Ok(())
        });
    }
    if state.config.listeners.role == Role::All {
        background.spawn(flush(state.clone()));
        background.spawn(maintain(state.clone()));
    } else {
        background.spawn(note_nodes(state.clone()));
    }
    background
}

/// From where this replica may migrate.
struct Migrations {
    /// The address that was given for it.
    given: Option<rollcall::db::Address>,
    /// The address to use when nobody keeps the roles apart.
    one_role: Option<rollcall::db::Address>,
    is_private: bool,
}

impl Migrations {
    async fn apply(&self) -> anyhow::Result<()> {
        let address = match (&self.given, &self.one_role) {
            (Some(address), _) => address,
            (None, Some(address)) if migrate::is_one_role(address).await? => address,
            _ => return Ok(()),
        };
        if self.is_private {
            migrate::make_roles(address).await?;
        }
        migrate::migrate(address).await.map(|_| ())
    }
}

/// Migrates when this replica may, then waits until the schema is new enough, makes what the bootstrap file asks for, and
/// says so.
async fn prepare(state: State, migrations: Migrations, bootstrap: Option<Bootstrap>) -> anyhow::Result<()> {
    let mut told = false;
    loop {
        let outcome = migrations.apply().await;
        if let Err(error) = &outcome {
            tracing::warn!(error = format!("{error:#}"), "the database could not be migrated yet");
        }
        match state.db.schema_state().await {
            Ok(Some(schema)) if schema.version >= migrate::newest() => {
                METRICS.schema_version.set(schema.version.into());
                break;
            }
            Ok(_) if !told => {
                tracing::info!("waiting for the schema: run `rollcall migrate` with the role that owns it");
                told = true;
            }
            _ => {}
        }
        tokio::time::sleep(SCHEMA_POLL).await;
    }
    if state.config.listeners.role == Role::All {
        let epoch = state.db.id_follow_epoch().await?;
        tracing::debug!(epoch, "id allocation follows the database");
        keep_admin_group(&state).await;
        if let Some(bootstrap) = bootstrap {
            bootstrap::at_start(&state.config, &state.db, &bootstrap).await;
        }
    }
    let _ = state.tokens.refresh(&state.db).await;
    // Whoever asks a replica that has just become ready is told how the database is.
    state.db.observe_reads().await;
    if let DatabaseConfig::Private(private) = &state.config.database {
        first_token(&state.db, private).await?;
    }
    state.readiness.schema_is_there();
    tracing::info!(url = %state.base_url, "ready");
    Ok(())
}

/// Writes a first token of scope `scim` beside a private database, once.
async fn first_token(db: &Database, private: &Private) -> anyhow::Result<()> {
    let path = private.data_dir.join("scim-token");
    if path.exists() {
        return Ok(());
    }
    let token = NewToken::generate();
    let expires_at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * 365))?;
    let draft = TokenDraft {
        name: "first",
        scopes: &[Scope::Scim],
        dialect: "strict",
        parent: None,
        expires_at: Some(expires_at),
    };
    keep_or_write(&path, &(token.reveal() + "\n"), 0o600)?;
    if let Err(error) = db.token_create(&token, &draft, &session::origin()).await {
        let _ = std::fs::remove_file(&path);
        return Err(error.into());
    }
    tracing::info!(file = %path.display(), "wrote a first SCIM token");
    Ok(())
}

async fn flush(state: State) -> anyhow::Result<()> {
    let mut ticks = 0_u32;
    loop {
        tokio::time::sleep(FLUSH).await;
        state.request_log.flush(&state.db).await;
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(TICKS) {
            state.tokens.flush_uses(&state.db).await;
            state.nodes.flush(&state.db).await;
            state.sign_ins.flush(&state.db).await;
            state.sessions.flush_uses(&state.db).await;
            state.rate_limit.tidy();
        }
    }
}

/// The one thing that a replica of role `read` writes.
async fn note_nodes(state: State) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(FLUSH * TICKS).await;
        state.nodes.flush(&state.db).await;
    }
}

/// Makes the members of the administrators' group what they should be, whoever has changed them meanwhile.
async fn keep_admin_group(state: &State) {
    let name = state.config.provisioning.admin_posix_group.as_deref();
    match state.db.admin_group_set(name, &service()).await {
        Ok(0) => {}
        Ok(changed) => tracing::info!(changed, "the administrators' group follows the administrators again"),
        Err(error) => tracing::error!(%error, "admin-posix-group cannot be kept"),
    }
}

/// The service itself, for the audit log.
fn service() -> Origin {
    Origin {
        actor: "service".to_owned(),
        path: "service",
        request_id: String::new(),
        address: None,
    }
}

async fn maintain(state: State) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(MAINTAIN.mul_f64(0.75 + rand::random::<f64>() / 2.0)).await;
        keep_admin_group(&state).await;
        if let Err(error) = state.db.maintain().await {
            tracing::debug!(%error, "housekeeping will be tried again");
        }
    }
}

async fn observe_breaks(state: State) -> anyhow::Result<()> {
    loop {
        if let Ok(version) = state.db.schema_breaking().await {
            state.readiness.outgrow(version > migrate::newest());
        }
        tokio::time::sleep(BREAK_POLL).await;
    }
}

async fn observe_reads(db: Database) -> anyhow::Result<()> {
    loop {
        db.observe_reads().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn observe_primary(db: Database) -> anyhow::Result<()> {
    loop {
        db.observe_primary().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn observe(state: State) -> anyhow::Result<()> {
    loop {
        if let Ok(pools) = state.db.id_headroom().await {
            for pool in pools {
                let labels = &[&pool.pool];
                METRICS.id_pool_remaining.with_label_values(labels).set(pool.remaining);
                METRICS.id_pool_size.with_label_values(labels).set(pool.size);
            }
        }
        if let Ok(status) = state.db.read_status().await {
            METRICS.db_in_recovery.set(status.in_recovery.into());
            METRICS.db_replica_lag.set(status.lag.unwrap_or(0.0));
        }
        tokio::time::sleep(OBSERVE).await;
    }
}
