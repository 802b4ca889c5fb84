//! Identity headers of a proxy that signs people in: who may send them, and what they say.

use std::net::IpAddr;

use subtle::ConstantTimeEq;

use super::assertion::{Assertion, Claims, Groups, Method};
use super::networks::Networks;
use super::refusal::{Reason, Refusal};
use crate::config::{Access, Secret};

/// Longest value of an identity header, in bytes; the groups header may be as long as a request's head.
const USER_BYTES: usize = 1024;

/// How the headers of the proxy are read.
#[derive(Debug, Clone)]
pub struct ProxyHeaders {
    networks: Networks,
    user: String,
    groups: Option<String>,
    separator: String,
    secret: Option<(String, Secret)>,
}

impl ProxyHeaders {
    /// Reads the settings; raises networks that are none.
    pub fn new(access: &Access) -> anyhow::Result<Self> {
        Ok(Self {
            networks: Networks::parse(&access.proxy_trusted_networks)?,
            user: access.proxy_user_header.to_ascii_lowercase(),
            groups: access.proxy_groups_header.as_deref().map(str::to_ascii_lowercase),
            separator: access.proxy_groups_separator.clone(),
            secret: access
                .proxy_secret
                .clone()
                .map(|secret| (access.proxy_secret_header.to_ascii_lowercase(), secret)),
        })
    }

    /// The assertion that the header fields of a request make. `peer` is the address at the other end of the connection:
    /// what the request says about that counts for nothing.
    ///
    /// Raises `untrusted_proxy` for a stranger and a wrong secret; `malformed_headers` for a field that comes twice, a
    /// name with `_` for `-`, a comma in the user name, or text that is not UTF-8; `user_name` when nobody is named.
    pub fn assertion(&self, peer: Option<IpAddr>, fields: &[(&str, &[u8])]) -> Result<Assertion, Refusal> {
        let stranger = |detail: &str| Err(Refusal::new(Reason::UntrustedProxy, detail));
        if !peer.is_some_and(|peer| self.networks.contain(peer)) {
            return stranger("the connection does not come from auth-proxy-trusted-networks");
        }
        if let Some((name, secret)) = &self.secret {
            let sent = one(name, fields)?.unwrap_or_default();
            if !bool::from(sent.as_bytes().ct_eq(secret.expose().as_bytes())) {
                return stranger("the shared secret of the proxy is missing or wrong");
            }
        }
        let user_name = one(&self.user, fields)?.unwrap_or_default();
        let groups = match &self.groups {
            None => Groups::Unknown,
            Some(name) => Groups::from_header(one(name, fields)?, &self.separator),
        };
        if user_name.is_empty() {
            return Err(Refusal::new(Reason::UserName, "the headers name nobody"));
        }
        if user_name.contains(',') || user_name.len() > USER_BYTES {
            return Err(malformed("the user header holds several names, or a very long one"));
        }
        Ok(Assertion {
            method: Method::Headers,
            provider: "headers".to_owned(),
            user_name: user_name.to_owned(),
            subject: None,
            issued_at: None,
            claims: Claims::default(),
            groups,
        })
    }
}

/// The only value of a header field; `None` when it was not sent.
fn one<'a>(name: &str, fields: &[(&str, &'a [u8])]) -> Result<Option<&'a str>, Refusal> {
    let mut found = None;
    for (sent, value) in fields {
        if sent.eq_ignore_ascii_case(name) {
            if found.is_some() {
                return Err(malformed("an identity header comes twice"));
            }
            found = Some(std::str::from_utf8(value).map_err(|_| malformed("an identity header is not UTF-8"))?);
        } else if sent.contains('_') && sent.replace('_', "-").eq_ignore_ascii_case(&name.replace('_', "-")) {
            return Err(malformed("a header disguises itself as an identity header"));
        }
    }
    Ok(found)
}

fn malformed(detail: &str) -> Refusal {
    Refusal::new(Reason::MalformedHeaders, detail)
}

#[cfg(test)]
mod tests;
