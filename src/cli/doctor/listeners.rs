//! Listeners: their certificates, the public address, and whether what listens here is the service.

use std::time::Duration;

use rollcall::config::Config;
use rollcall::http::tls::Certificates;
use rustls::client::verify_server_name;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ParsedCertificate;

use super::{Finding, certificate, fine, warning, wrong};

/// How long the service may take to say that it lives.
const LIMIT: Duration = Duration::from_secs(3);

/// Looks at every listener of this role.
pub(super) async fn look(config: &Config) -> Vec<Finding> {
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
    findings.push(service(config).await);
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

/// Asks the service on this machine whether it is ready. Nothing there is no fault: it may run elsewhere.
async fn service(config: &Config) -> Finding {
    let check = "service";
    let address = config.listeners.ops_listen;
    if address.port() == 0 || config.listeners.ops_tls_cert_file.is_some() {
        return fine(check, "not asked: its address is not fixed, or it speaks TLS");
    }
    if tokio::time::timeout(LIMIT, tokio::net::TcpStream::connect(address))
        .await
        .is_ok_and(|made| made.is_ok())
    {
        let client = super::node::client(LIMIT);
        let asked = match client {
            Ok(client) => client
                .get(format!("http://{address}/readyz"))
                .send()
                .await
                .map(|answer| answer.status().as_u16()),
            Err(error) => return wrong(check, format!("{error:#}"), "report this as a defect"),
        };
        return match asked {
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
        };
    }
    fine(
        check,
        format!("nothing listens at {address} here; it may run elsewhere"),
    )
}
