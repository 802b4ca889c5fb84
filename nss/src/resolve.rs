//! Host names → addresses within a deadline: `/etc/hosts`, then DNS. No thread, no environment, no NSS, unlike `getaddrinfo`.

mod dns;

use crate::net::left;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Most addresses of one name that are tried.
pub const ADDRESSES_MAX: usize = 4;
/// Most name servers and search domains that are used (`resolv.conf(5)`).
const SERVERS_MAX: usize = 3;
const SEARCH_MAX: usize = 6;
/// Largest `/etc/hosts` or `/etc/resolv.conf` that is read, bytes.
const FILE_MAX: u64 = 1 << 20;
/// How long one name server may take, if the deadline leaves as much.
const SERVER_LIMIT: Duration = Duration::from_millis(400);

/// Addresses of `host`: an IP literal, a line of `/etc/hosts`, or what a name server says.
pub fn resolve(host: &str, deadline: Instant) -> io::Result<Vec<IpAddr>> {
    if let Ok(literal) = host.parse() {
        return Ok(vec![literal]);
    }
    let from_file = in_hosts(&read("/etc/hosts"), host);
    if !from_file.is_empty() {
        return Ok(from_file);
    }
    let settings = Settings::parse(&read("/etc/resolv.conf"));
    for name in settings.candidates(host) {
        // IPv4 first: most deployments have nothing else, and each question costs a round trip.
        for kind in [dns::A, dns::AAAA] {
            let addresses = settings.ask(&name, kind, deadline)?;
            if !addresses.is_empty() {
                return Ok(addresses);
            }
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn read(path: &str) -> String {
    let mut text = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        let _ = io::Read::read_to_end(&mut io::Read::take(file, FILE_MAX), &mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let host = host.trim_end_matches('.');
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or("").split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else {
            continue;
        };
        if words.any(|word| word.eq_ignore_ascii_case(host)) && found.len() < ADDRESSES_MAX {
            found.push(address);
        }
    }
    found
}

/// `resolv.conf(5)`: what of it is needed.
#[derive(Debug)]
struct Settings {
    servers: Vec<IpAddr>,
    search: Vec<String>,
    ndots: usize,
}

impl Settings {
    fn parse(text: &str) -> Self {
        let mut settings = Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") if settings.servers.len() < SERVERS_MAX => {
                    settings
                        .servers
                        .extend(words.next().and_then(|word| word.parse::<IpAddr>().ok()));
                }
                Some("search" | "domain") => settings.search = words.take(SEARCH_MAX).map(str::to_owned).collect(),
                Some("options") => {
                    let mut ndots = words
                        .filter_map(|word| word.strip_prefix("ndots:"))
                        .filter_map(|n| n.parse().ok());
                    settings.ndots = ndots.next_back().unwrap_or(settings.ndots).min(15);
                }
                _ => {}
            }
        }
        if settings.servers.is_empty() {
            settings.servers.push(IpAddr::from([127, 0, 0, 1]));
        }
        settings
    }

    /// The full names to ask for, in the order of the C library.
    fn candidates(&self, host: &str) -> Vec<String> {
        if let Some(absolute) = host.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let mut names: Vec<String> = self.search.iter().map(|domain| format!("{host}.{domain}")).collect();
        let plain = if host.matches('.').count() >= self.ndots {
            0
        } else {
            names.len()
        };
        names.insert(plain, host.to_owned());
        names
    }

    fn ask(&self, name: &str, kind: u16, deadline: Instant) -> io::Result<Vec<IpAddr>> {
        let mut failure = io::ErrorKind::TimedOut.into();
        for &server in &self.servers {
            let limit = Instant::now() + left(deadline)?.min(SERVER_LIMIT);
            match dns::ask(SocketAddr::new(server, 53), name, kind, limit) {
                Ok(addresses) => return Ok(addresses),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

#[doc(hidden)]
pub use dns::addresses as parse_dns_answer;

#[cfg(test)]
mod tests;
