//! One `server-address`: `unix:/path`, `http://host[:port][/prefix]` or `https://…`.

use crate::rules::FIELD_MAX;

/// How an address is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A unix socket of this node.
    Unix,
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// Where a read endpoint listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Transport.
    pub scheme: Scheme,
    /// Path of the socket, or host name, or IP literal without brackets.
    pub host: String,
    /// TCP port; 0 for a unix socket.
    pub port: u16,
    /// Path before `/nss/v1`, without a slash at its end; usually empty.
    pub prefix: String,
}

impl Address {
    /// Reads one address; None when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > FIELD_MAX || !text.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
            return None;
        }
        if let Some(path) = text.strip_prefix("unix:") {
            let absolute = path.starts_with('/').then(|| path.to_owned())?;
            return Some(Self {
                scheme: Scheme::Unix,
                host: absolute,
                port: 0,
                prefix: String::new(),
            });
        }
        let (scheme, rest, default_port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (Scheme::Https, rest, 443),
            (None, Some(rest)) => (Scheme::Http, rest, 80),
            (None, None) => return None,
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_authority(authority)?;
        let port = port.map_or(Some(default_port), |digits| {
            digits.parse().ok().filter(|&port| port != 0)
        })?;
        if host.is_empty() || prefix.contains(['?', '#']) || authority.contains('@') {
            return None;
        }
        Some(Self {
            scheme,
            host: host.to_owned(),
            port,
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }

    /// Value of the `Host` header (RFC 9110 §7.2).
    pub fn host_header(&self) -> String {
        match self.scheme {
            Scheme::Unix => "localhost".to_owned(),
            Scheme::Http | Scheme::Https if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            Scheme::Http | Scheme::Https => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether a secret may travel there: TLS, this node's own socket, or loopback.
    pub fn is_confidential(&self) -> bool {
        match self.scheme {
            Scheme::Unix | Scheme::Https => true,
            Scheme::Http => {
                self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}

fn split_authority(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if after.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}
