//! Certificates of the listeners, read again when their files change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::config::TlsFiles;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// A certificate chain and key that follow their files.
pub struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
    current: ArcSwap<ServerConfig>,
}

impl Certificates {
    /// Reads the files; raises what is wrong with them.
    pub fn load(files: TlsFiles<'_>) -> anyhow::Result<Arc<Self>> {
        let config = read(files)?;
        Ok(Arc::new(Self {
            cert: files.cert.to_owned(),
            key: files.key.to_owned(),
            client_ca: files.client_ca.map(Path::to_owned),
            current: ArcSwap::from_pointee(config),
        }))
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Reads the files again whenever one has changed; a broken pair is logged and the old one stays.
    pub async fn follow(self: Arc<Self>) {
        let mut seen = self.stamp();
        loop {
            tokio::time::sleep(LOOK).await;
            let stamp = self.stamp();
            if stamp == seen {
                continue;
            }
            let files = TlsFiles {
                cert: &self.cert,
                key: &self.key,
                client_ca: self.client_ca.as_deref(),
            };
            match read(files) {
                Ok(config) => {
                    self.current.store(Arc::new(config));
                    seen = stamp;
                    tracing::info!(file = %self.cert.display(), "certificate read again");
                }
                Err(error) => tracing::error!(error = format!("{error:#}"), "the new certificate cannot be used"),
            }
        }
    }

    /// When the files were changed last: chain, key, authorities.
    fn stamp(&self) -> [Option<SystemTime>; 3] {
        let modified = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        [
            modified(&self.cert),
            modified(&self.key),
            self.client_ca.as_deref().and_then(modified),
        ]
    }
}

fn read(TlsFiles { cert, key, client_ca }: TlsFiles<'_>) -> anyhow::Result<ServerConfig> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read the certificate chain in {}", cert.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the private key in {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for authority in CertificateDer::pem_file_iter(file)
                .with_context(|| format!("cannot read the authorities in {}", file.display()))?
            {
                roots.add(authority?)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            let verifier = verifier.with_context(|| format!("the authorities in {} cannot be used", file.display()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder
        .with_single_cert(chain, key)
        .with_context(|| format!("{} and its key do not fit", cert.display()))
}
