//! The `key=value` lines of `workbench-nss.conf`.

use super::{ADDRESSES_MAX, Address, Config, DirectMode};

/// Something in the file that was not used; told by `rollcall-node check`, silent in the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what holds instead.
    pub message: String,
}

/// Reads `text`. What cannot be used keeps its default and is told as a finding.
pub fn parse(text: &str) -> (Config, Vec<Finding>) {
    let mut config = Config::default();
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with(';') {
            continue;
        }
        let outcome = match line.split_once('=') {
            Some((key, value)) => set(&mut config, key.trim(), unquoted(value.trim())),
            None => Err("not of the form key=value: ignored".to_owned()),
        };
        if let Err(message) = outcome {
            findings.push(Finding {
                line: index + 1,
                message,
            });
        }
    }
    if config.addresses.is_empty() {
        findings.push(Finding {
            line: 0,
            message: "server-address is missing: no look-up leaves this node".to_owned(),
        });
    }
    (config, findings)
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

fn set(config: &mut Config, key: &str, value: &str) -> Result<(), String> {
    match key {
        "server-address" => config.addresses = addresses(value)?,
        "admin-token-path" => config.admin_token_path = path(key, value)?,
        "user-token-path" => config.user_token_path = path(key, value)?,
        "ca-file" => config.ca_file = Some(path(key, value)?),
        "verify-ssl-certs" => config.verify = flag(key, value)?,
        "enumerate" => config.enumerate = flag(key, value)?,
        "connect-timeout-ms" => config.connect_timeout_ms = number(key, value, 10, 10_000)?,
        "request-timeout-ms" => config.request_timeout_ms = number(key, value, 50, 30_000)?,
        "breaker-retry-ms" => config.breaker_retry_ms = number(key, value, 100, 5_000)?,
        "cache-ttl-s" => config.ttl_s = number(key, value, 1, 300)?,
        "negative-cache-ttl-s" => config.negative_ttl_s = number(key, value, 0, 15)?,
        "stale-if-error-s" => config.stale_s = number(key, value, 0, 604_800)?,
        "minimum-id" => config.ids.min = u32::try_from(number(key, value, 0, u64::from(u32::MAX))?).unwrap_or(u32::MAX),
        "maximum-id" => config.ids.max = u32::try_from(number(key, value, 0, u64::from(u32::MAX))?).unwrap_or(u32::MAX),
        "home-skel" => config.home_skel = path(key, value)?,
        "home-hook" => config.home_hook = Some(path(key, value)?),
        "home-mode" => {
            config.home_mode = u32::from_str_radix(value, 8)
                .ok()
                .filter(|mode| (0o700..=0o777).contains(mode))
                .ok_or("home-mode: an octal number from 700 to 777 is wanted: the default holds")?;
        }
        "direct-mode" => {
            config.direct = match value {
                "auto" => DirectMode::Auto,
                "never" => DirectMode::Never,
                _ => return Err(format!("{key}: \"auto\" or \"never\" is wanted: the default holds")),
            }
        }
        _ => {
            return Err(format!(
                "unknown key {:?}: ignored",
                key.chars().take(64).collect::<String>()
            ));
        }
    }
    Ok(())
}

fn addresses(value: &str) -> Result<Vec<Address>, String> {
    let words = value
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty());
    let mut addresses = Vec::new();
    for word in words.take(ADDRESSES_MAX) {
        let address = Address::parse(word).ok_or("server-address: unix:/path, http://… or https://… is wanted")?;
        addresses.push(address);
    }
    Ok(addresses)
}

fn path(key: &str, value: &str) -> Result<String, String> {
    if value.starts_with('/') && !value.contains('\0') {
        Ok(value.to_owned())
    } else {
        Err(format!("{key}: an absolute path is wanted: the default holds"))
    }
}

fn flag(key: &str, value: &str) -> Result<bool, String> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(format!("{key}: 0 or 1 is wanted: the default holds")),
    }
}

fn number(key: &str, value: &str, min: u64, max: u64) -> Result<u64, String> {
    value
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| format!("{key}: a number from {min} to {max} is wanted: the default holds"))
}
