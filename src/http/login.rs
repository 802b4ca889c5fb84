//! Sign-in in a browser: what its ways have in common. One file per way below.

pub mod cookies;
pub mod headers;
pub mod openid;
pub mod pages;
#[cfg(feature = "saml")]
pub mod saml;
pub mod sign_in;
pub mod sign_out;
mod transaction;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::auth::redirect;
use super::listener::Peer;
use super::observe::RequestId;
use super::scim_request::form_pairs;
use super::state::State;
use crate::db::Origin;
use crate::login::return_path::or_root;
use crate::login::{self, Assertion, Method, Refusal};

/// What a handler needs to know of a browser's request.
#[derive(Debug)]
pub struct Visit {
    /// The request's id.
    pub request_id: String,
    /// The address it came from.
    pub address: Option<String>,
    /// The id of the session that its cookie names; not looked at yet.
    pub session: Option<String>,
    headers: HeaderMap,
    pairs: Vec<(String, String)>,
}

impl FromRequestParts<State> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0);
        Ok(Self {
            request_id: parts
                .extensions
                .get::<RequestId>()
                .map(|id| id.0.clone())
                .unwrap_or_default(),
            address: peer.map(|address| address.ip().to_string()),
            session: cookies::SESSION.read(&parts.headers, state.base_url.is_https()),
            headers: parts.headers.clone(),
            pairs: parts
                .uri
                .query()
                .map(|query| form_pairs(query).collect())
                .unwrap_or_default(),
        })
    }
}

impl Visit {
    /// The first query parameter of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The only query parameter of that name; `None` also when it comes twice.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// For the audit log.
    pub fn origin(&self, method: Method) -> Origin {
        Origin {
            actor: format!("login:{}", method.as_str()),
            path: "login",
            request_id: self.request_id.clone(),
            address: self.address.clone(),
        }
    }
}

/// Lets the person of an assertion in: provisions, opens a session, ends the one the browser had, and sends the browser on
/// with the new cookie. Raises a refusal, which has been logged.
pub async fn let_in(
    state: &State,
    visit: &Visit,
    assertion: &Assertion,
    provider_session: Option<&str>,
    return_path: Option<&str>,
) -> Result<Response, Refusal> {
    let method = assertion.method;
    let origin = visit.origin(method);
    let signed_in = login::sign_in(&state.db, &state.login_rules, &state.sign_ins, assertion, &origin).await?;
    let who = Person {
        user_id: signed_in.user.id,
        provider: &assertion.provider,
        subject: assertion.subject.as_deref(),
        provider_session,
    };
    let opened = open_session(state, visit, &who, return_path).await;
    opened.inspect_err(|refusal| refusal.note(method.as_str(), &visit.request_id))
}

/// For whom a session is opened.
pub struct Person<'a> {
    /// The provisioned user.
    pub user_id: Uuid,
    /// Who vouched.
    pub provider: &'a str,
    /// The provider's name of the person.
    pub subject: Option<&'a str>,
    /// The provider's name of its own session.
    pub provider_session: Option<&'a str>,
}

/// Opens a session under a new id, ends the one the browser had, and sends it on. Raises `locked` and `unavailable`.
pub async fn open_session(
    state: &State,
    visit: &Visit,
    who: &Person<'_>,
    return_path: Option<&str>,
) -> Result<Response, Refusal> {
    let sessions = &state.sessions;
    let id = sessions
        .open(&state.db, who.user_id, who.provider, who.subject, who.provider_session)
        .await?;
    if let Some(old) = &visit.session
        && let Err(error) = sessions.end(old, &state.db).await
    {
        tracing::debug!(%error, "the browser's former session lives on until its time is over");
    }
    let mut response = redirect(StatusCode::SEE_OTHER, or_root(return_path));
    let is_https = state.base_url.is_https();
    cookies::SESSION.set(response.headers_mut(), &id, sessions.lifetime(), is_https);
    Ok(response)
}

/// Escapes everything but unreserved characters (RFC 3986 §2.3).
pub fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes()
        .fold(String::with_capacity(text.len() + 16), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(byte.into());
            } else {
                // Writing to a String cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
}
