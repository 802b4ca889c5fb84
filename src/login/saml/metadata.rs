//! The metadata of an identity provider: pinned keys, addresses, and how it is replaced without losing the keys.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use arc_swap::ArcSwapOption;
use openssl::asn1::Asn1Time;
use openssl::x509::X509;
use samael::metadata::{EntityDescriptor, HTTP_POST_BINDING, HTTP_REDIRECT_BINDING};
use samael::service_provider::ServiceProvider;
use sha2::{Digest as _, Sha256};

use super::screen;
use crate::login::openid::is_acceptable;
use crate::telemetry::metrics::METRICS;

/// Largest metadata, in bytes.
const BYTES: u64 = 1024 * 1024;

/// What is known of a provider.
#[derive(Debug)]
pub(super) struct Known {
    /// The name of the provider.
    pub entity_id: String,
    /// The metadata with the keys.
    pub descriptor: EntityDescriptor,
}

impl Known {
    /// Reads metadata. Raises what is not one provider with a name and at least one key for signatures: without a key,
    /// samael would believe unsigned responses.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        screen::plain(text).map_err(|refusal| anyhow::anyhow!("the metadata is refused: {}", refusal.detail))?;
        let descriptor: EntityDescriptor = text.parse().context("the metadata is no EntityDescriptor")?;
        let entity_id = descriptor.entity_id.clone().filter(|id| !id.is_empty());
        let entity_id = entity_id.context("the metadata has no entityID")?;
        let known = Self { entity_id, descriptor };
        ensure!(
            !known.certificates()?.is_empty(),
            "the metadata of {} has no key for signatures",
            known.entity_id
        );
        ensure!(
            known.sso_location(false).or_else(|| known.sso_location(true)).is_some(),
            "the metadata of {} names no single sign-on service",
            known.entity_id
        );
        Ok(known)
    }

    /// The keys for signatures, DER.
    pub(super) fn certificates(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let provider = ServiceProvider {
            idp_metadata: self.descriptor.clone(),
            ..ServiceProvider::default()
        };
        let certificates = provider.idp_signing_certs();
        // The library's error may hold what stands in the metadata, and crosses no threads.
        let certificates = certificates.map_err(|_| anyhow::anyhow!("a certificate in the metadata cannot be read"))?;
        let certificates = certificates.unwrap_or_default();
        Ok(certificates
            .iter()
            .map(|certificate| certificate.der_data().to_vec())
            .collect())
    }

    /// Where requests go.
    pub(super) fn sso_location(&self, by_post: bool) -> Option<String> {
        let binding = if by_post {
            HTTP_POST_BINDING
        } else {
            HTTP_REDIRECT_BINDING
        };
        let descriptors = self.descriptor.idp_sso_descriptors.iter().flatten();
        let mut services = descriptors.flat_map(|descriptor| &descriptor.single_sign_on_services);
        let service = services.find(|service| service.binding == binding)?;
        let is_web = ["https://", "http://"]
            .iter()
            .any(|scheme| service.location.starts_with(scheme));
        is_web.then(|| service.location.clone())
    }

    fn export_expiry(&self) -> anyhow::Result<()> {
        METRICS.idp_certificate_expiry.reset();
        for der in self.certificates()? {
            let certificate = X509::from_der(&der).context("a certificate in the metadata cannot be read")?;
            let span = Asn1Time::from_unix(0)?.diff(certificate.not_after())?;
            let expiry = i64::from(span.days) * 86_400 + i64::from(span.secs);
            let fingerprint = crate::tokens::SecretHash(Sha256::digest(&der).into()).hex();
            let fingerprint = fingerprint.get(..16).unwrap_or_default();
            METRICS
                .idp_certificate_expiry
                .with_label_values(&[fingerprint])
                .set(expiry as f64);
        }
        Ok(())
    }
}

/// The provider as it is known at the moment.
#[derive(Debug, Default)]
pub(super) struct IdentityProvider(ArcSwapOption<Known>);

impl IdentityProvider {
    pub(super) fn known(&self) -> Option<Arc<Known>> {
        self.0.load_full()
    }

    /// Replaces what is known. Raises metadata that cannot be used, and of another provider; the old stays then.
    pub(super) fn replace(&self, text: &str) -> anyhow::Result<()> {
        let known = Known::parse(text)?;
        if let Some(old) = self.known()
            && old.entity_id != known.entity_id
        {
            bail!("the metadata is of {}, no longer of {}", known.entity_id, old.entity_id);
        }
        known.export_expiry()?;
        self.0.store(Some(Arc::new(known)));
        Ok(())
    }
}

/// The text of a metadata file. Raises a file that is too large.
pub(super) fn read_file(path: &Path) -> anyhow::Result<String> {
    ensure!(std::fs::metadata(path)?.len() <= BYTES, "the file is larger than 1 MiB");
    Ok(std::fs::read_to_string(path)?)
}

/// Raises an address without TLS, but for this machine's own: whoever answers there names the keys.
pub(super) fn check_address(url: &str) -> anyhow::Result<()> {
    let url = openidconnect::url::Url::parse(url).context("auth-saml-metadata-url is no URL")?;
    ensure!(
        is_acceptable(&url, true),
        "auth-saml-metadata-url must be an https address; plain http is for loopback addresses only"
    );
    Ok(())
}
