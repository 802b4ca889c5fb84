//! Sign-in: whether the providers answer, what they say of themselves, and how long their certificates hold.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall::config::Config;
use rollcall::login::openid::secret::is_private;

use super::{Finding, certificate, fine, warning, wrong};

/// How long a provider may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Largest document of a provider that is looked at, in bytes.
const BYTES: usize = 1024 * 1024;

/// Most certificates of one provider that are looked at.
const MOST_CERTIFICATES: usize = 20;

/// Looks at every provider that is switched on.
pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.openid.enabled {
        findings.push(client_file(&config.openid.client_file));
        findings.push(discovery(config.openid.issuer.as_deref().unwrap_or_default()).await);
    }
    if config.saml.enabled {
        findings.extend(metadata(config).await);
    }
    findings
}

fn client_file(path: &Path) -> Finding {
    let check = "OpenID Connect";
    let name = path.display();
    let fix = format!("write client-id=… and client-secret=… to {name}, readable for the service alone (chmod 600)");
    match std::fs::read_to_string(path) {
        Err(error) => wrong(check, format!("{name}: {error}"), fix),
        Ok(text)
            if !["client-id", "client-secret"]
                .iter()
                .all(|key| text.lines().any(|line| line.trim_start().starts_with(key))) =>
        {
            wrong(check, format!("{name} lacks client-id or client-secret"), fix)
        }
        Ok(_) if std::fs::metadata(path).is_ok_and(|file| !is_private(&file)) => {
            warning(check, format!("others may read {name}"), format!("chmod 600 {name}"))
        }
        Ok(_) => fine(check, format!("{name} has what is needed")),
    }
}

/// OpenID Connect Discovery 1.0 §4: the document must name the very issuer that is configured.
async fn discovery(issuer: &str) -> Finding {
    let check = "OpenID Connect";
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let text = match fetch(&url).await {
        Ok(text) => text,
        Err(reason) => {
            return wrong(
                check,
                format!("{url}: {reason}"),
                "check auth-openid-issuer, the network and the authorities this machine trusts",
            );
        }
    };
    let named = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|document| Some(document.get("issuer")?.as_str()?.to_owned()));
    match named {
        Some(named) if named == issuer => fine(check, format!("{issuer} answers")),
        Some(named) => wrong(
            check,
            format!("{url} names the issuer {named}"),
            format!("set auth-openid-issuer={named}"),
        ),
        None => wrong(
            check,
            format!("{url} is not a discovery document"),
            "check auth-openid-issuer",
        ),
    }
}

async fn metadata(config: &Config) -> Vec<Finding> {
    let check = "SAML";
    let (place, text) = match (&config.saml.metadata_path, &config.saml.metadata_url) {
        (Some(path), _) => (
            path.display().to_string(),
            std::fs::read_to_string(path).map_err(|error| error.to_string()),
        ),
        (None, Some(url)) => (url.clone(), fetch(url).await),
        (None, None) => return Vec::new(),
    };
    let fix = "fetch the provider's metadata anew, or check auth-saml-metadata-url and the network";
    let text = match text {
        Ok(text) => text,
        Err(reason) => return vec![wrong(check, format!("{place}: {reason}"), fix)],
    };
    let certificates = certificates(&text);
    if certificates.is_empty() {
        return vec![wrong(check, format!("{place} has no certificate"), fix)];
    }
    let what = format!("a certificate in {place}");
    let told = certificates
        .iter()
        .map(|der| certificate::judge(check, &what, der, fix));
    told.collect()
}

/// The contents of every `X509Certificate`, whatever prefix it has.
fn certificates(metadata: &str) -> Vec<Vec<u8>> {
    let pieces = metadata.split("X509Certificate>").skip(1).step_by(2);
    let decoded = pieces.filter_map(|piece| {
        let text: String = piece.split('<').next()?.split_whitespace().collect();
        STANDARD.decode(text).ok()
    });
    decoded.take(MOST_CERTIFICATES).collect()
}

async fn fetch(url: &str) -> Result<String, String> {
    let client = super::node::client(LIMIT).map_err(|error| format!("{error:#}"))?;
    let mut answer = client
        .get(url)
        .send()
        .await
        .map_err(|error| super::node::cause(&error))?;
    if answer.status().as_u16() != 200 {
        return Err(format!("the answer is {}", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| super::node::cause(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > BYTES {
            return Err(format!("it is larger than {BYTES} bytes"));
        }
    }
    String::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())
}
