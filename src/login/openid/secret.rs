//! The client file in Workbench's format: lines `client-id=…` and `client-secret=…`, for nobody else's eyes.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::config::Secret;

/// Largest client file, in bytes.
const BYTES: u64 = 64 * 1024;

/// Our registration with a provider.
#[derive(Debug)]
pub(super) struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`; public clients have none.
    pub secret: Option<Secret>,
}

/// Reads the file. Raises what is missing, a line of another form, and a file that others may read.
pub(super) fn read(path: &Path) -> anyhow::Result<Client> {
    let shown = path.display();
    let file = std::fs::metadata(path).with_context(|| format!("auth-openid-client-file: cannot read {shown}"))?;
    ensure!(file.len() <= BYTES, "{shown} is too large for a client file");
    ensure!(
        is_private(&file),
        "{shown} can be read by others: its mode must be 0600, or 0640 where it is root's and its group the service's"
    );
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    parse(&text).with_context(|| format!("{shown} is no client file"))
}

/// Whether a file is for the eyes of the service alone: its own with no right for anybody else, or root's with a group that may
/// read it, which is how the service gets a file from a package or from a volume of Kubernetes.
pub fn is_private(file: &Metadata) -> bool {
    let others = if file.uid() == 0 { 0o037 } else { 0o077 };
    file.mode() & others == 0
}

fn parse(text: &str) -> anyhow::Result<Client> {
    let (mut id, mut secret) = (None, None);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let field = match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            Some(("client-id", value)) if !value.is_empty() => id.replace(value.to_owned()),
            Some(("client-secret", value)) if !value.is_empty() => secret.replace(value.to_owned()),
            // The line may be a secret, so it is not shown.
            _ => bail!("line {} is neither client-id=… nor client-secret=…", number + 1),
        };
        ensure!(field.is_none(), "line {} gives a value again", number + 1);
    }
    Ok(Client {
        id: id.context("client-id is missing")?,
        secret: secret.map(Secret::new),
    })
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn both_lines_are_read_and_anything_else_is_refused_without_being_shown() {
        let client = parse("# Posit\n client-id = me \nclient-secret=a=b==\n").unwrap();
        assert_eq!((client.id.as_str(), client.secret.unwrap().expose()), ("me", "a=b=="));
        assert!(parse("client-id=me").unwrap().secret.is_none());
        for broken in [
            "",
            "client-secret=hidden",
            "client-id=",
            "client-id=a\nhidden",
            "client-id=a\nclient-id=b",
        ] {
            let error = format!("{:#}", parse(broken).unwrap_err());
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
