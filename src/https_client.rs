//! The HTTP client for what others run: certificates checked, no redirects, no proxy.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// A client that trusts what the operating system trusts (or `SSL_CERT_FILE` names) and `more` besides; its time limits are the
/// caller's to set. Raises a defect of the TLS library only.
pub fn trusting<'a>(more: impl IntoIterator<Item = CertificateDer<'a>>) -> anyhow::Result<reqwest::ClientBuilder> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(more);
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // A redirect would let whoever answers point us at hosts of our own network.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy())
}
