//! Sign-in by OpenID Connect: authorization code flow with PKCE, state and nonce, always (OpenID Connect Core §3.1).

mod claims;
mod fetch;
mod keys;
mod logout;
mod provider;
pub mod secret;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::{Context, ensure};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet,
    CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use fetch::Fetch;
pub use logout::LogoutNotice;
pub use provider::is_acceptable;

use super::assertion::Assertion;
use super::health::{self, Condition, Finding};
use super::refusal::{Reason, Refusal};
use crate::config::{Config, OpenId as Settings, PublicUrl};
use fetch::FetchError;
use provider::{Metadata, Provider};

/// Longest time for all that a callback asks of the provider.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// Longest wait for the provider's description when somebody signs out; after that he is signed out here alone.
const LOGOUT_DEADLINE: Duration = Duration::from_secs(2);

/// How far the provider's clock may differ from ours, in seconds.
const SKEW: i64 = 60;

/// Longest code or state that is looked at, in bytes.
const PARAMETER_BYTES: usize = 4_096;

/// A provider and our registration with it.
pub struct OpenId {
    settings: Settings,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect_url: RedirectUrl,
    issuer: IssuerUrl,
    provider: Provider,
    fetch: Fetch,
}

/// What the end of a sign-in needs to know of its beginning; kept in the database, never in the browser.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pending {
    nonce: String,
    verifier: String,
    /// Where the browser goes afterwards.
    pub return_path: String,
}

/// A sign-in that begins.
pub struct Beginning {
    /// Where the browser is sent.
    pub url: String,
    /// The value of `state` that it brings back.
    pub state: String,
    /// What the end needs.
    pub pending: Pending,
}

/// A sign-in that has succeeded at the provider.
#[derive(Debug)]
pub struct Ended {
    /// What the provider says of the person.
    pub assertion: Assertion,
    /// The provider's name of its session (`sid`).
    pub provider_session: Option<String>,
}

impl OpenId {
    /// Reads the settings and the client file; asks the provider nothing yet, so that it may be down at the start.
    pub fn new(config: &Config, base_url: &PublicUrl) -> anyhow::Result<Self> {
        let settings = config.openid.clone();
        let issuer = settings.issuer.clone().context("auth-openid-issuer is not set")?;
        let issuer = IssuerUrl::new(issuer).context("auth-openid-issuer is no URL")?;
        ensure!(
            provider::is_acceptable(issuer.url(), true),
            "auth-openid-issuer must be an https address; plain http is for loopback addresses only"
        );
        let client = secret::read(&settings.client_file)?;
        Ok(Self {
            client_id: ClientId::new(client.id),
            client_secret: client
                .secret
                .map(|secret| ClientSecret::new(secret.expose().to_owned())),
            redirect_url: RedirectUrl::new(format!("{base_url}/openid/callback"))?,
            provider: Provider::new(issuer.clone()),
            fetch: Fetch::new()?,
            settings,
            issuer,
        })
    }

    /// The name under which pins and sessions of this provider are kept.
    pub fn name(&self) -> String {
        format!("openid:{}", self.issuer.as_str())
    }

    /// Scheme, host and port of the provider.
    pub fn origin(&self) -> String {
        self.issuer.url().origin().ascii_serialization()
    }

    /// Whether the provider answers at this moment, under its own name and with keys (OpenID Connect Discovery §4).
    pub async fn health(&self) -> Finding {
        let issuer = self.issuer.as_str();
        let discovered = tokio::time::timeout(health::DEADLINE, self.provider.discover(&self.fetch));
        let fault = match discovered.await {
            Ok(Ok(metadata)) => match metadata.jwks().keys().len() {
                0 => "it publishes no keys".to_owned(),
                _ => String::new(),
            },
            Ok(Err(refusal)) => refusal.detail,
            Err(_) => "it takes too long".to_owned(),
        };
        let (condition, evidence) = if fault.is_empty() {
            (Condition::Good, format!("{issuer} answers"))
        } else {
            (Condition::Bad, format!("{issuer}: {fault}"))
        };
        Finding {
            mechanism: "OpenID Connect",
            condition,
            evidence,
        }
    }

    /// Begins a sign-in. Raises `provider_unavailable`.
    pub async fn begin(&self, return_path: &str) -> Result<Beginning, Refusal> {
        let metadata = self.provider.metadata(&self.fetch).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = CoreClient::from_provider_metadata((*metadata).clone(), self.client_id.clone(), None)
            .set_redirect_uri(self.redirect_url.clone());
        let scopes = self
            .settings
            .scopes
            .split_whitespace()
            .filter(|scope| *scope != "openid");
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Beginning {
            url: url.into(),
            state: state.into_secret(),
            pending: Pending {
                nonce: nonce.secret().clone(),
                verifier: verifier.into_secret(),
                return_path: return_path.to_owned(),
            },
        })
    }

    /// Ends a sign-in: exchanges the code, verifies the ID token, asks the userinfo endpoint when a configured claim is
    /// missing. `response_issuer` is `iss` of the callback (RFC 9207). Ends within [`DEADLINE`].
    ///
    /// Raises `provider_unavailable`, `provider_refused`, `invalid_assertion`, and what the claims raise.
    pub async fn end(&self, code: &str, response_issuer: Option<&str>, pending: Pending) -> Result<Ended, Refusal> {
        let work = self.end_unbounded(code, response_issuer, pending);
        tokio::time::timeout(DEADLINE, work)
            .await
            .unwrap_or_else(|_| Err(unavailable("the provider takes too long")))
    }

    async fn end_unbounded(
        &self,
        code: &str,
        response_issuer: Option<&str>,
        pending: Pending,
    ) -> Result<Ended, Refusal> {
        if code.is_empty() || code.len() > PARAMETER_BYTES {
            return Err(invalid("the code is missing or very long"));
        }
        let metadata = self.provider.metadata(&self.fetch).await?;
        self.check_response_issuer(&metadata, response_issuer)?;
        let tokens = self.exchange(&metadata, code, pending.verifier).await?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| invalid("the provider gave no ID token"))?;
        let verified = self
            .verify(&metadata, id_token, &tokens, &Nonce::new(pending.nonce))
            .await?;
        let subject = claims::text(&verified, "sub").ok_or_else(|| invalid("the ID token has no subject"))?;
        let userinfo = if claims::is_complete(&self.settings, &verified) {
            Map::new()
        } else {
            self.userinfo(&metadata, &tokens, &subject).await?
        };
        let assertion = claims::assertion(&self.settings, self.name(), subject, &verified, &userinfo)?;
        Ok(Ended {
            assertion,
            provider_session: claims::text(&verified, "sid"),
        })
    }

    /// RFC 9207 §2.4: `iss` must be ours when it is there, and must be there when the provider announces it.
    fn check_response_issuer(&self, metadata: &Metadata, issuer: Option<&str>) -> Result<(), Refusal> {
        let announced = metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        match issuer {
            Some(issuer) if issuer != self.issuer.as_str() => Err(invalid("the callback is of another provider")),
            None if announced == Some(true) => Err(invalid("the callback does not say of which provider it is")),
            _ => Ok(()),
        }
    }

    async fn exchange(&self, metadata: &Metadata, code: &str, verifier: String) -> Result<CoreTokenResponse, Refusal> {
        let secret = self.client_secret.clone();
        let mut client = CoreClient::from_provider_metadata(metadata.clone(), self.client_id.clone(), secret)
            .set_redirect_uri(self.redirect_url.clone());
        let methods = metadata.token_endpoint_auth_methods_supported();
        if methods.is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        }) {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| invalid("the provider has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        request.request_async(&self.fetch).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) => {
                Refusal::new(Reason::ProviderRefused, "the token endpoint refuses the code")
            }
            RequestTokenError::Request(error) => fetch_refusal(&error),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                invalid("the token endpoint's answer is not what it must be")
            }
        })
    }

    /// Verifies an ID token (OpenID Connect Core §3.1.3.7) and returns its claims as they were signed. A signature that no
    /// known key fits makes the keys be read again, once: they may have been rotated.
    async fn verify(
        &self,
        metadata: &Metadata,
        id_token: &CoreIdToken,
        tokens: &CoreTokenResponse,
        nonce: &Nonce,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut keys = self.provider.keys(metadata);
        let mut has_read_again = false;
        loop {
            let verifier = self.verifier(&keys);
            match id_token.claims(&verifier, nonce) {
                Ok(claims) => {
                    check_access_token(id_token, &verifier, tokens, claims.access_token_hash())?;
                    break;
                }
                Err(error) if keys::may_be_rotated(&error) && !has_read_again => {
                    has_read_again = true;
                    keys = self.provider.read_keys(metadata, &self.fetch).await?;
                }
                Err(error) => return Err(invalid(keys::what(&error))),
            }
        }
        let claims = claims::signed(&id_token.to_string())?;
        claims::check_authorized_party(&claims, self.client_id.as_str())?;
        Ok(claims)
    }

    fn verifier(&self, keys: &CoreJsonWebKeySet) -> CoreIdTokenVerifier<'static> {
        keys::verifier(self.client_id.clone(), self.issuer.clone(), keys.clone())
    }

    /// The userinfo answer (§5.3), which must be of the same subject. A signed one is refused: plain JSON over TLS from
    /// the provider itself is what the standard has by default.
    async fn userinfo(
        &self,
        metadata: &Metadata,
        tokens: &CoreTokenResponse,
        subject: &str,
    ) -> Result<Map<String, Value>, Refusal> {
        let Some(endpoint) = metadata.userinfo_endpoint() else {
            return Ok(Map::new());
        };
        let answer = self
            .fetch
            .json(endpoint.url().as_str(), tokens.access_token().secret())
            .await;
        let userinfo = answer.map_err(|error| fetch_refusal(&error))?;
        if claims::text(&userinfo, "sub").as_deref() != Some(subject) {
            return Err(invalid("the userinfo answer is of another subject"));
        }
        Ok(userinfo)
    }

    /// Where the browser is sent after it has signed out here (OpenID Connect RP-Initiated Logout §2), if the provider
    /// offers that and answers in time.
    pub async fn logout_url(&self, return_to: &str) -> Option<String> {
        // This replica may not have asked the provider anything yet.
        let metadata = tokio::time::timeout(LOGOUT_DEADLINE, self.provider.metadata(&self.fetch)).await;
        let metadata = metadata.ok()?.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone()?;
        let mut url = openidconnect::url::Url::parse(&endpoint).ok()?;
        if !provider::is_acceptable(&url, self.issuer.url().scheme() == "http") {
            return None;
        }
        url.query_pairs_mut()
            .append_pair("client_id", self.client_id.as_str())
            .append_pair("post_logout_redirect_uri", return_to);
        Some(url.into())
    }
}

/// `at_hash` must fit when it is there (§3.1.3.8).
fn check_access_token(
    id_token: &CoreIdToken,
    verifier: &CoreIdTokenVerifier<'_>,
    tokens: &CoreTokenResponse,
    expected: Option<&AccessTokenHash>,
) -> Result<(), Refusal> {
    let Some(expected) = expected else { return Ok(()) };
    let fault = |_| invalid("the access token's hash cannot be computed");
    let algorithm = id_token.signing_alg().map_err(fault)?;
    let key = id_token.signing_key(verifier).map_err(fault)?;
    let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
        .map_err(|_| invalid("the access token's hash cannot be computed"))?;
    if actual == *expected {
        Ok(())
    } else {
        Err(invalid("the access token is not the one of the ID token"))
    }
}

fn invalid(detail: &str) -> Refusal {
    Refusal::new(Reason::InvalidAssertion, detail)
}

fn unavailable(detail: &str) -> Refusal {
    Refusal {
        retry_after: Some(Duration::from_secs(5)),
        ..Refusal::new(Reason::ProviderUnavailable, detail)
    }
}

fn fetch_refusal(error: &FetchError) -> Refusal {
    match error {
        FetchError::Away(_) => unavailable(&error.to_string()),
        _ => invalid(&error.to_string()),
    }
}
