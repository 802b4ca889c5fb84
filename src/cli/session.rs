//! The database behind a command: a given one, or the private one, started if nobody runs it, and never made.

use std::time::Duration;

use rollcall::config::{Config, Database as DatabaseConfig, Secret};
use rollcall::db::{Address, Database, Options, Origin, Settings};
use rollcall::private_postgres::{DatabaseRole, PrivatePostgres, PrivatePostgresError};

use super::Misconfigured;

/// How long a command waits for a database that does not answer: long enough for most failovers, short enough for a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// No database answers: exit code 4.
#[derive(Debug, thiserror::Error)]
#[error("the database does not answer: {0}")]
pub(crate) struct NoDatabase(String);

/// A database for as long as a command or a service needs it.
pub(crate) struct Session {
    pub(crate) db: Database,
    private: Option<PrivatePostgres>,
}

/// Where the parts of a service connect to.
pub(crate) struct Addresses {
    /// The primary; a replica of role read may lack it.
    pub(crate) primary: Option<Address>,
    pub(crate) standby: Option<Address>,
    /// Where migrations may be applied from here: set, or one role for all.
    pub(crate) migrate: Option<Address>,
    /// Whether the cluster is ours, so that its roles are ours to make.
    pub(crate) is_private: bool,
}

impl Session {
    /// Opens the database for a command.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let private = match &config.database {
            DatabaseConfig::Private(private) => {
                let attached = PrivatePostgres::attach_or_start(&private.data_dir, &private.user).await;
                Some(attached.map_err(|error| match error {
                    PrivatePostgresError::NoCluster { .. } => anyhow::Error::from(Misconfigured(error.to_string())),
                    _ => error.into(),
                })?)
            }
            DatabaseConfig::External(_) => None,
        };
        let addresses = addresses(config, private.as_ref())?;
        if addresses.is_private && private.as_ref().is_some_and(PrivatePostgres::is_owned) {
            super::migrate::apply(&addresses).await?;
        }
        let db = Database::new(
            addresses.primary.as_ref(),
            None,
            pools(&config.database),
            options(config),
        )?;
        Ok(Self { db, private })
    }

    /// Ends what `open` began.
    pub(crate) async fn close(self) {
        self.db.close();
        if let Some(private) = self.private {
            private.stop().await;
        }
    }
}

/// Runs `work` on the database of `config` and closes it whatever happens. Raises [`NoDatabase`] within [`PATIENCE`] when it does not
/// answer, whatever `work` would have waited for.
pub(crate) async fn with<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Database) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let session = Session::open(config).await?;
    let outcome = match session.db.reach(PATIENCE).await {
        Ok(()) => work(&session.db).await,
        Err(reason) => Err(NoDatabase(reason).into()),
    };
    session.close().await;
    outcome
}

/// Where to connect to.
pub(crate) fn addresses(config: &Config, private: Option<&PrivatePostgres>) -> anyhow::Result<Addresses> {
    let settings = config.database.settings();
    let parse = |text: &str| {
        Address::parse(text, settings.ca_file.as_deref(), settings.connect_timeout)
            .map_err(|error| Misconfigured(format!("{error:#}")))
    };
    let given = |uri: Option<&Secret>, password: Option<&Secret>| {
        let address = uri.map(|uri| parse(uri.expose())).transpose()?;
        anyhow::Ok(address.map(|address| address.with_password(password)))
    };
    match (&config.database, private) {
        (DatabaseConfig::External(external), _) => Ok(Addresses {
            primary: given(external.uri.as_ref(), settings.password.as_ref())?,
            standby: given(external.read_uri.as_ref(), settings.read_password.as_ref())?,
            migrate: given(external.migrate_uri.as_ref(), settings.migrate_password.as_ref())?,
            is_private: false,
        }),
        (DatabaseConfig::Private(_), Some(private)) => Ok(Addresses {
            primary: Some(parse(&private.uri(DatabaseRole::App))?),
            standby: None,
            migrate: Some(parse(&private.uri(DatabaseRole::Owner))?),
            is_private: true,
        }),
        (DatabaseConfig::Private(_), None) => anyhow::bail!("the private PostgreSQL is not running"),
    }
}

/// How the pools are built.
pub(crate) fn pools(database: &DatabaseConfig) -> Settings {
    let settings = database.settings();
    Settings {
        pool_size: settings.pool_size,
        read_pool_size: settings.read_pool_size,
        wait_timeout: settings.wait_timeout,
        // The driver's time-out covers TCP alone; the handshake gets the same again.
        create_timeout: settings.connect_timeout,
        recycle_timeout: settings.recycle_timeout,
        statement_timeout: settings.statement_timeout,
        write_deadline: settings.write_deadline,
        read_staleness: settings.read_staleness,
        prepared_statements: settings.prepared_statements || matches!(database, DatabaseConfig::Private(_)),
        primary_threads: None,
    }
}

/// What SQL functions need of the settings.
pub(crate) fn options(config: &Config) -> Options {
    Options::new(&config.provisioning)
}

/// Who acts on the command line: the user of the operating system. Who stands behind sudo is told beside him, for what it is worth.
pub(crate) fn origin() -> Origin {
    Origin {
        actor: format!("os:{}", super::operator::name()),
        path: "cli",
        request_id: uuid::Uuid::new_v4().simple().to_string(),
        address: rollcall::config::sudo_uid().map(|uid| format!("sudo-uid:{uid}")),
    }
}
