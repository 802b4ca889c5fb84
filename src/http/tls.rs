//! Certificates of the listeners, read again when their files change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// A certificate chain and key that follow their files.
pub struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    current: ArcSwap<ServerConfig>,
}

impl Certificates {
    /// Reads the files; raises what is wrong with them.
    pub fn load(files: TlsFiles<'_>) -> anyhow::Result<Arc<Self>> {
        let config = read(files.cert, files.key)?;
        Ok(Arc::new(Self {
            cert: files.cert.to_owned(),
            key: files.key.to_owned(),
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
            match read(&self.cert, &self.key) {
                Ok(config) => {
                    self.current.store(Arc::new(config));
                    seen = stamp;
                    tracing::info!(file = %self.cert.display(), "certificate read again");
                }
                Err(error) => tracing::error!(error = format!("{error:#}"), "the new certificate cannot be used"),
            }
        }
    }

    fn stamp(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        let modified = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        (modified(&self.cert), modified(&self.key))
    }
}

fn read(cert: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read the certificate chain in {}", cert.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the private key in {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| format!("{} and its key do not fit", cert.display()))
}
