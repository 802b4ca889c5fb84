//! Which PostgreSQL holds the state: one that is given, or a private one that must be asked for explicitly.

use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::listeners::{Listeners, Role};
use super::secret::Secret;
use super::setting::section;
use super::sources::Values;

section! {
    /// The database settings as given; [`Database`] is what they mean.
    struct DatabaseSettings, "Database" {
        /// Connection string of the primary, role app; several hosts with `target_session_attrs=read-write` allowed.
        uri: Option<Secret> = "database-uri";
        /// Connection string of the standbys, role read; without it reads use the primary.
        read_uri: Option<Secret> = "database-read-uri";
        /// Direct connection string of the primary, role migrate; when set, `serve` migrates at start.
        migrate_uri: Option<Secret> = "database-migrate-uri";
        /// Password for `database-uri`, when the string holds none; a file needs no escaping.
        password: Option<Secret> = "database-password";
        /// Password for `database-read-uri`, when the string holds none.
        read_password: Option<Secret> = "database-read-password";
        /// Password for `database-migrate-uri`, when the string holds none.
        migrate_password: Option<Secret> = "database-migrate-password";
        /// Certificate authorities (PEM) that sign the database's certificate; not set, the system's.
        ca_file: Option<PathBuf> = "database-ca-file";
        /// Connections to the primary for SCIM and sign-in.
        pool_size: usize = "database-pool-size", default "16", within 1..=1000;
        /// Connections to the standbys; without `database-read-uri`, to the primary for what nodes read. With it they have four there.
        read_pool_size: usize = "database-read-pool-size", default "16", within 1..=1000;
        /// Longest time for making one connection, in seconds.
        connect_timeout: Duration = "database-connect-timeout", default "3", within 1..=60;
        /// Longest time for waiting for a free connection, in seconds.
        wait_timeout: Duration = "database-wait-timeout", default "3", within 1..=60;
        /// Longest time for checking a connection before use, in seconds.
        recycle_timeout: Duration = "database-recycle-timeout", default "1", within 1..=60;
        /// Longest time for one statement, in seconds.
        statement_timeout: Duration = "database-statement-timeout", default "5", within 1..=600;
        /// Longest time for one write with its retries over a failover, in seconds.
        write_deadline: Duration = "database-write-deadline", default "25", within 1..=600;
        /// Keep statements prepared on each connection: reads cost the server half. Off behind a pooler in transaction mode;
        /// the private PostgreSQL has it on.
        prepared_statements: bool = "database-prepared-statements", default "0";
        /// A standby further behind than this may not say "not found", in seconds.
        read_staleness: Duration = "database-read-staleness", default "5", within 1..=3600;
        /// Folder of a private PostgreSQL on this machine, used when there is no `database-uri` and `listen` is
        /// loopback.
        data_dir: Option<PathBuf> = "data-dir";
        /// Local account that the private PostgreSQL runs as when the service is started by root.
        private_user: String = "private-postgres-user", default "postgres";
    }
}

/// Which PostgreSQL holds the state.
#[derive(Clone, Debug)]
pub enum Database {
    /// One that somebody else runs.
    External(External),
    /// One of our own: one machine, not highly available.
    Private(Private),
}

/// A PostgreSQL that somebody else runs.
#[derive(Clone, Debug)]
pub struct External {
    /// Connection string of the primary; role `read` may lack it.
    pub uri: Option<Secret>,
    /// Connection string of the standbys.
    pub read_uri: Option<Secret>,
    /// Connection string for migrations.
    pub migrate_uri: Option<Secret>,
    /// Pools, timeouts, certificate authorities.
    pub settings: DatabaseSettings,
}

/// A PostgreSQL of our own.
#[derive(Clone, Debug)]
pub struct Private {
    /// Its folder.
    pub data_dir: PathBuf,
    /// The account it runs as when the service is started by root.
    pub user: String,
    /// Pools and timeouts.
    pub settings: DatabaseSettings,
}

impl Database {
    /// Pools, timeouts and certificate authorities, whichever database it is.
    pub fn settings(&self) -> &DatabaseSettings {
        match self {
            Self::External(external) => &external.settings,
            Self::Private(private) => &private.settings,
        }
    }

    /// What the settings mean; raises what does not fit. A private database is never chosen silently: a forgotten
    /// secret would give each replica one of its own.
    pub(super) fn resolve(
        settings: &DatabaseSettings,
        listeners: &Listeners,
        values: &Values,
    ) -> Result<Self, ConfigError> {
        if settings.write_deadline < settings.statement_timeout {
            return Err(values.contradiction(
                "database-write-deadline",
                "database-write-deadline is shorter than database-statement-timeout: no write could be retried",
            ));
        }
        match (&settings.data_dir, listeners.role) {
            (None, Role::All) if settings.uri.is_none() => Err(ConfigError::Missing(
                "database-uri is not set. For a private PostgreSQL on this machine set data-dir instead".to_owned(),
            )),
            (None, Role::Read) if settings.uri.is_none() && settings.read_uri.is_none() => Err(ConfigError::Missing(
                "database-read-uri is not set: role read reads from the standbys".to_owned(),
            )),
            (None, _) => Ok(Self::External(External {
                uri: settings.uri.clone(),
                read_uri: settings.read_uri.clone(),
                migrate_uri: settings.migrate_uri.clone(),
                settings: settings.clone(),
            })),
            (Some(data_dir), role) => {
                private_stands_alone(settings, listeners, role, values)?;
                Ok(Self::Private(Private {
                    data_dir: data_dir.clone(),
                    user: settings.private_user.clone(),
                    settings: settings.clone(),
                }))
            }
        }
    }
}

fn private_stands_alone(
    settings: &DatabaseSettings,
    listeners: &Listeners,
    role: Role,
    values: &Values,
) -> Result<(), ConfigError> {
    let uris = [
        ("database-uri", &settings.uri),
        ("database-read-uri", &settings.read_uri),
        ("database-migrate-uri", &settings.migrate_uri),
    ];
    if let Some((name, _)) = uris.into_iter().find(|(_, uri)| uri.is_some()) {
        let fault = format!("{name} and data-dir exclude each other: is the database given or private?");
        return Err(values.contradiction(name, fault));
    }
    if role == Role::Read {
        let fault = "role read has no private database: set database-read-uri instead of data-dir";
        return Err(values.contradiction("role", fault));
    }
    if !listeners.listen.ip().is_loopback() {
        let fault = format!(
            "database-uri is not set, and a private PostgreSQL in data-dir serves one machine only: listen = {} is not a loopback address",
            listeners.listen
        );
        return Err(values.contradiction("listen", fault));
    }
    Ok(())
}
