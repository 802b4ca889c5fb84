//! What a replica offers, on which addresses, under which public address, and with which certificates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::public_url::PublicUrl;
use super::setting::section;
use super::sources::Values;
use super::value::choice;

choice! {
    /// What a replica is for.
    enum Role {
        /// Everything: SCIM, sign-in, the read API.
        All = "all",
        /// The read API alone, on the standby; it keeps answering while the database is away.
        Read = "read",
    }
}

section! {
    /// What this replica offers, and on which addresses.
    struct Listeners, "Listeners" {
        /// What this replica offers: `all`, or `read` for the read API and operations alone.
        role: Role = "role", default "all";
        /// Address of SCIM and sign-in.
        listen: SocketAddr = "listen", default "127.0.0.1:8080";
        /// Address of the read API for NSS.
        read_listen: SocketAddr = "read-listen", default "127.0.0.1:8081";
        /// Address of metrics and probes.
        ops_listen: SocketAddr = "ops-listen", default "127.0.0.1:9090";
        /// Address on which the headers of a signing-in proxy are trusted; not set, nobody's are.
        proxy_listen: Option<SocketAddr> = "proxy-listen";
        /// Unix socket that offers the read API besides `read-listen`.
        read_socket: Option<PathBuf> = "read-socket";
        /// The address under which clients and browsers reach the service: the only source of absolute addresses.
        /// Required unless `listen` is loopback.
        public_url: Option<PublicUrl> = "public-url";
        /// Certificate chain (PEM) of `listen`; read again when it changes.
        tls_cert_file: Option<PathBuf> = "tls-cert-file";
        /// Private key (PEM) of `listen`.
        tls_key_file: Option<PathBuf> = "tls-key-file";
        /// Certificate chain (PEM) of `read-listen`.
        read_tls_cert_file: Option<PathBuf> = "read-tls-cert-file";
        /// Private key (PEM) of `read-listen`.
        read_tls_key_file: Option<PathBuf> = "read-tls-key-file";
        /// Certificate chain (PEM) of `ops-listen`.
        ops_tls_cert_file: Option<PathBuf> = "ops-tls-cert-file";
        /// Private key (PEM) of `ops-listen`.
        ops_tls_key_file: Option<PathBuf> = "ops-tls-key-file";
        /// Certificate chain (PEM) of `proxy-listen`.
        proxy_tls_cert_file: Option<PathBuf> = "proxy-tls-cert-file";
        /// Private key (PEM) of `proxy-listen`.
        proxy_tls_key_file: Option<PathBuf> = "proxy-tls-key-file";
        /// Authorities (PEM) of which a proxy must show a certificate on `proxy-listen`; needs `proxy-tls-cert-file`.
        proxy_tls_client_ca_file: Option<PathBuf> = "proxy-tls-client-ca-file";
    }
}

/// A certificate chain and its private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsFiles<'a> {
    /// The chain, PEM.
    pub cert: &'a Path,
    /// The key, PEM.
    pub key: &'a Path,
    /// Authorities whose certificates clients must show, PEM; `None` asks for none.
    pub client_ca: Option<&'a Path>,
}

/// One address that this replica listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener<'a> {
    /// `api`, `read`, `ops` or `proxy`: the value of the metric label `listener`.
    pub label: &'static str,
    /// Its setting.
    pub setting: &'static str,
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Its certificate, when it speaks TLS.
    pub tls: Option<TlsFiles<'a>>,
}

impl Listeners {
    /// The TCP listeners of this role.
    pub fn active(&self) -> impl Iterator<Item = Listener<'_>> {
        self.every().into_iter().flatten().filter(|listener| match self.role {
            Role::All => true,
            Role::Read => matches!(listener.label, "read" | "ops"),
        })
    }

    /// The address clients reach `listen` at: `public-url`, else `listen` itself (`bound` is the address really taken).
    pub fn base_url(&self, bound: SocketAddr) -> PublicUrl {
        let scheme = if self.tls_cert_file.is_some() { "https" } else { "http" };
        self.public_url
            .clone()
            .unwrap_or_else(|| PublicUrl::of_address(scheme, bound))
    }

    fn every(&self) -> [Option<Listener<'_>>; 4] {
        [
            Some(Listener {
                label: "api",
                setting: "listen",
                address: self.listen,
                tls: pair(self.tls_cert_file.as_deref(), self.tls_key_file.as_deref()),
            }),
            Some(Listener {
                label: "read",
                setting: "read-listen",
                address: self.read_listen,
                tls: pair(self.read_tls_cert_file.as_deref(), self.read_tls_key_file.as_deref()),
            }),
            Some(Listener {
                label: "ops",
                setting: "ops-listen",
                address: self.ops_listen,
                tls: pair(self.ops_tls_cert_file.as_deref(), self.ops_tls_key_file.as_deref()),
            }),
            self.proxy_listen.map(|address| Listener {
                label: "proxy",
                setting: "proxy-listen",
                address,
                tls: pair(self.proxy_tls_cert_file.as_deref(), self.proxy_tls_key_file.as_deref()).map(|tls| {
                    TlsFiles {
                        client_ca: self.proxy_tls_client_ca_file.as_deref(),
                        ..tls
                    }
                }),
            }),
        ]
    }

    /// Raises what does not fit together: half a certificate, one address twice, a missing `public-url`.
    pub(super) fn check(&self, values: &Values) -> Result<(), ConfigError> {
        self.check_certificates(values)?;
        let active: Vec<Listener<'_>> = self.active().collect();
        for (index, listener) in active.iter().enumerate() {
            let same = |other: &&Listener<'_>| other.address == listener.address && listener.address.port() != 0;
            if let Some(other) = active.iter().skip(index + 1).find(same) {
                return Err(values.contradiction(
                    other.setting,
                    format!(
                        "{} and {} are both {}; give each its own",
                        listener.setting, other.setting, other.address
                    ),
                ));
            }
        }
        if self.role == Role::All && self.public_url.is_none() && !self.listen.ip().is_loopback() {
            return Err(values.contradiction(
                "listen",
                format!(
                    "public-url is required because listen = {} is not a loopback address",
                    self.listen
                ),
            ));
        }
        Ok(())
    }

    fn check_certificates(&self, values: &Values) -> Result<(), ConfigError> {
        let pairs = [
            (
                ("tls-cert-file", &self.tls_cert_file),
                ("tls-key-file", &self.tls_key_file),
            ),
            (
                ("read-tls-cert-file", &self.read_tls_cert_file),
                ("read-tls-key-file", &self.read_tls_key_file),
            ),
            (
                ("ops-tls-cert-file", &self.ops_tls_cert_file),
                ("ops-tls-key-file", &self.ops_tls_key_file),
            ),
            (
                ("proxy-tls-cert-file", &self.proxy_tls_cert_file),
                ("proxy-tls-key-file", &self.proxy_tls_key_file),
            ),
        ];
        if self.proxy_tls_client_ca_file.is_some() && self.proxy_tls_cert_file.is_none() {
            let fault = "proxy-tls-client-ca-file needs proxy-tls-cert-file beside it";
            return Err(values.contradiction("proxy-tls-client-ca-file", fault));
        }
        for ((cert_name, cert), (key_name, key)) in pairs {
            let (set, missing) = match (cert, key) {
                (Some(_), None) => (cert_name, key_name),
                (None, Some(_)) => (key_name, cert_name),
                _ => continue,
            };
            return Err(values.contradiction(set, format!("{set} needs {missing} beside it")));
        }
        Ok(())
    }
}

fn pair<'a>(cert: Option<&'a Path>, key: Option<&'a Path>) -> Option<TlsFiles<'a>> {
    Some(TlsFiles {
        cert: cert?,
        key: key?,
        client_ca: None,
    })
}
