//! workbench-nss.conf and the two tokens.

use std::path::{Path, PathBuf};

use super::{Finding, beneath, fine, mode, unsafe_owner, warning, wrong};

/// Where the module looks, and nowhere else.
const FILE: &str = "/etc/rstudio/workbench-nss.conf";

/// The keys that there are (nss/README.md).
const KEYS: [&str; 18] = [
    "server-address",
    "admin-token-path",
    "user-token-path",
    "ca-file",
    "verify-ssl-certs",
    "enumerate",
    "connect-timeout-ms",
    "request-timeout-ms",
    "breaker-retry-ms",
    "cache-ttl-s",
    "negative-cache-ttl-s",
    "stale-if-error-s",
    "direct-mode",
    "minimum-id",
    "maximum-id",
    "home-skel",
    "home-mode",
    "home-hook",
];

/// What is needed for asking as the module would.
#[derive(Debug)]
pub(super) struct Configuration {
    /// Addresses, in the order in which they are tried.
    pub(super) addresses: Vec<String>,
    /// The token of ordinary processes.
    pub(super) user_token: String,
    /// Authorities besides the system's.
    pub(super) ca_file: Option<PathBuf>,
}

/// Reads the file and the tokens; without the file there is no configuration.
pub(super) fn look(root: &Path) -> (Option<Configuration>, Vec<Finding>) {
    let check = "configuration";
    let path = beneath(root, FILE);
    let text = match std::fs::read_to_string(&path) {
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
            format!("chown root: {FILE}; chmod 644 {FILE}"),
        ));
    }
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let pairs: Vec<(&str, &str)> = lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')))
        .collect();
    for (key, _) in pairs.iter().filter(|(key, _)| !KEYS.contains(key)) {
        findings.push(warning(
            check,
            format!("there is no key {key:?}; it is ignored"),
            format!("correct it in {FILE}; rollcall-node check"),
        ));
    }
    let value = |key: &str| {
        pairs
            .iter()
            .rev()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    };
    let addresses: Vec<String> = value("server-address")
        .unwrap_or_default()
        .split([',', ' '])
        .filter(|address| !address.is_empty())
        .map(str::to_owned)
        .collect();
    if addresses.is_empty() {
        findings.push(wrong(
            check,
            "server-address is missing: no look-up leaves this node",
            "rollcall nss-conf install --overwrite --server-address https://…",
        ));
    }
    if value("verify-ssl-certs") == Some("0") {
        findings.push(warning(
            check,
            "verify-ssl-certs=0: whoever answers is believed",
            format!("remove it from {FILE}; ca-file names an authority of your own"),
        ));
    }
    if findings.is_empty() {
        findings.push(fine(
            check,
            format!("{} names {}", path.display(), addresses.join(", ")),
        ));
    }
    let (user_token, finding) = token(
        root,
        value("user-token-path").unwrap_or("/etc/rstudio/user-token"),
        false,
    );
    findings.push(finding);
    findings.push(
        token(
            root,
            value("admin-token-path").unwrap_or("/etc/rstudio/admin-token"),
            true,
        )
        .1,
    );
    let ca_file = value("ca-file").map(|file| beneath(root, file));
    (
        Some(Configuration {
            addresses,
            user_token,
            ca_file,
        }),
        findings,
    )
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_keys_are_those_that_the_module_reads() {
        let source = include_str!("../../../../nss/src/config/parse.rs");
        let arms = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => "));
        let read: BTreeSet<&str> = arms
            .map(|(key, _)| key)
            .filter(|key| key.contains('-') || *key == "enumerate")
            .collect();
        assert!(read.len() > 10, "{read:?}");
        assert_eq!(read, super::KEYS.into_iter().collect());
    }
}
