//! Sign-in by SAML 2.0, Web Browser SSO profile, with samael behind the checks that it leaves to its caller.

mod attributes;
mod metadata;
mod native;
mod request;
mod screen;
#[cfg(test)]
mod tests;
mod verify;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

pub use request::Outgoing;

use super::assertion::Assertion;
use super::certificate::Validity;
use super::health::{self, Condition, Finding};
use super::refusal::{Reason, Refusal};
use crate::config::{Config, PublicUrl, Saml as Settings};
use crate::db::Database;
use crate::login::openid::Fetch;
use metadata::IdentityProvider;

/// Largest response, in bytes of XML.
pub const RESPONSE_BYTES: usize = 256 * 1024;

/// Responses that are verified at once: the work is in C libraries and on threads of its own.
const AT_ONCE: usize = 4;

/// Longest time for verifying one response, its wait included.
const DEADLINE: Duration = Duration::from_secs(10);

/// How often metadata is read again.
const RELOAD: Duration = Duration::from_hours(1);

/// The same while there is none.
const RETRY: Duration = Duration::from_secs(10);

/// An identity provider and what we are to it.
pub struct Saml {
    settings: Settings,
    entity_id: String,
    acs_url: String,
    provider: IdentityProvider,
    fetch: Fetch,
    places: Arc<Semaphore>,
}

/// What the end of a sign-in needs to know of its beginning; kept in the database, never in the browser.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pending {
    request_id: String,
    /// Where the browser goes afterwards.
    pub return_path: String,
}

/// A sign-in that has succeeded at the provider.
#[derive(Debug)]
pub struct Ended {
    /// What the provider says of the person.
    pub assertion: Assertion,
    /// The provider's name of its session (`SessionIndex`).
    pub provider_session: Option<String>,
}

impl Saml {
    /// Reads the metadata. A file must be there and name a signing key, otherwise the start fails; so must the answer of
    /// a URL, but a provider that is down leaves sign-in unavailable and nothing else.
    pub async fn start(config: &Config, base_url: &PublicUrl) -> anyhow::Result<Self> {
        native::silence();
        let saml = Self {
            settings: config.saml.clone(),
            entity_id: format!("{base_url}/saml/metadata"),
            acs_url: format!("{base_url}/saml/acs"),
            provider: IdentityProvider::default(),
            fetch: Fetch::new()?,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        };
        match (&saml.settings.metadata_path, &saml.settings.metadata_url) {
            (Some(_), _) => saml.load().await?,
            (None, Some(_)) => match saml.read().await {
                Ok(text) => saml.provider.replace(&text)?,
                Err(error) => tracing::error!(error = format!("{error:#}"), "SAML metadata cannot be had yet"),
            },
            (None, None) => bail!("auth-saml needs auth-saml-metadata-url or auth-saml-metadata-path"),
        }
        Ok(saml)
    }

    async fn load(&self) -> anyhow::Result<()> {
        let text = self.read().await?;
        self.provider.replace(&text)
    }

    async fn read(&self) -> anyhow::Result<String> {
        if let Some(path) = &self.settings.metadata_path {
            return metadata::read_file(path).with_context(|| format!("auth-saml-metadata-path: {}", path.display()));
        }
        let url = self
            .settings
            .metadata_url
            .as_deref()
            .context("auth-saml-metadata-url is not set")?;
        metadata::check_address(url)?;
        self.fetch.text(url).await.context("auth-saml-metadata-url")
    }

    /// Reads the metadata again for as long as the process lives. Metadata that cannot be had, or has lost its keys,
    /// leaves the old in place.
    pub async fn follow(self: Arc<Self>) {
        loop {
            let pause = if self.provider.known().is_some() { RELOAD } else { RETRY };
            tokio::time::sleep(pause).await;
            if let Err(error) = self.load().await {
                tracing::error!(
                    error = format!("{error:#}"),
                    "SAML metadata could not be renewed; the old stays"
                );
            }
        }
    }

    /// Whether the metadata can be had and used at this moment, and until when its certificates hold.
    pub async fn health(&self) -> Vec<Finding> {
        let finding = |condition, evidence: String| Finding {
            mechanism: "SAML",
            condition,
            evidence,
        };
        let read = tokio::time::timeout(health::DEADLINE, self.read()).await;
        let read = read.unwrap_or_else(|_| Err(anyhow::anyhow!("the metadata takes too long")));
        let known = read.and_then(|text| metadata::Known::parse(&text));
        let known = known.and_then(|known| Ok((known.certificates()?, known.entity_id)));
        let (certificates, entity_id) = match known {
            Ok(known) => known,
            Err(error) => return vec![finding(Condition::Bad, format!("{error:#}"))],
        };
        let mut findings = vec![finding(
            Condition::Good,
            format!("the metadata of {entity_id} can be had"),
        )];
        findings.extend(certificates.iter().map(|der| {
            let validity = Validity::of(der, Timestamp::now());
            let condition = match validity {
                Validity::Until(_) => Condition::Good,
                Validity::Soon(..) | Validity::Imminent(..) => Condition::Warning,
                Validity::Unreadable | Validity::NotBefore(_) | Validity::Expired(_) => Condition::Bad,
            };
            finding(condition, format!("a certificate of {entity_id} {}", validity.words()))
        }));
        findings
    }

    /// Our metadata (SAML metadata §2.4.4), without keys: requests are not signed and assertions not encrypted.
    pub fn metadata(&self) -> String {
        request::metadata(
            &self.entity_id,
            &self.acs_url,
            self.settings.sp_name_id_format.as_deref(),
        )
    }

    /// The name under which pins and sessions of this provider are kept. Raises `provider_unavailable`.
    pub fn name(&self) -> Result<String, Refusal> {
        Ok(format!("saml:{}", self.known()?.entity_id))
    }

    fn known(&self) -> Result<Arc<metadata::Known>, Refusal> {
        self.provider.known().ok_or_else(|| Refusal {
            retry_after: Some(RETRY),
            ..Refusal::new(Reason::ProviderUnavailable, "there is no SAML metadata yet")
        })
    }

    /// Begins a sign-in: what the browser takes to the provider, and what the end needs to know. `relay_state` is what
    /// the browser brings back. Raises `provider_unavailable`.
    pub fn begin(&self, relay_state: &str, return_path: &str) -> Result<(Outgoing, Pending), Refusal> {
        let known = self.known()?;
        let request_id = format!("_{}", crate::login::sessions::random_id());
        let by_post = self.settings.idp_post_binding;
        let location = known.sso_location(by_post).ok_or_else(|| {
            Refusal::new(
                Reason::ProviderUnavailable,
                "the metadata names no address for this binding",
            )
        })?;
        let xml = request::authn_request(&request::AuthnRequest {
            id: &request_id,
            at: Timestamp::now(),
            destination: &location,
            entity_id: &self.entity_id,
            acs_url: &self.acs_url,
            name_id_format: self.settings.sp_name_id_format.as_deref(),
        });
        let outgoing = request::outgoing(&location, &xml, relay_state, by_post)?;
        let pending = Pending {
            request_id,
            return_path: return_path.to_owned(),
        };
        Ok((outgoing, pending))
    }

    /// Ends a sign-in: verifies the response to the request of `pending`, and marks its assertion as used on all
    /// replicas. `encoded` is the form field `SAMLResponse`.
    ///
    /// Raises `invalid_assertion`, `provider_refused`, `replayed`, `unavailable`, and what the attributes raise.
    pub async fn end(&self, db: &Database, encoded: &str, pending: &Pending) -> Result<Ended, Refusal> {
        let known = self.known()?;
        let xml = decode(encoded)?;
        let expected = verify::Expected {
            entity_id: self.entity_id.clone(),
            acs_url: self.acs_url.clone(),
            request_id: pending.request_id.clone(),
            name_id_format: self.settings.sp_name_id_format.clone(),
            max_issue_delay: self.settings.max_issue_delay,
            max_clock_skew: self.settings.max_clock_skew,
        };
        let (provider, places) = (Arc::clone(&known), Arc::clone(&self.places));
        let work = async move {
            let place = places.acquire_owned().await;
            let work = move || {
                let _place = place;
                native::silence();
                std::panic::catch_unwind(AssertUnwindSafe(|| verify::verify(&xml, &provider, &expected)))
            };
            tokio::task::spawn_blocking(work).await
        };
        let verified = match tokio::time::timeout(DEADLINE, work).await {
            Ok(Ok(Ok(verified))) => verified?,
            Ok(_) => return Err(Refusal::new(Reason::Internal, "the SAML library has panicked")),
            Err(_) => {
                return Err(Refusal {
                    retry_after: Some(Duration::from_secs(2)),
                    ..Refusal::new(Reason::Unavailable, "verifying the response took too long")
                });
            }
        };
        if !db
            .assertion_use(&known.entity_id, &verified.id, verified.usable_until)
            .await?
        {
            return Err(Refusal::new(Reason::Replayed, "the assertion was used before"));
        }
        let assertion = attributes::assertion(&self.settings, format!("saml:{}", known.entity_id), &verified)?;
        Ok(Ended {
            assertion,
            provider_session: verified.session_index,
        })
    }
}

/// The XML of a form field. Raises `invalid_assertion`.
fn decode(encoded: &str) -> Result<String, Refusal> {
    // A third more than the XML, and line breaks.
    if encoded.len() > RESPONSE_BYTES * 3 / 2 {
        return Err(invalid("the response is larger than 256 KiB"));
    }
    let plain: String = encoded
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    let bytes = STANDARD
        .decode(plain)
        .map_err(|_| invalid("the response is not base64"))?;
    if bytes.len() > RESPONSE_BYTES {
        return Err(invalid("the response is larger than 256 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| invalid("the response is not UTF-8"))
}

fn invalid(detail: &str) -> Refusal {
    Refusal::new(Reason::InvalidAssertion, detail)
}
