//! `rollcall serve`: puts the parts together, waits for the schema, serves, and drains on a signal.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rollcall::config::{Config, Database as DatabaseConfig, Listener, Private, Role};
use rollcall::db::tokens::TokenDraft;
use rollcall::db::{Database, migrate};
use rollcall::http;
use rollcall::http::authenticate::Tokens;
use rollcall::http::listener::{self, Manners};
use rollcall::http::rate_limit::RateLimit;
use rollcall::http::request_log::RequestLog;
use rollcall::http::state::{Readiness, Shared, State};
use rollcall::http::tls::Certificates;
use rollcall::login::openid::OpenId;
use rollcall::login::sessions::Sessions;
use rollcall::login::{ProxyHeaders, Rules, SignIns};
use rollcall::private_postgres::PrivatePostgres;
use rollcall::telemetry::metrics::METRICS;
use rollcall::tokens::{NewToken, Scope};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::session::{self, Addresses};

/// How often the schema is looked for while it is too old.
const SCHEMA_POLL: Duration = Duration::from_millis(500);

/// How often batches are written beside the requests.
const FLUSH: Duration = Duration::from_secs(1);

/// How often the gauges of the database are read.
const OBSERVE: Duration = Duration::from_secs(15);

/// How often housekeeping runs; every replica tries, one does it.
const MAINTAIN: Duration = Duration::from_mins(1);

pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    let private = match &config.database {
        DatabaseConfig::Private(private) => {
            let running = PrivatePostgres::start(&private.data_dir, &private.user).await?;
            tracing::info!(
                data_dir = %private.data_dir.display(),
                "using a private PostgreSQL: one machine, not highly available"
            );
            Some(running)
        }
        DatabaseConfig::External(_) => None,
    };
    let addresses = session::addresses(&config, private.as_ref())?;
    let outcome = run(config, &addresses).await;
    if let Some(private) = private {
        private.stop().await;
    }
    outcome
}

async fn run(config: Config, addresses: &Addresses) -> anyhow::Result<()> {
    let db = Database::new(
        addresses.primary.as_ref(),
        addresses.standby.as_ref(),
        session::pools(config.database.settings()),
        session::options(&config),
    )?;
    let (stop, stopped) = watch::channel(false);
    let mut listeners = Vec::new();
    for listener in config.listeners.active() {
        listeners.push(bind(&listener).await?);
    }
    let api_address = listeners
        .iter()
        .find(|bound| bound.label == "api")
        .map(|bound| bound.address);
    let base_url = config
        .listeners
        .base_url(api_address.unwrap_or(config.listeners.listen));
    let state: State = Arc::new(Shared {
        scim_base: format!("{base_url}/scim/v2"),
        tokens: Arc::new(Tokens::new(config.scim.token_files.clone())),
        rate_limit: RateLimit::new(config.scim.rate_limit, config.scim.rate_burst),
        request_log: RequestLog::new(config.scim.request_log_size),
        last_answers: http::nss::LastAnswers::new(),
        large_bodies: Arc::new(Semaphore::new(config.scim.large_bodies_at_once)),
        readiness: Readiness::default(),
        login_rules: Rules::new(&config)?,
        sign_ins: SignIns::default(),
        sessions: Arc::new(Sessions::new(&config.access)),
        openid: Some(&config.openid)
            .filter(|openid| openid.enabled && config.listeners.role == Role::All)
            .map(|_| OpenId::new(&config, &base_url).map(Arc::new))
            .transpose()?,
        proxy_headers: Some(&config.access)
            .filter(|access| access.proxy && config.listeners.proxy_listen.is_some())
            .map(ProxyHeaders::new)
            .transpose()?,
        user_name_rule: http::state::user_name_rule(&config.provisioning.user_name_rule)?,
        base_url,
        db: db.clone(),
        config,
    });

    let mut serving = JoinSet::new();
    for bound in listeners {
        let manners = manners(&state.config, bound.label);
        let router = http::router(bound.label, &state);
        if let Some(certificates) = &bound.certificates {
            tokio::spawn(certificates.clone().follow());
        }
        tracing::info!(listener = bound.label, address = %bound.address, "listening");
        serving.spawn(listener::serve_tcp(
            bound.tcp,
            router,
            bound.certificates,
            manners,
            stopped.clone(),
        ));
    }
    if let Some(path) = &state.config.listeners.read_socket {
        let socket = listener::bind_unix(path).with_context(|| format!("cannot listen on {}", path.display()))?;
        tracing::info!(listener = "read", address = %path.display(), "listening");
        let (router, manners) = (http::router("read", &state), manners(&state.config, "read"));
        serving.spawn(listener::serve_unix(socket, router, manners, stopped.clone()));
    }

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
    ));
    background.spawn(observe_standby(db.clone()));
    let tokens = state.tokens.clone().follow(db.clone());
    background.spawn(async {
        tokens.await;
        Ok(())
    });
    background.spawn(observe(state.clone()));
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
    }

    let outcome = wait_for_the_end(&mut background).await;
    tracing::info!("draining");
    state.readiness.drain();
    let _ = stop.send(true);
    let hard = async {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        Ok::<_, std::io::Error>(())
    };
    tokio::select! {
        () = async { while serving.join_next().await.is_some() {} } => {}
        _ = hard => tracing::warn!("stopped at once by a second signal"),
    }
    background.shutdown().await;
    state.tokens.flush_uses(&db).await;
    state.sign_ins.flush(&db).await;
    state.request_log.flush(&db).await;
    db.close();
    tracing::info!("stopped");
    outcome
}

/// Waits for a signal, or for a part that cannot go on.
async fn wait_for_the_end(background: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            _ = int.recv() => return Ok(()),
            Some(ended) = background.join_next() => ended??,
        }
    }
}

struct Bound {
    label: &'static str,
    tcp: TcpListener,
    address: std::net::SocketAddr,
    certificates: Option<Arc<Certificates>>,
}

async fn bind(listener: &Listener<'_>) -> anyhow::Result<Bound> {
    let certificates = listener.tls.map(Certificates::load).transpose()?;
    let tcp = TcpListener::bind(listener.address)
        .await
        .with_context(|| format!("cannot listen on {} ({})", listener.address, listener.setting))?;
    let address = tcp.local_addr()?;
    Ok(Bound {
        label: listener.label,
        tcp,
        address,
        certificates,
    })
}

fn manners(config: &Config, label: &'static str) -> Manners {
    Manners {
        label,
        max_connections: config.limits.max_connections,
        header_timeout: config.limits.header_timeout,
        drain: config.limits.shutdown_drain,
    }
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

/// Migrates when this replica may, then waits until the schema is new enough, and says so.
async fn prepare(state: State, migrations: Migrations) -> anyhow::Result<()> {
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
    }
    let _ = state.tokens.refresh(&state.db).await;
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
    write_secret(&path, &token.reveal())?;
    if let Err(error) = db.token_create(&token, &draft, &session::origin()).await {
        let _ = std::fs::remove_file(&path);
        return Err(error.into());
    }
    tracing::info!(file = %path.display(), "wrote a first SCIM token");
    Ok(())
}

/// Writes a file that its owner alone may read, all or nothing.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let fresh = path.with_extension("new");
    let write = || {
        let _ = std::fs::remove_file(&fresh);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

async fn flush(state: State) -> anyhow::Result<()> {
    let mut ticks = 0_u32;
    loop {
        tokio::time::sleep(FLUSH).await;
        state.request_log.flush(&state.db).await;
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(10) {
            state.tokens.flush_uses(&state.db).await;
            state.sign_ins.flush(&state.db).await;
            state.sessions.flush_uses(&state.db).await;
            state.rate_limit.tidy();
        }
    }
}

async fn maintain(state: State) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(MAINTAIN.mul_f64(0.75 + rand::random::<f64>() / 2.0)).await;
        if let Err(error) = state.db.maintain().await {
            tracing::debug!(%error, "housekeeping will be tried again");
        }
    }
}

async fn observe_standby(db: Database) -> anyhow::Result<()> {
    loop {
        db.observe_standby().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn observe(state: State) -> anyhow::Result<()> {
    loop {
        if let Ok(pools) = state.db.id_headroom().await {
            for pool in pools {
                METRICS
                    .id_pool_remaining
                    .with_label_values(&[&pool.pool])
                    .set(pool.remaining);
            }
        }
        if let Ok(status) = state.db.read_status().await {
            METRICS.db_in_recovery.set(status.in_recovery.into());
            METRICS.db_replica_lag.set(status.lag.unwrap_or(0.0));
        }
        tokio::time::sleep(OBSERVE).await;
    }
}
