//! A live look-up, address by address: whether the service answers this node, takes its token, and has the same time.

use std::path::Path;

use anyhow::Context;
use jiff::SignedDuration;
use rollcall::https_client;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::configuration::Configuration;
use super::{Duration, Finding, fine, warning, wrong};
use crate::cli::doctor::numbers;

/// How long the service may take: the module waits for a second, people wait longer.
const LIMIT: Duration = Duration::from_secs(3);

/// Clocks further apart than this make answers look older or younger than they are.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// Most local accounts whose names are looked up.
const MOST_ACCOUNTS: usize = 200;

/// A uid that nobody can have: asking for it shows that the token is taken without naming anybody.
const NOBODYS_UID: u32 = 2_147_352_575;

/// Asks each address, then looks for local accounts that meet ours.
pub(super) async fn look(root: &Path, configuration: &Configuration) -> Vec<Finding> {
    let client = match trusting(LIMIT, configuration.ca_file.as_deref()) {
        Ok(client) => client,
        Err(error) => {
            return vec![wrong(
                "look-up",
                format!("{error:#}"),
                "check ca-file in workbench-nss.conf",
            )];
        }
    };
    let mut findings = Vec::new();
    let mut working = None;
    for address in &configuration.addresses {
        if address.starts_with("unix:") {
            findings.push(fine(
                "look-up",
                format!("{address} is not asked: doctor speaks TCP alone"),
            ));
            continue;
        }
        let told = ask(&client, address, &configuration.user_token).await;
        if told.is_ok() {
            working.get_or_insert(address);
        }
        findings.extend(told.unwrap_or_else(|finding| vec![finding]));
    }
    if let Some(address) = working {
        findings.push(accounts(root, &client, address, &configuration.user_token).await);
    }
    findings
}

async fn ask(client: &reqwest::Client, address: &str, token: &str) -> Result<Vec<Finding>, Finding> {
    let check = "look-up";
    let url = format!("{}/nss/v1/passwd?uid={NOBODYS_UID}", address.trim_end_matches('/'));
    let answer = client.get(&url).bearer_auth(token).send().await.map_err(|error| {
        let fix = "check server-address, the network, and the certificate of the read listener";
        wrong(check, format!("{address}: {}", cause(&error)), fix)
    })?;
    let mut findings = match answer.status().as_u16() {
        200 | 404 => vec![fine(check, format!("{address} answers"))],
        401 | 403 => {
            let fix = "delete the token files of this node, then rollcall nss-conf install";
            return Err(wrong(
                check,
                format!("{address} refuses the token of this node ({})", answer.status()),
                fix,
            ));
        }
        _ => {
            return Err(warning(
                check,
                format!("{address} cannot answer now ({})", answer.status()),
                "rollcall doctor --scope service",
            ));
        }
    };
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    if let Some(theirs) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
        let skew = theirs.timestamp().duration_since(jiff::Timestamp::now()).abs();
        if skew > CLOCK_TOLERANCE {
            let evidence = format!("the clock of {address} differs by {} s", skew.as_secs());
            findings.push(warning("clock", evidence, "synchronise the clocks (chrony)"));
        }
    }
    Ok(findings)
}

/// Local accounts win over ours: where both have a name with different numbers, files change hands.
async fn accounts(root: &Path, client: &reqwest::Client, address: &str, token: &str) -> Finding {
    let check = "local accounts";
    let base = format!("{}/nss/v1/passwd", address.trim_end_matches('/'));
    let local = numbers::local(root, "user");
    for account in local.iter().take(MOST_ACCOUNTS) {
        let Ok(mut url) = reqwest::Url::parse(&base) else { break };
        url.query_pairs_mut().append_pair("name", &account.name);
        let Ok(answer) = client.get(url).bearer_auth(token).send().await else {
            break;
        };
        if answer.status().as_u16() == 200 {
            let name = &account.name;
            let evidence = format!("the local user {name} ({}) hides the user of that name", account.number);
            return wrong(
                check,
                evidence,
                format!("userdel {name}, or usermod --login to give it another name"),
            );
        }
    }
    fine(check, format!("{} hide nobody", local.len()))
}

/// A client that trusts what the operating system trusts.
pub(in crate::cli::doctor) fn client(limit: Duration) -> anyhow::Result<reqwest::Client> {
    trusting(limit, None)
}

fn trusting(limit: Duration, ca_file: Option<&Path>) -> anyhow::Result<reqwest::Client> {
    let mut more = Vec::new();
    if let Some(file) = ca_file {
        let certificates =
            CertificateDer::pem_file_iter(file).with_context(|| format!("cannot read {}", file.display()))?;
        more.extend(certificates.filter_map(Result::ok));
    }
    https_client::trusting(more)?
        .timeout(limit)
        .build()
        .context("the client cannot be made")
}

/// The innermost reason of a failed request: the outer ones only say that it failed.
pub(in crate::cli::doctor) fn cause(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}
