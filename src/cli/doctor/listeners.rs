//! Listeners: their certificates, the public address, and whether what listens here is the service.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rollcall::config::{Config, Database as DatabaseConfig};
use rollcall::http::tls::Certificates;
use rustls::client::verify_server_name;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ParsedCertificate;
use tokio::net::{TcpStream, UnixStream};

use super::{Finding, Severity, certificate, fine, warning, wrong};

/// How long the service may take to say that it lives.
const LIMIT: Duration = Duration::from_secs(3);

/// The link by which systemd starts the service with the machine, beneath the root.
const ENABLED: &str = "etc/systemd/system/multi-user.target.wants/rollcall.service";

/// Looks at every listener of this role; `root` tells whether the service belongs to this machine.
pub(super) async fn look(config: &Config, root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for listener in config.listeners.active() {
        let Some(tls) = listener.tls else { continue };
        let fix = format!(
            "write a new certificate and key to {} and its key file; they are read again without a restart",
            tls.cert.display()
        );
        let what = format!("the certificate of {}", listener.setting);
        if let Err(error) = Certificates::load(tls) {
            findings.push(wrong("certificates", format!("{what}: {error:#}"), fix));
            continue;
        }
        let leaf = CertificateDer::pem_file_iter(tls.cert)
            .ok()
            .and_then(|mut chain| chain.next()?.ok());
        let Some(leaf) = leaf else { continue };
        findings.push(certificate::judge("certificates", &what, &leaf, &fix));
        if listener.label == "api" {
            findings.extend(name(config, &leaf));
        }
    }
    findings.extend(public_url(config));
    findings.extend(service(config, root).await);
    findings
}

/// Whether whoever comes by `public-url` would accept the certificate of `listen` as its host's. Behind a proxy that ends TLS itself
/// nobody does, so this is a warning.
fn name(config: &Config, leaf: &CertificateDer<'_>) -> Option<Finding> {
    let check = "certificate name";
    let url = config.listeners.public_url.as_ref().filter(|url| url.is_https())?;
    let host = url.host();
    let fits = ParsedCertificate::try_from(leaf)
        .is_ok_and(|parsed| ServerName::try_from(host).is_ok_and(|host| verify_server_name(&parsed, &host).is_ok()));
    Some(if fits {
        fine(check, format!("the certificate of listen names {host}"))
    } else {
        warning(
            check,
            format!("the certificate of listen does not name {host}, the host of public-url, as a subjectAltName"),
            format!("have a certificate made with {host} among its subjectAltNames, or mend public-url"),
        )
    })
}

/// Identity providers demand https, and browsers send a session's cookie over nothing else.
fn public_url(config: &Config) -> Option<Finding> {
    let url = config.listeners.public_url.as_ref()?.to_string();
    let is_local = ["http://localhost", "http://127.", "http://[::1]"]
        .iter()
        .any(|local| url.starts_with(local));
    let finding = if url.starts_with("https://") || is_local {
        fine("public address", url)
    } else {
        let fix = "set public-url to an https address, in front of which a proxy or tls-cert-file speaks TLS";
        warning(
            "public address",
            format!("{url} is not https: identity providers refuse it and cookies are not sent"),
            fix,
        )
    };
    Some(finding)
}

/// Asks the service on this machine whether it is ready, and tries its other listeners. Nothing there is a fault only where it
/// should run; else it may run elsewhere.
async fn service(config: &Config, root: &Path) -> Vec<Finding> {
    let check = "service";
    let address = config.listeners.ops_listen;
    if address.port() == 0 {
        return vec![fine(check, "not asked: ops-listen is not fixed")];
    }
    if !answers(TcpStream::connect(address)).await {
        let evidence = format!("nothing listens at {address} (ops-listen)");
        return vec![match reason_to_run(config, root) {
            Some(reason) => wrong(
                check,
                format!("{evidence}, and {reason}"),
                "systemctl start rollcall (or rollcall serve); journalctl -u rollcall says why it ended",
            ),
            None => fine(check, format!("{evidence}; it may run elsewhere")),
        }];
    }
    let finding = if config.listeners.ops_tls_cert_file.is_some() {
        fine(
            check,
            format!("something takes connections at {address}; it speaks TLS and is not asked"),
        )
    } else {
        readiness(address).await
    };
    let is_ours = finding.severity != Severity::Error;
    let mut findings = vec![finding];
    if is_ours {
        findings.extend(others(config).await);
    }
    findings
}

/// Why the service should run on this machine, if it should.
fn reason_to_run(config: &Config, root: &Path) -> Option<&'static str> {
    if matches!(config.database, DatabaseConfig::Private(_)) {
        Some("the private PostgreSQL in data-dir is served from this machine alone")
    } else if root.join(ENABLED).symlink_metadata().is_ok() {
        Some("the unit rollcall.service is enabled here")
    } else {
        None
    }
}

async fn readiness(address: SocketAddr) -> Finding {
    let check = "service";
    let client = match super::node::client(LIMIT) {
        Ok(client) => client,
        Err(error) => return wrong(check, format!("{error:#}"), "report this as a defect"),
    };
    let asked = client.get(format!("http://{address}/readyz")).send().await;
    match asked.map(|answer| answer.status().as_u16()) {
        Ok(200) => fine(check, format!("ready at {address}")),
        Ok(status) => warning(
            check,
            format!("what listens at {address} is not ready ({status})"),
            format!("curl http://{address}/readyz"),
        ),
        Err(_) => wrong(
            check,
            format!("what listens at {address} (ops-listen) is not the service"),
            "ss -ltnp; change ops-listen",
        ),
    }
}

/// The other listeners of a service that runs: who changes an address must start it anew.
async fn others(config: &Config) -> Vec<Finding> {
    let check = "listeners";
    let silent = |place: String, setting: &str| {
        wrong(
            check,
            format!("the service runs, but nothing listens at {place} ({setting})"),
            "systemctl restart rollcall: settings are read at its start",
        )
    };
    let mut findings = Vec::new();
    for listener in config.listeners.active() {
        let is_fixed = listener.address.port() != 0 && listener.label != "ops";
        if is_fixed && !answers(TcpStream::connect(listener.address)).await {
            findings.push(silent(listener.address.to_string(), listener.setting));
        }
    }
    if let Some(path) = &config.listeners.read_socket
        && !answers(UnixStream::connect(path)).await
    {
        findings.push(silent(path.display().to_string(), "read-socket"));
    }
    if findings.is_empty() {
        findings.push(fine(check, "all of them take connections"));
    }
    findings
}

/// Whether a connection is made in time.
async fn answers<T>(connection: impl Future<Output = std::io::Result<T>>) -> bool {
    let made = tokio::time::timeout(LIMIT, connection).await;
    made.is_ok_and(|made| made.is_ok())
}
