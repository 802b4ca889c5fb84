//! Logout tokens: the provider says that a session of its own is over (OpenID Connect Back-Channel Logout 1.0 §2.4 – §2.6).

use std::str::FromStr as _;

use openidconnect::core::CoreIdToken;
use openidconnect::{JsonWebTokenType, NormalizedJsonWebTokenType};
use serde_json::{Map, Value};

use super::{OpenId, invalid, keys};
use crate::login::openid::claims;
use crate::login::refusal::Refusal;

/// The event that a logout token must carry.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Longest logout token, in bytes.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// Whose sessions are over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutNotice {
    /// The person.
    pub subject: String,
    /// The provider's session; `None` for all of the person's.
    pub provider_session: Option<String>,
}

impl OpenId {
    /// Verifies a logout token. Stricter than the standard in one point: it must name the person, not the session alone.
    /// Raises `invalid_assertion` and `provider_unavailable`.
    pub async fn logout_notice(&self, token: &str) -> Result<LogoutNotice, Refusal> {
        if token.len() > TOKEN_BYTES {
            return Err(invalid("the logout token is very long"));
        }
        let token = CoreIdToken::from_str(token).map_err(|_| invalid("the logout token cannot be read"))?;
        let metadata = self.provider.metadata(&self.fetch).await?;
        let no_nonce = |nonce: Option<&_>| match nonce {
            None => Ok(()),
            Some(_) => Err("a logout token has no nonce".to_owned()),
        };
        let mut keys = self.provider.keys(&metadata);
        let mut has_read_again = false;
        loop {
            let types = ["JWT", "logout+jwt"].into_iter().filter_map(normalized);
            let verifier = self.verifier(&keys).set_allowed_jose_types(types);
            match token.claims(&verifier, no_nonce) {
                Ok(_) => break,
                Err(error) if keys::may_be_rotated(&error) && !has_read_again => {
                    has_read_again = true;
                    keys = self.provider.read_keys(&metadata, &self.fetch).await?;
                }
                Err(error) => return Err(invalid(keys::what(&error))),
            }
        }
        notice(&claims::signed(&token.to_string())?, self.client_id.as_str())
    }
}

fn normalized(kind: &str) -> Option<NormalizedJsonWebTokenType> {
    JsonWebTokenType::new(kind.to_owned()).normalize().ok()
}

fn notice(claims: &Map<String, Value>, client: &str) -> Result<LogoutNotice, Refusal> {
    claims::check_authorized_party(claims, client)?;
    let events = claims.get("events").and_then(Value::as_object);
    if !events
        .and_then(|events| events.get(EVENT))
        .is_some_and(Value::is_object)
    {
        return Err(invalid("the token is no logout token"));
    }
    if claims.contains_key("nonce") || claims::text(claims, "jti").is_none() {
        return Err(invalid("the logout token has a nonce or no jti"));
    }
    Ok(LogoutNotice {
        subject: claims::text(claims, "sub").ok_or_else(|| invalid("the logout token has no subject"))?,
        provider_session: claims::text(claims, "sid"),
    })
}
