//! A client of the read API: several addresses within one deadline, one kept connection, no threads.

mod connection;

use crate::config::{Config, SafeFileError, Scheme};
use crate::contract::{BODY_MAX, is_cursor_gone, is_not_found};
use crate::http::{Request, Response};
use crate::resolve::resolve;
use crate::token::token;
use connection::Connection;
use rustls::ClientConfig;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a name's addresses are kept.
const NAMES_TTL: Duration = Duration::from_mins(1);
/// How long an idle connection is used again: below the usual keep-alive time of servers.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Why no answer came that means anything. All but the first are "cannot know".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No usable token, no address.
    Unconfigured,
    /// No descriptor or memory left in this process.
    Local,
    /// Nothing in time.
    TimedOut,
    /// Nobody there, a wrong certificate, garbage, a status that says nothing about the question.
    Failed,
}

/// What the service said.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// 200.
    Yes(Response),
    /// 304.
    Unchanged(Response),
    /// 404, in the service's own words.
    None(Response),
    /// 410, in the service's own words.
    Gone,
}

/// How what a client has learnt comes to be outdated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outdates {
    /// It follows the change feed.
    WithTheFeed,
    /// Its cache keeps answers for `cache-ttl-s` at most.
    AfterTtl,
}

/// The value of `Rollcall-Node` (CONTRACT.md §1); empty where the machine has no name that could stand there.
fn announcement(config: &Config, outdates: Outdates) -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_str().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
        return String::new();
    }
    match outdates {
        Outdates::WithTheFeed => format!("{name}; feed"),
        Outdates::AfterTtl => format!("{name}; cache-ttl={}", config.ttl_s),
    }
}

/// A client; all its state lives and dies with it.
#[derive(Debug)]
pub struct Client {
    config: Config,
    announcement: String,
    kept: Mutex<Vec<Connection>>,
    keep: usize,
    tls: Mutex<Option<Arc<ClientConfig>>>,
    names: Mutex<HashMap<String, (Vec<IpAddr>, Instant)>>,
    preferred: AtomicUsize,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// A client that keeps at most `keep` connections.
    pub fn new(config: Config, keep: usize, outdates: Outdates) -> Self {
        Self {
            announcement: announcement(&config, outdates),
            config,
            keep,
            kept: Mutex::default(),
            tls: Mutex::default(),
            names: Mutex::default(),
            preferred: AtomicUsize::new(0),
        }
    }

    /// The configuration it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Asks for `target` below `/nss/v1` within `limit`. Addresses are tried in order, the one that last answered first; each gets its share of
    /// the time that is left.
    pub fn get(&self, target: &str, admin: bool, etag: Option<&str>, limit: Duration) -> Result<Said, Fault> {
        let deadline = Instant::now() + limit;
        let count = self.config.addresses.len();
        let first = self.preferred.load(Relaxed);
        let mut fault = Fault::Unconfigured;
        for attempt in 0..count {
            let index = (first + attempt) % count;
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return Err(Fault::TimedOut);
            };
            let share = left / u32::try_from(count - attempt).unwrap_or(1);
            match self.try_address(index, target, admin, etag, Instant::now() + share) {
                Ok(said) => {
                    self.preferred.store(index, Relaxed);
                    return Ok(said);
                }
                // A later address without a token does not hide what the earlier one did.
                Err(Fault::Unconfigured) if attempt > 0 => {}
                Err(this) => fault = this,
            }
        }
        Err(fault)
    }

    fn try_address(
        &self,
        index: usize,
        target: &str,
        admin: bool,
        etag: Option<&str>,
        deadline: Instant,
    ) -> Result<Said, Fault> {
        let address = self.config.addresses.get(index).ok_or(Fault::Unconfigured)?;
        let token = token(&self.config, address, admin).map_err(|error| match error {
            SafeFileError::Transient => Fault::Local,
            SafeFileError::Missing | SafeFileError::Denied | SafeFileError::Unsafe => Fault::Unconfigured,
        })?;
        let request = Request {
            target: &format!("{}/nss/v1{target}", address.prefix),
            host: &address.host_header(),
            token: &token,
            node: &self.announcement,
            etag,
            body_max: BODY_MAX,
        };
        let response =
            self.exchange(index, &request, deadline)
                .map_err(|error| match (error.kind(), error.raw_os_error()) {
                    (io::ErrorKind::TimedOut, _) => Fault::TimedOut,
                    (_, Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)) => Fault::Local,
                    _ => Fault::Failed,
                })?;
        match response.status {
            200 => Ok(Said::Yes(response)),
            304 if etag.is_some() => Ok(Said::Unchanged(response)),
            404 if is_not_found(&response.body) => Ok(Said::None(response)),
            410 if is_cursor_gone(&response.body) => Ok(Said::Gone),
            _ => Err(Fault::Failed),
        }
    }

    fn exchange(&self, index: usize, request: &Request<'_>, deadline: Instant) -> io::Result<Response> {
        if let Some(mut connection) = self.take(index) {
            match connection.exchange(request, deadline) {
                Ok(response) => {
                    self.put(connection, &response);
                    return Ok(response);
                }
                // The server has closed an idle connection: no fault of anybody's, a new one will do.
                Err(error) if error.kind() != io::ErrorKind::TimedOut => {}
                Err(error) => return Err(error),
            }
        }
        let mut connection = self.open(index, deadline)?;
        let response = connection.exchange(request, deadline)?;
        self.put(connection, &response);
        Ok(response)
    }

    fn take(&self, index: usize) -> Option<Connection> {
        let mut kept = locked(&self.kept);
        let place = kept.iter().position(|connection| connection.address == index)?;
        let connection = kept.swap_remove(place);
        drop(kept);
        if !connection.is_own() {
            connection.forget();
            return None;
        }
        (connection.idle() < IDLE_MAX).then_some(connection)
    }

    fn put(&self, connection: Connection, response: &Response) {
        let mut kept = locked(&self.kept);
        if response.keep && kept.len() < self.keep {
            kept.push(connection);
        }
    }

    fn open(&self, index: usize, deadline: Instant) -> io::Result<Connection> {
        let address = self.config.addresses.get(index).ok_or(io::ErrorKind::InvalidInput)?;
        let connect_limit = Duration::from_millis(self.config.connect_timeout_ms);
        if address.scheme == Scheme::Unix {
            return Connection::unix(index, &address.host, deadline.min(Instant::now() + connect_limit));
        }
        let tls = if address.scheme == Scheme::Https {
            Some(self.tls()?)
        } else {
            None
        };
        let mut fault = io::ErrorKind::NotFound.into();
        for ip in self.addresses_of(&address.host, deadline)? {
            let limit = deadline.min(Instant::now() + connect_limit);
            match Connection::tcp(index, (ip, address.port).into(), tls.clone(), &address.host, limit) {
                Ok(connection) => return Ok(connection),
                Err(error) => fault = error,
            }
        }
        Err(fault)
    }

    fn tls(&self) -> io::Result<Arc<ClientConfig>> {
        let mut slot = locked(&self.tls);
        if let Some(tls) = slot.as_ref() {
            return Ok(Arc::clone(tls));
        }
        let tls = crate::tls::client_config(&self.config)?;
        *slot = Some(Arc::clone(&tls));
        Ok(tls)
    }

    fn addresses_of(&self, host: &str, deadline: Instant) -> io::Result<Vec<IpAddr>> {
        if let Ok(literal) = host.parse() {
            return Ok(vec![literal]);
        }
        let known = locked(&self.names).get(host).cloned();
        if let Some((addresses, until)) = &known
            && Instant::now() < *until
        {
            return Ok(addresses.clone());
        }
        match (resolve(host, deadline), known) {
            (Ok(addresses), _) => {
                let until = Instant::now() + NAMES_TTL;
                locked(&self.names).insert(host.to_owned(), (addresses.clone(), until));
                Ok(addresses)
            }
            // An old address beats none.
            (Err(_), Some((addresses, _))) => Ok(addresses),
            (Err(error), None) => Err(error),
        }
    }
}
