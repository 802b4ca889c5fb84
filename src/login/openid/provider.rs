//! What is known of a provider: its discovery document and keys, kept, renewed, and served on while it is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::url::{Host, Url};
use openidconnect::{AdditionalProviderMetadata, DiscoveryError, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::fetch::{Fetch, FetchError};
use super::{invalid, unavailable};
use crate::login::refusal::Refusal;

/// After how long the discovery document and the keys are read again.
const FRESH: Duration = Duration::from_mins(10);

/// How long a failed attempt to read them speaks for the next.
const PAUSE: Duration = Duration::from_secs(1);

/// Fewest time between two readings of the keys that tokens have caused.
const KEYS_PAUSE: Duration = Duration::from_secs(2);

/// What the discovery document says beyond OpenID Connect Discovery §3.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Further {
    /// RFC 9207 §3.
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// OpenID Connect RP-Initiated Logout §2.1.
    pub end_session_endpoint: Option<String>,
}

impl AdditionalProviderMetadata for Further {}

/// A discovery document with the keys.
pub type Metadata = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

struct Known {
    metadata: Arc<Metadata>,
    read_at: Instant,
}

/// The provider.
pub struct Provider {
    issuer: IssuerUrl,
    known: ArcSwapOption<Known>,
    keys: ArcSwapOption<CoreJsonWebKeySet>,
    last_attempt: Mutex<Option<Instant>>,
    last_keys: Mutex<Option<Instant>>,
}

impl Provider {
    /// Knows nothing yet.
    pub fn new(issuer: IssuerUrl) -> Self {
        Self {
            issuer,
            known: ArcSwapOption::empty(),
            keys: ArcSwapOption::empty(),
            last_attempt: Mutex::new(None),
            last_keys: Mutex::new(None),
        }
    }

    /// What is known at the moment, without asking.
    fn known(&self) -> Option<Arc<Metadata>> {
        self.known.load().as_ref().map(|known| Arc::clone(&known.metadata))
    }

    /// The discovery document, read again after ten minutes; an old one while the provider is away. Raises
    /// `provider_unavailable`, and `invalid_assertion` for a document of another issuer.
    pub async fn metadata(&self, fetch: &Fetch) -> Result<Arc<Metadata>, Refusal> {
        let fresh = |known: &Guard<Option<Arc<Known>>>| {
            let known = known.as_ref()?;
            (known.read_at.elapsed() < FRESH).then(|| Arc::clone(&known.metadata))
        };
        if let Some(metadata) = fresh(&self.known.load()) {
            return Ok(metadata);
        }
        // One asks, the others wait for its answer.
        let mut last_attempt = self.last_attempt.lock().await;
        if let Some(metadata) = fresh(&self.known.load()) {
            return Ok(metadata);
        }
        let outcome = if last_attempt.is_some_and(|at| at.elapsed() < PAUSE) {
            Err(unavailable("the provider did not answer a moment ago"))
        } else {
            let outcome = self.discover(fetch).await;
            *last_attempt = Some(Instant::now());
            outcome
        };
        match outcome {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                self.keys.store(Some(Arc::new(metadata.jwks().clone())));
                self.known.store(Some(Arc::new(Known {
                    metadata: Arc::clone(&metadata),
                    read_at: Instant::now(),
                })));
                Ok(metadata)
            }
            Err(refusal) => self.known().ok_or(refusal),
        }
    }

    /// Reads the discovery document and the keys, whatever is known. Raises `provider_unavailable` and `invalid_assertion`.
    pub async fn discover(&self, fetch: &Fetch) -> Result<Metadata, Refusal> {
        let metadata = Metadata::discover_async(self.issuer.clone(), fetch)
            .await
            .map_err(|error| match error {
                DiscoveryError::Request(FetchError::Away(_)) | DiscoveryError::Response(..) => {
                    unavailable("the discovery document cannot be had")
                }
                DiscoveryError::Validation(_) => invalid("the discovery document is of another issuer"),
                _ => invalid("the discovery document is not what it must be"),
            })?;
        let may_be_plain = self.issuer.url().scheme() == "http";
        let endpoints = [
            Some(metadata.authorization_endpoint().url()),
            metadata.token_endpoint().map(openidconnect::TokenUrl::url),
            metadata.userinfo_endpoint().map(openidconnect::UserInfoUrl::url),
            Some(metadata.jwks_uri().url()),
        ];
        if endpoints
            .into_iter()
            .flatten()
            .all(|endpoint| is_acceptable(endpoint, may_be_plain))
        {
            Ok(metadata)
        } else {
            Err(invalid("the discovery document names an endpoint without TLS"))
        }
    }

    /// The keys known at the moment.
    pub fn keys(&self, metadata: &Metadata) -> CoreJsonWebKeySet {
        self.keys
            .load()
            .as_ref()
            .map_or_else(|| metadata.jwks().clone(), |keys| (**keys).clone())
    }

    /// Reads the keys again, unless a token has caused that a moment ago. Raises `provider_unavailable`.
    pub async fn read_keys(&self, metadata: &Metadata, fetch: &Fetch) -> Result<CoreJsonWebKeySet, Refusal> {
        let mut last_keys = self.last_keys.lock().await;
        if last_keys.is_some_and(|at| at.elapsed() < KEYS_PAUSE) {
            return Ok(self.keys(metadata));
        }
        *last_keys = Some(Instant::now());
        let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), fetch).await;
        let keys = keys.map_err(|_| unavailable("the provider's keys cannot be had"))?;
        self.keys.store(Some(Arc::new(keys.clone())));
        Ok(keys)
    }
}

/// Whether an address of the provider may be asked: by TLS, or on this machine when `may_be_plain`.
pub fn is_acceptable(url: &Url, may_be_plain: bool) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && may_be_plain && is_loopback)
}
