//! How a connection is made: connection strings with libpq's TLS modes, over rustls.

mod hosts;
pub(super) mod threads;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustls::RootCertStore;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::Secret;

/// How far the server's certificate is checked (libpq's `sslmode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    /// No TLS.
    Disable,
    /// TLS when the server offers it, unchecked.
    Prefer,
    /// TLS, unchecked.
    Require,
    /// TLS, the certificate is signed by a known authority.
    VerifyCa,
    /// TLS, and the certificate names the host.
    VerifyFull,
}

/// Where a database is and how to speak to it.
#[derive(Clone)]
pub struct Address {
    /// The driver's part of the connection string.
    pub(super) config: tokio_postgres::Config,
    /// The TLS connector.
    pub(super) tls: MakeRustlsConnect,
}

impl Address {
    /// Parses a connection string, URI or `key=value`, with libpq's `sslmode` and `sslrootcert`.
    ///
    /// Without `sslmode` it is `verify-full`, or `disable` when every host is a unix socket or a loopback address. An
    /// unknown mode is an error. `ca_file` is used when the string names no `sslrootcert`. `connect_timeout` is per
    /// address. Nothing of the string appears in an error, because it may hold a password.
    pub fn parse(text: &str, ca_file: Option<&Path>, connect_timeout: Duration) -> anyhow::Result<Self> {
        let (rest, mut own) = take_own_parameters(text)?;
        let mut config: tokio_postgres::Config = rest
            .parse()
            .map_err(|_| anyhow::anyhow!("the database connection string cannot be parsed"))?;
        if config.get_hosts().is_empty() {
            bail!("the database connection string names no host");
        }
        let mode = match own.sslmode.take() {
            Some(word) => mode(&word)?,
            None if is_local(&config) => Tls::Disable,
            None => Tls::VerifyFull,
        };
        config.ssl_mode(match mode {
            Tls::Disable => SslMode::Disable,
            Tls::Prefer => SslMode::Prefer,
            Tls::Require | Tls::VerifyCa | Tls::VerifyFull => SslMode::Require,
        });
        config
            .connect_timeout(connect_timeout)
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(Duration::from_secs(5));
        if config.get_application_name().is_none() {
            config.application_name("rollcall");
        }
        let tls = connector(mode, own.sslrootcert.as_deref().or(ca_file))?;
        Ok(Self { config, tls })
    }

    /// The same address with `password`, unless the connection string holds one.
    #[must_use]
    pub fn with_password(mut self, password: Option<&Secret>) -> Self {
        if let (None, Some(password)) = (self.config.get_password(), password) {
            self.config.password(password.expose());
        }
        self
    }

    /// Opens one connection outside any pool, for migrations.
    pub(super) async fn connect(&self) -> anyhow::Result<tokio_postgres::Client> {
        let (client, connection) = self
            .config
            .connect(self.tls.clone())
            .await
            .context("cannot connect to the database")?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a database connection has ended");
            }
        });
        Ok(client)
    }

    /// Why nobody can connect now, for whoever looks for the fault; `None` when one can.
    pub async fn fault(&self) -> Option<String> {
        let error = self.connect().await.err()?;
        Some(format!("{error:#}"))
    }
}

#[derive(Default)]
struct OwnParameters {
    sslmode: Option<String>,
    sslrootcert: Option<PathBuf>,
}

/// Takes the parameters out of a connection string that the driver does not know.
fn take_own_parameters(text: &str) -> anyhow::Result<(String, OwnParameters)> {
    let mut own = OwnParameters::default();
    let text = text.trim();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let Some((head, query)) = text.split_once('?') else {
            return Ok((text.to_owned(), own));
        };
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "sslmode" => own.sslmode = Some(value.to_owned()),
                "sslrootcert" => own.sslrootcert = Some(percent_decode(value)?.into()),
                _ => kept.push(pair),
            }
        }
        let rest = if kept.is_empty() {
            head.to_owned()
        } else {
            format!("{head}?{}", kept.join("&"))
        };
        return Ok((rest, own));
    }
    let mut kept = Vec::new();
    for (key, value) in key_values(text)? {
        match key.as_str() {
            "sslmode" => own.sslmode = Some(value),
            "sslrootcert" => own.sslrootcert = Some(value.into()),
            _ => kept.push(format!("{key}='{}'", value.replace('\\', r"\\").replace('\'', r"\'"))),
        }
    }
    Ok((kept.join(" "), own))
}

/// Splits libpq's `key = 'value'` form.
fn key_values(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let fault = || anyhow::anyhow!("the database connection string is neither a URI nor key=value pairs");
    let mut pairs = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        if characters.peek().is_none() {
            return Ok(pairs);
        }
        let mut key = String::new();
        while let Some(c) = characters.next_if(|c| *c != '=' && !c.is_whitespace()) {
            key.push(c);
        }
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        characters.next_if_eq(&'=').ok_or_else(fault)?;
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = characters.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match characters.peek().copied() {
                None if quoted => return Err(fault()),
                None => break,
                Some('\'') if quoted => {
                    characters.next();
                    break;
                }
                Some(c) if !quoted && c.is_whitespace() => break,
                Some('\\') => {
                    characters.next();
                    value.push(characters.next().ok_or_else(fault)?);
                }
                Some(c) => {
                    characters.next();
                    value.push(c);
                }
            }
        }
        if key.is_empty() {
            return Err(fault());
        }
        pairs.push((key, value));
    }
}

fn percent_decode(text: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let digits = rest.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
            let byte = digits.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            bytes.push(byte.context("the database connection string has a broken percent escape")?);
            rest = rest.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
        }
    }
    Ok(String::from_utf8(bytes)?)
}

fn mode(word: &str) -> anyhow::Result<Tls> {
    Ok(match word {
        "disable" => Tls::Disable,
        "prefer" => Tls::Prefer,
        "require" => Tls::Require,
        "verify-ca" => Tls::VerifyCa,
        "verify-full" => Tls::VerifyFull,
        _ => bail!("sslmode of the database must be disable, prefer, require, verify-ca or verify-full"),
    })
}

fn is_local(config: &tokio_postgres::Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    })
}

fn connector(mode: Tls, ca_file: Option<&Path>) -> anyhow::Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let config = match mode {
        Tls::Disable | Tls::Prefer | Tls::Require => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
            .with_no_client_auth(),
        Tls::VerifyFull => builder.with_root_certificates(roots(ca_file)?).with_no_client_auth(),
        Tls::VerifyCa => {
            let inner = rustls::client::WebPkiServerVerifier::builder_with_provider(roots(ca_file)?.into(), provider)
                .build()
                .context("the certificate authorities of the database cannot be used")?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyName(inner)))
                .with_no_client_auth()
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(ca_file: Option<&Path>) -> anyhow::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if let Some(path) = ca_file {
        for certificate in CertificateDer::pem_file_iter(path).with_context(|| {
            format!(
                "cannot read the database's certificate authorities in {}",
                path.display()
            )
        })? {
            store.add(certificate.with_context(|| format!("{} is not a PEM file of certificates", path.display()))?)?;
        }
        if store.is_empty() {
            bail!("{} holds no certificate", path.display());
        }
    } else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    Ok(store)
}

/// `sslmode=require`: encryption without authentication, as libpq does it.
#[derive(Debug)]
struct Unchecked(Arc<rustls::crypto::CryptoProvider>);

/// `sslmode=verify-ca`: any name, but a known authority.
#[derive(Debug)]
struct AnyName(Arc<rustls::client::WebPkiServerVerifier>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests;
