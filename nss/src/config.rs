//! `/etc/rstudio/workbench-nss.conf`: Workbench's four keys, and ours.
//!
//! The format is that of `rserver.conf`: `key=value`, `#` comments. The reader never fails on a key that it does not know or a number that it
//! cannot read (the default holds), because a typing error must not lock people out; `rollcall-node check` reports both.

mod address;
mod file;
mod parse;

pub use address::{Address, Scheme};
pub use file::{SafeFileError, read_safe};
pub use parse::{Finding, parse};

use crate::rules::IdRange;

/// The one place of the configuration. Fixed: neither environment nor `XDG_CONFIG_DIRS` move it.
pub const CONFIG_PATH: &str = "/etc/rstudio/workbench-nss.conf";
/// Longest configuration file that is read, in bytes.
pub const CONFIG_MAX: usize = 64 << 10;
/// Most server addresses that are used; further ones are ignored.
pub const ADDRESSES_MAX: usize = 8;

/// When a process may ask the service itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectMode {
    /// When no node agent answers.
    #[default]
    Auto,
    /// Never: the map or nothing.
    Never,
}

/// What the module and the agent need to know of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `server-address`: where to ask, in this order; separated by commas or blanks.
    pub addresses: Vec<Address>,
    /// `admin-token-path`: token of processes with effective uid 0.
    pub admin_token_path: String,
    /// `user-token-path`: token of everyone else.
    pub user_token_path: String,
    /// `verify-ssl-certs`: anything but 0 verifies.
    pub verify: bool,
    /// `ca-file`: PEM; None = the system's bundle.
    pub ca_file: Option<String>,
    /// `connect-timeout-ms`, for one address.
    pub connect_timeout_ms: u64,
    /// `request-timeout-ms`, for the whole question over all addresses.
    pub request_timeout_ms: u64,
    /// `breaker-retry-ms`: how long nobody asks again after a failure.
    pub breaker_retry_ms: u64,
    /// `cache-ttl-s`: upper bound of `max-age` of an answer.
    pub ttl_s: u64,
    /// `negative-cache-ttl-s`: upper bound of `max-age` of "there is none".
    pub negative_ttl_s: u64,
    /// `stale-if-error-s`: upper bound of `stale-if-error`.
    pub stale_s: u64,
    /// `enumerate`: 0 makes `getpwent` and `getgrent` answer nothing.
    pub enumerate: bool,
    /// `direct-mode`: `auto` or `never`.
    pub direct: DirectMode,
    /// `minimum-id`, `maximum-id`.
    pub ids: IdRange,
    /// `home-skel`: what a new home directory begins with.
    pub home_skel: String,
    /// `home-mode`: mode of a new home directory; what it denies others is denied them inside too.
    pub home_mode: u32,
    /// `home-hook`: a program that makes home directories instead.
    pub home_hook: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            admin_token_path: "/etc/rstudio/admin-token".to_owned(),
            user_token_path: "/etc/rstudio/user-token".to_owned(),
            verify: true,
            ca_file: None,
            connect_timeout_ms: 300,
            request_timeout_ms: 900,
            breaker_retry_ms: 2000,
            ttl_s: 60,
            negative_ttl_s: 5,
            stale_s: 86_400,
            enumerate: true,
            direct: DirectMode::Auto,
            ids: IdRange::default(),
            home_skel: "/etc/skel".to_owned(),
            home_mode: 0o700,
            home_hook: None,
        }
    }
}

impl Config {
    /// Reads the file at `path` (owned by root, writable by nobody else) and drops the findings.
    pub fn load(path: &str) -> Result<Self, SafeFileError> {
        let text = read_safe(path, CONFIG_MAX)?;
        Ok(parse(&String::from_utf8_lossy(&text)).0)
    }
}

#[cfg(test)]
mod tests;
