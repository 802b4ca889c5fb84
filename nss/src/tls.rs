//! TLS to the read endpoint: rustls with ring, named explicitly so that no process-wide default can collide with the host's.

use crate::config::{Config, read_safe};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::io;
use std::sync::Arc;

/// Largest CA bundle that is read, bytes.
const BUNDLE_MAX: usize = 4 << 20;
/// Where systems keep theirs; regular files, not the links to them.
const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
];

/// The client's side of TLS as the configuration wants it. Fails when no CA certificate can be read.
pub fn client_config(config: &Config) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let mut tls = if config.verify {
        builder.with_root_certificates(roots(config)?).with_no_client_auth()
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
            .with_no_client_auth()
    };
    // A ticket is of no use to the next process, and this one keeps its connection.
    tls.resumption = Resumption::disabled();
    Ok(Arc::new(tls))
}

fn roots(config: &Config) -> io::Result<RootCertStore> {
    let unreadable = || io::Error::from(io::ErrorKind::PermissionDenied);
    let bundle = match &config.ca_file {
        Some(path) => read_safe(path, BUNDLE_MAX).map_err(|_| unreadable())?,
        None => BUNDLES
            .iter()
            .find_map(|path| read_safe(path, BUNDLE_MAX).ok())
            .ok_or_else(unreadable)?,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bundle).flatten());
    if roots.is_empty() {
        Err(io::ErrorKind::InvalidData.into())
    } else {
        Ok(roots)
    }
}

/// A connection for the server `host`, before its handshake.
pub fn connection(tls: Arc<ClientConfig>, host: &str) -> io::Result<ClientConnection> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    ClientConnection::new(tls, name).map_err(io::Error::other)
}

/// `verify-ssl-certs=0`: any certificate does. Signatures are still checked, as the protocol needs.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
