//! `rollcall serve`: puts the parts together, waits for the schema, serves, and drains on a signal.

mod background;
pub(super) mod slice;
mod workers;

use std::sync::Arc;

use anyhow::Context;
use rollcall::config::{Config, Database as DatabaseConfig, Listener, PublicUrl, Role};
use rollcall::db::{Database, Settings};
use rollcall::http;
use rollcall::http::admission::Admission;
use rollcall::http::authenticate::Tokens;
use rollcall::http::listener::{self, Manners};
use rollcall::http::rate_limit::RateLimit;
use rollcall::http::request_log::RequestLog;
use rollcall::http::state::{Readiness, Shared, State};
use rollcall::http::tls::Certificates;
use rollcall::login::health::Health;
use rollcall::login::openid::OpenId;
#[cfg(feature = "saml")]
use rollcall::login::saml::Saml;
use rollcall::login::sessions::Sessions;
use rollcall::login::{self, ProxyHeaders, Rules, SignIns};
use rollcall::posix;
use rollcall::private_postgres::PrivatePostgres;
#[cfg(feature = "otel")]
use rollcall::telemetry::traces::Collector;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::bootstrap;
use super::session::{self, Addresses};
use workers::Workers;

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
    let bootstrap = match &config.provisioning.bootstrap_file {
        Some(path) if config.listeners.role == Role::All => Some(bootstrap::read(path)?),
        _ => None,
    };
    let workers = Workers::start(config.listeners.role).context("cannot start the threads of the API")?;
    let settings = Settings {
        primary_threads: Some(workers.handle()),
        ..session::pools(&config.database)
    };
    let db = Database::new(
        addresses.primary.as_ref(),
        addresses.standby.as_ref(),
        settings,
        session::options(&config),
    )?;
    #[cfg(feature = "otel")]
    let collector = Collector::start(&config.tracing)?;
    #[cfg(not(feature = "otel"))]
    anyhow::ensure!(
        config.tracing.endpoint.is_none(),
        "otlp-endpoint is set, but this binary was built without OpenTelemetry"
    );
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
    let state = share(config, base_url, db.clone()).await?;

    let mut serving = listen(&state, listeners, &workers, &stopped)?;
    let mut background = background::start(&state, addresses, bootstrap);

    let outcome = wait_for_the_end(&mut background).await;
    tracing::info!("draining");
    state.readiness.drain();
    let hard = async {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        Ok::<_, std::io::Error>(())
    };
    let soft = async {
        tokio::time::sleep(state.config.limits.shutdown_notice).await;
        let _ = stop.send(true);
        while serving.join_next().await.is_some() {}
    };
    tokio::select! {
        () = soft => {}
        _ = hard => tracing::warn!("stopped at once by a second signal"),
    }
    background.shutdown().await;
    state.tokens.flush_uses(&db).await;
    state.nodes.flush(&db).await;
    state.sign_ins.flush(&db).await;
    state.request_log.flush(&db).await;
    db.close();
    #[cfg(feature = "otel")]
    if let Some(collector) = collector {
        collector.stop().await;
    }
    tracing::info!("stopped");
    outcome
}

/// Puts together what every handler shares. Raises settings that cannot work, and SAML metadata without keys.
#[cfg_attr(
    not(feature = "saml"),
    expect(clippy::unused_async, reason = "only the SAML set-up waits for something")
)]
async fn share(config: Config, base_url: PublicUrl, db: Database) -> anyhow::Result<State> {
    if let Some(name) = &config.provisioning.admin_posix_group {
        let checked = posix::check_group_name(name);
        checked.map_err(|fault| anyhow::anyhow!("admin-posix-group {name:?} is refused: {fault}"))?;
    }
    let has_sign_in = config.listeners.role == Role::All;
    if has_sign_in {
        login::count_from_zero();
    }
    #[cfg(feature = "saml")]
    let saml = if config.saml.enabled && has_sign_in {
        Some(Arc::new(Saml::start(&config, &base_url).await?))
    } else {
        None
    };
    #[cfg(not(feature = "saml"))]
    anyhow::ensure!(
        !(config.saml.enabled && has_sign_in),
        "auth-saml = 1, but this binary was built without SAML"
    );
    Ok(Arc::new(Shared {
        #[cfg(feature = "saml")]
        saml,
        scim_base: format!("{base_url}/scim/v2"),
        tokens: Arc::new(Tokens::new(config.scim.token_files.clone())),
        rate_limit: RateLimit::new(config.scim.rate_limit, config.scim.rate_burst),
        admission: Admission::new(
            config.database.settings().pool_size,
            config.database.settings().wait_timeout,
        ),
        request_log: RequestLog::new(config.scim.request_log_size),
        last_answers: http::nss::LastAnswers::new(),
        feed_answers: http::nss::FeedAnswers::new(),
        nodes: http::nss::Nodes::default(),
        large_bodies: Arc::new(Semaphore::new(config.scim.large_bodies_at_once)),
        readiness: Readiness::default(),
        login_rules: Rules::new(&config)?,
        sign_ins: SignIns::default(),
        sessions: Arc::new(Sessions::new(&config.access)),
        health: Health::default(),
        openid: Some(&config.openid)
            .filter(|openid| openid.enabled && has_sign_in)
            .map(|_| OpenId::new(&config, &base_url).map(Arc::new))
            .transpose()?,
        proxy_headers: Some(&config.access)
            .filter(|access| access.proxy && config.listeners.proxy_listen.is_some())
            .map(ProxyHeaders::new)
            .transpose()?,
        user_name_rule: http::state::user_name_rule(&config.provisioning.user_name_rule)?,
        base_url,
        db,
        config,
    }))
}

/// Serves every listener that was bound, and the read socket, until `stopped` turns true. What may ask for much work does so on
/// `workers`; nodes and probes do not wait for these.
fn listen(
    state: &State,
    listeners: Vec<Bound>,
    workers: &Workers,
    stopped: &watch::Receiver<bool>,
) -> anyhow::Result<JoinSet<()>> {
    let mut serving = JoinSet::new();
    for bound in listeners {
        let manners = manners(&state.config, bound.label);
        let router = http::router(bound.label, state);
        if let Some(certificates) = &bound.certificates {
            tokio::spawn(certificates.clone().follow());
        }
        tracing::info!(listener = bound.label, address = %bound.address, "listening");
        let threads = match bound.label {
            "api" | "proxy" => workers.handle(),
            _ => Handle::current(),
        };
        let work = listener::serve_tcp(bound.tcp, router, bound.certificates, manners, stopped.clone());
        serving.spawn_on(work, &threads);
    }
    if let Some(path) = &state.config.listeners.read_socket {
        let socket = listener::bind_unix(path).with_context(|| format!("cannot listen on {}", path.display()))?;
        tracing::info!(listener = "read", address = %path.display(), "listening");
        let (router, manners) = (http::router("read", state), manners(&state.config, "read"));
        serving.spawn(listener::serve_unix(socket, router, manners, stopped.clone()));
    }
    Ok(serving)
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
