//! workbench-nss.conf and the two tokens.

use std::path::{Path, PathBuf};

use rollcall_nss::config::{Address, CONFIG_MAX, CONFIG_PATH as FILE, Config, DirectMode, Scheme, parse};

use super::{Finding, beneath, fine, mode, unsafe_owner, warning, wrong};

/// What is needed for asking as the module would.
#[derive(Debug)]
pub(super) struct Configuration {
    /// Addresses, in the order in which they are tried.
    pub(super) addresses: Vec<String>,
    /// The token of ordinary processes.
    pub(super) user_token: String,
    /// Authorities besides the system's.
    pub(super) ca_file: Option<PathBuf>,
    /// Whether processes ask nobody but the agent.
    pub(super) is_agent_alone: bool,
}

/// Reads the file and the tokens; without the file there is no configuration.
pub(super) fn look(root: &Path) -> (Option<Configuration>, Vec<Finding>) {
    let check = "configuration";
    let path = beneath(root, FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) => {
            let finding = wrong(
                check,
                format!("{}: {error}", path.display()),
                "rollcall nss-conf install",
            );
            return (None, vec![finding]);
        }
    };
    let mut findings = Vec::new();
    if let Some(evidence) = unsafe_owner(root, &path) {
        findings.push(wrong(
            check,
            format!("{evidence}: the module ignores it"),
            format!("chown root: {FILE}; chmod 644 {FILE}; a link must become the file"),
        ));
    }
    if text.len() > CONFIG_MAX {
        findings.push(wrong(
            check,
            format!(
                "{} is larger than {CONFIG_MAX} bytes: the module ignores it",
                path.display()
            ),
            format!("shorten {FILE}"),
        ));
    }
    let config = read(&text, &mut findings);
    let addresses: Vec<String> = config.addresses.iter().map(written).collect();
    if findings.is_empty() {
        findings.push(fine(
            check,
            format!("{} names {}", path.display(), addresses.join(", ")),
        ));
    }
    let (user_token, finding) = token(root, &config.user_token_path, false);
    findings.push(finding);
    findings.push(token(root, &config.admin_token_path, true).1);
    let configuration = Configuration {
        addresses,
        user_token,
        ca_file: config.ca_file.map(|file| beneath(root, &file)),
        is_agent_alone: config.direct == DirectMode::Never,
    };
    (Some(configuration), findings)
}

/// What the module makes of the file, and what it makes nothing of.
fn read(text: &[u8], findings: &mut Vec<Finding>) -> Config {
    let check = "configuration";
    let (config, faults) = parse(&String::from_utf8_lossy(text));
    for fault in faults {
        findings.push(if fault.line == 0 {
            let fix = "rollcall nss-conf install --overwrite --server-address https://…";
            wrong(check, fault.message, fix)
        } else {
            let evidence = format!("line {}: {}", fault.line, fault.message);
            warning(check, evidence, format!("correct it in {FILE}; rollcall-node check"))
        });
    }
    if !config.verify {
        let fix = format!("remove it from {FILE}; ca-file names an authority of your own");
        findings.push(warning(check, "verify-ssl-certs=0: whoever answers is believed", fix));
    }
    if config.ids.min > config.ids.max {
        let evidence = "minimum-id is above maximum-id: nobody resolves";
        findings.push(wrong(check, evidence, format!("correct one of them in {FILE}")));
    }
    config
}

/// An address as the file has it.
fn written(address: &Address) -> String {
    let scheme = match address.scheme {
        Scheme::Unix => return format!("unix:{}", address.host),
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    format!("{scheme}://{}{}", address.host_header(), address.prefix)
}

/// Everybody resolves users, so everybody reads the one token; shadow is for root, so nobody else reads the other.
fn token(root: &Path, file: &str, is_admin: bool) -> (String, Finding) {
    let path = beneath(root, file);
    let check = if is_admin { "admin token" } else { "user token" };
    let right = if is_admin { 0o600 } else { 0o644 };
    let text = std::fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
    let chmod = format!("chown root: {file}; chmod {right:o} {file}");
    let finding = if text.is_empty() {
        wrong(
            check,
            format!("{} is missing or empty", path.display()),
            "rollcall nss-conf install",
        )
    } else if let Some(evidence) = unsafe_owner(root, &path) {
        wrong(check, evidence, chmod)
    } else if is_admin && mode(&path) & 0o077 != 0 {
        wrong(
            check,
            format!("others than root may read {}: it opens shadow", path.display()),
            chmod,
        )
    } else if !is_admin && mode(&path) & 0o004 == 0 {
        wrong(
            check,
            format!("only root may read {}: nobody else resolves users", path.display()),
            chmod,
        )
    } else {
        fine(check, format!("{} is there", path.display()))
    };
    (text, finding)
}
