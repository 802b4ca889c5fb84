//! The one source of absolute addresses: `meta.location`, redirect URIs, the SAML ACS.

use std::fmt;

use super::error::ConfigError;
use super::sources::Values;

/// An http or https URL with a host, without user information, query, fragment and trailing slash (RFC 3986 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL of `text`, or nothing when it is not one of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let scheme = ["https://", "http://"]
            .into_iter()
            .find(|scheme| lower.starts_with(scheme))?;
        let rest = text.get(scheme.len()..)?;
        if !rest.bytes().all(is_url_byte) || rest.contains("//") || rest.ends_with('/') {
            return None;
        }
        let authority = rest.split('/').next()?;
        is_authority(authority).then(|| Self(format!("{scheme}{rest}")))
    }

    /// The URL of a plain address; `scheme` is `http` or `https`.
    pub(super) fn of_address(scheme: &str, address: std::net::SocketAddr) -> Self {
        Self(format!("{scheme}://{address}"))
    }

    /// Whether browsers and providers reach the service by TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The host: a name, or an address without the brackets that an IPv6 one has in a URL.
    pub fn host(&self) -> &str {
        let authority = self.0.split("//").nth(1).unwrap_or_default();
        let authority = authority.split('/').next().unwrap_or_default();
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    /// The URL as text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Unreserved, percent and what is allowed in a host, a port or a path; `@`, `?` and `#` are left out on purpose.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%:/[]+,;=!$&'()*".contains(&byte)
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rfind(']') {
        Some(end) if authority.starts_with('[') => {
            let (host, rest) = authority.split_at(end + 1);
            let address = host.trim_start_matches('[').trim_end_matches(']');
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            if rest.is_empty() {
                (host, None)
            } else {
                (host, rest.strip_prefix(':').or(Some("")))
            }
        }
        _ => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_host_name = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    !host.is_empty()
        && (host.starts_with('[') || is_host_name)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0))
}

/// Raises an address of somebody else's that is not http or https; unlike ours it may have a query and end in a slash.
pub(super) fn check_web_address(name: &str, address: Option<&str>, values: &Values) -> Result<(), ConfigError> {
    let is_web = |address: &str| {
        ["https://", "http://"]
            .iter()
            .any(|scheme| address.starts_with(*scheme))
    };
    match address {
        Some(address) if !is_web(address) || address.contains(char::is_whitespace) => {
            Err(values.contradiction(name, format!("{name} = {address:?}: expected an http or https URL")))
        }
        _ => Ok(()),
    }
}
