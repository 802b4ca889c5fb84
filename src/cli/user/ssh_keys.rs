//! `rollcall user ssh-keys`: the OpenSSH public keys by which a user signs in on nodes.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use rollcall::config::Config;
use rollcall::scim::Document;
use rollcall::scim::schema::{POSIX_USER, SSH_PUBLIC_KEYS};
use rollcall::scim::user::{UserDraft, UserRow, to_document};
use rollcall::ssh_key::{ALL_BYTES, PublicKey};
use serde_json::{Value, json};

use crate::cli::output::{Form, table};
use crate::cli::{Misconfigured, Refused, names, session};

#[derive(Debug, Args)]
pub(crate) struct SshKeys {
    /// userName, POSIX name or SCIM id.
    #[arg(add = ArgValueCompleter::new(names::of_users))]
    name: String,
    /// Add the keys of this file, one a line; - reads standard input.
    #[arg(long, value_name = "FILE")]
    add: Option<PathBuf>,
    /// Take the key with this fingerprint away, as SHA256:…
    #[arg(long, value_name = "FINGERPRINT")]
    remove: Vec<String>,
    #[command(flatten)]
    form: Form,
}

pub(crate) async fn run(config: &Config, arguments: SshKeys) -> anyhow::Result<()> {
    let added = arguments.add.as_deref().map(read).transpose()?.unwrap_or_default();
    let options = config.provisioning.ssh_key_options;
    let user = session::with(config, async |db| {
        let user = super::get(db, &arguments.name).await?;
        if added.is_empty() && arguments.remove.is_empty() {
            return Ok(user);
        }
        let change = |now: &UserRow| {
            let document = changed(&to_document(now), &added, &arguments.remove)?;
            let draft = UserDraft::from_document(&document)?;
            draft
                .check_key_options(options)
                .map_err(|error| Refused(error.detail))?;
            anyhow::Ok(draft)
        };
        let admit = |_| anyhow::Ok(());
        let written = db.user_modify(user.id, &session::origin(), admit, change).await?;
        Ok(written.user)
    })
    .await?;
    let lines: Vec<String> = lines(&to_document(&user));
    let keys: Vec<(PublicKey<'_>, &String)> = lines
        .iter()
        .filter_map(|line| Some((PublicKey::parse(line).ok()?, line)))
        .collect();
    let list: Vec<Value> = keys
        .iter()
        .map(|(key, line)| {
            json!({"type": key.kind, "fingerprint": key.fingerprint(), "comment": key.comment, "options": key.options, "key": line})
        })
        .collect();
    arguments.form.print(&list, |_| {
        let rows: Vec<_> = keys
            .iter()
            .map(|(key, _)| {
                vec![
                    key.kind.to_owned(),
                    key.fingerprint(),
                    key.comment.to_owned(),
                    key.options.unwrap_or("-").to_owned(),
                ]
            })
            .collect();
        table(&["TYPE", "FINGERPRINT", "COMMENT", "OPTIONS"], &rows)
    })
}

/// The keys of a file. Raises the first line that is none.
fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    use std::io::Read as _;
    let mut text = String::new();
    let most = ALL_BYTES as u64 * 2;
    if path == Path::new("-") {
        std::io::stdin().take(most).read_to_string(&mut text)?;
    } else {
        let file = std::fs::File::open(path)
            .map_err(|error| Misconfigured(format!("cannot read {}: {error}", path.display())))?;
        file.take(most).read_to_string(&mut text)?;
    }
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        PublicKey::parse(line).map_err(|fault| Refused(format!("line {}: {fault}", number + 1)))?;
        keys.push(line.to_owned());
    }
    Ok(keys)
}

/// The document with these keys added, unless they are there, and those taken away. Raises a fingerprint that nobody has.
fn changed(present: &Document, added: &[String], removed: &[String]) -> anyhow::Result<Document> {
    let mut document = present.clone();
    let extension = document.entry(POSIX_USER.id).or_insert_with(|| json!({}));
    let mut keys = extension
        .get(SSH_PUBLIC_KEYS)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let print = |line: &str| PublicKey::parse(line).map(|key| key.fingerprint()).unwrap_or_default();
    let print_of = |key: &Value| print(key["value"].as_str().unwrap_or_default());
    for fingerprint in removed {
        let before = keys.len();
        keys.retain(|key| print_of(key) != *fingerprint);
        if keys.len() == before {
            return Err(Refused(format!("the user has no key {fingerprint}")).into());
        }
    }
    for line in added {
        if !keys.iter().any(|key| print_of(key) == print(line)) {
            keys.push(json!({"value": line}));
        }
    }
    match extension {
        Value::Object(extension) if keys.is_empty() => drop(extension.shift_remove(SSH_PUBLIC_KEYS)),
        extension => extension[SSH_PUBLIC_KEYS] = Value::Array(keys),
    }
    Ok(document)
}

fn lines(document: &Document) -> Vec<String> {
    let keys = document.get(POSIX_USER.id).and_then(|posix| posix.get(SSH_PUBLIC_KEYS));
    let keys = keys.and_then(Value::as_array).into_iter().flatten();
    keys.filter_map(|key| Some(key.get("value")?.as_str()?.to_owned()))
        .collect()
}
