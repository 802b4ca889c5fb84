//! The settings of Rollcall: one table, three spellings, read once at start into a typed [`Config`].
//!
//! A setting has one name, `user-provisioning-start-uid`, and may be given as the flag
//! `--user-provisioning-start-uid`, as the environment variable `ROLLCALL_USER_PROVISIONING_START_UID`, or as a
//! `key=value` line of the configuration file. Flag beats environment beats file beats default. A secret may also come
//! from a file named by `<name>-file` in any of the three.
//!
//! Each section below states its settings once, in the `section!` table: field, type, name, default, bounds and the
//! sentence that documents it. Parsing, `rollcall config`, the command line's flags and the chart's schema are derived
//! from [`settings`].

mod access;
mod database;
mod effective;
mod environment;
mod error;
mod file;
mod limits;
mod listeners;
mod logging;
mod nearest;
mod openid;
mod provisioning;
mod public_url;
mod saml;
mod scim;
mod secret;
mod setting;
mod sources;
#[cfg(test)]
mod tests;
mod tracing;
mod value;
mod workbench;

pub use access::{Access, Overage};
pub use database::{Database, DatabaseSettings, External, Private};
pub use effective::Effective;
pub use environment::{program_folders, sudo_uid, temporary_folder};
pub use error::{ConfigError, Warning};
pub use limits::Limits;
pub use listeners::{Listener, Listeners, Role, TlsFiles};
pub use logging::{LogFormat, Logging};
pub use openid::OpenId;
pub use provisioning::{Collision, Provisioning, ReconcileScope};
pub use public_url::PublicUrl;
pub use saml::Saml;
pub use scim::Scim;
pub use secret::Secret;
pub use setting::{Kind, Setting};
pub use sources::{ConfigFile, Origin, Sources};
pub use tracing::Tracing;

/// Where the configuration file is when neither `--config` nor `ROLLCALL_CONFIG` names one; it may be absent.
pub const DEFAULT_FILE: &str = "/etc/rollcall/rollcall.conf";

/// Every setting of the service, typed and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// What this replica offers, and on which addresses.
    pub listeners: Listeners,
    /// Which PostgreSQL holds the state.
    pub database: Database,
    /// How users and groups get their POSIX identity.
    pub provisioning: Provisioning,
    /// The SCIM service.
    pub scim: Scim,
    /// Sign-in: switches, gates and proxied headers.
    pub access: Access,
    /// Sign-in by OpenID Connect.
    pub openid: OpenId,
    /// Sign-in by SAML.
    pub saml: Saml,
    /// What is logged, and how.
    pub logging: Logging,
    /// Which requests are traced, and where their spans go.
    pub tracing: Tracing,
    /// Bounds on what clients may ask of this process.
    pub limits: Limits,
    effective: Vec<Effective>,
}

impl Config {
    /// Reads every source, checks each value and their combinations, and returns the typed settings with what is worth
    /// a warning.
    ///
    /// Raises the first [`ConfigError`] found, which names the place (file and line, variable or flag) and what was
    /// expected there. No value of a secret ever appears in an error.
    pub fn load(sources: &Sources) -> Result<(Self, Vec<Warning>), ConfigError> {
        let (values, warnings) = sources.collect()?;
        let listeners = Listeners::read(&values)?;
        listeners.check(&values)?;
        let database = Database::resolve(&DatabaseSettings::read(&values)?, &listeners, &values)?;
        let provisioning = Provisioning::read(&values)?;
        provisioning.check(&values)?;
        let scim = Scim::read(&values)?.with_token_path_of_workbench(sources);
        scim.check(&values)?;
        let access = Access::read(&values)?;
        access.check(listeners.proxy_listen.is_some(), &values)?;
        let openid = OpenId::read(&values)?;
        openid.check(&values)?;
        let saml = Saml::read(&values)?;
        saml.check(&values)?;
        let config = Self {
            listeners,
            database,
            provisioning,
            scim,
            access,
            openid,
            saml,
            logging: Logging::read(&values)?,
            tracing: Tracing::read(&values)?,
            limits: Limits::read(&values)?,
            effective: effective::of(&values),
        };
        Ok((config, warnings))
    }

    /// Every setting with its value, secrets hidden, and where the value came from, in the order of the table.
    pub fn effective(&self) -> impl Iterator<Item = &Effective> {
        self.effective.iter()
    }
}

/// The table of settings, section by section: what everything else about settings is derived from.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    [
        listeners::SETTINGS,
        database::SETTINGS,
        provisioning::SETTINGS,
        scim::SETTINGS,
        access::SETTINGS,
        openid::SETTINGS,
        saml::SETTINGS,
        logging::SETTINGS,
        tracing::SETTINGS,
        limits::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// The setting of that exact name.
pub fn setting(name: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.name == name)
}
