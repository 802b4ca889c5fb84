//! `rollcall nss-conf`: the configuration file and the tokens by which a node asks the read API (nss/README.md §4).

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::db::nodes::NodeSight;
use rollcall::db::tokens::TokenDraft;
use rollcall::http::nss::MAX_AGE_SECONDS;
use rollcall::tokens::{NewToken, Scope};
use serde_json::json;

use super::Misconfigured;
use super::output::{self, Form, table, time};
use super::session;
use super::whole_file::{self, Outcome, keep_or_write, replace};

/// Where nodes look for the configuration file; they look nowhere else.
const FOLDER: &str = "/etc/rstudio";

/// The configuration file.
const CONFIGURATION: &str = "workbench-nss.conf";

/// The token files: name, mode, scope. Everybody resolves users; shadow is for root alone.
const TOKENS: [(&str, u32, Scope); 2] = [
    ("admin-token", 0o600, Scope::NssAdmin),
    ("user-token", 0o644, Scope::NssUser),
];

/// Most addresses that one configuration file may name.
const MOST_ADDRESSES: usize = 16;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print workbench-nss.conf; the file is the answer, in its own format: there is no --output.
    Generate {
        #[command(flatten)]
        what: What,
    },
    /// Write workbench-nss.conf, admin-token and user-token where they are missing.
    Install {
        #[command(flatten)]
        what: What,
        /// Write workbench-nss.conf anew if it is there; tokens are never replaced.
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        form: Form,
    },
    /// List the nodes that have asked within seven days, and for how long each may go on showing what was; those that only ask
    /// replicas of role read without a database-uri are not known.
    Nodes {
        #[command(flatten)]
        form: Form,
    },
}

/// What goes into the configuration file.
#[derive(Debug, clap::Args)]
pub(crate) struct What {
    /// Where nodes ask: `unix:/path`, `http://host[:port]` or `https://host[:port]`; may be repeated, tried in this order.
    /// Unless given, read-socket and read-listen of this machine.
    #[arg(long = "server-address", value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// The folder of the files; shared by several nodes, it gives them the same tokens.
    #[arg(long, value_name = "DIR", default_value = FOLDER)]
    folder: PathBuf,
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Generate { what } => output::write(&what.text(config)?),
        Command::Install { what, overwrite, form } => install(config, &what, overwrite, form).await,
        Command::Nodes { form } => nodes(config, form).await,
    }
}

/// For how many seconds at most a node goes on showing what was, while it can ask; none where it follows the change feed, a second
/// behind.
pub(super) fn outdated_for(node: &NodeSight) -> Option<i32> {
    node.cache_ttl_s.map(|seconds| seconds.min(MAX_AGE_SECONDS))
}

async fn nodes(config: &Config, form: Form) -> anyhow::Result<()> {
    let nodes = session::with(config, async |db| Ok(db.node_list().await?)).await?;
    let list: Vec<_> = nodes
        .iter()
        .map(|node| {
            json!({"name": node.name, "follows_feed": node.cache_ttl_s.is_none(), "cache_ttl_s": node.cache_ttl_s,
                   "outdated_for_s": outdated_for(node), "seen_at": node.at, "seen_from": node.from})
        })
        .collect();
    form.print(&list, |_| {
        let rows: Vec<_> = nodes
            .iter()
            .map(|node| {
                let outdated =
                    outdated_for(node).map_or_else(|| "follows the feed".to_owned(), |seconds| format!("{seconds} s"));
                vec![node.name.clone(), outdated, time(Some(node.at)), node.from.clone()]
            })
            .collect();
        table(&["NODE", "OUTDATED FOR", "SEEN", "FROM"], &rows)
    })
}

/// Writes what is missing. The tokens come first: a configuration file without them would be read by nodes at once.
async fn install(config: &Config, what: &What, overwrite: bool, form: Form) -> anyhow::Result<()> {
    let text = what.text(config)?;
    std::fs::create_dir_all(&what.folder).with_context(|| format!("cannot make {}", what.folder.display()))?;
    let mut outcomes = Vec::new();
    let is_missing = |name: &str| !whole_file::exists(&what.folder.join(name));
    if TOKENS.iter().any(|(name, ..)| is_missing(name)) {
        // The database is opened only for this: with both tokens there, an installation works while it is away.
        session::with(config, async |db| {
            for (name, mode, scope) in TOKENS {
                outcomes.push((name, token(db, &what.folder.join(name), mode, scope).await?));
            }
            Ok(())
        })
        .await?;
    } else {
        outcomes.extend(TOKENS.map(|(name, ..)| (name, Outcome::Kept)));
    }
    let path = what.folder.join(CONFIGURATION);
    let written = if overwrite {
        replace(&path, &text, 0o644)?
    } else {
        keep_or_write(&path, &text, 0o644)?
    };
    outcomes.push((CONFIGURATION, written));
    let value: Vec<_> = outcomes
        .iter()
        .map(|(name, outcome)| json!({"path": what.folder.join(name), "outcome": outcome.as_str()}))
        .collect();
    form.print(&value, |_| {
        let rows: Vec<_> = outcomes
            .iter()
            .map(|(name, outcome)| {
                vec![
                    what.folder.join(name).display().to_string(),
                    outcome.as_str().to_owned(),
                ]
            })
            .collect();
        table(&["FILE", "OUTCOME"], &rows)
    })
}

/// Makes a token of `scope` without expiry into `path`, unless there is one. It is stored before it is written, so that
/// no file ever holds a token nobody knows; when the file can't be written, or another run was faster, it is revoked.
async fn token(db: &Database, path: &Path, mode: u32, scope: Scope) -> anyhow::Result<Outcome> {
    if whole_file::exists(path) {
        return Ok(Outcome::Kept);
    }
    let token = NewToken::generate();
    let name = format!("{} {}", scope.as_str(), host());
    let draft = TokenDraft {
        name: &name,
        scopes: &[scope],
        dialect: "strict",
        parent: None,
        expires_at: None,
    };
    let origin = session::origin();
    db.token_create(&token, &draft, &origin).await?;
    let outcome = keep_or_write(path, &(token.reveal() + "\n"), mode);
    if !matches!(outcome, Ok(Outcome::Written)) {
        db.token_revoke(Some(&token.public_id), &origin).await?;
    }
    outcome
}

/// The name of this machine, for people who read lists of tokens.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "(unknown host)".to_owned(),
        name => name.chars().filter(|c| !c.is_control()).take(64).collect(),
    }
}

impl What {
    /// The text of the configuration file. Raises `Misconfigured` for an address or folder that a node could not use.
    fn text(&self, config: &Config) -> anyhow::Result<String> {
        let addresses = if self.addresses.is_empty() {
            own_addresses(config)?
        } else {
            self.addresses.clone()
        };
        if addresses.len() > MOST_ADDRESSES {
            return Err(Misconfigured(format!("at most {MOST_ADDRESSES} addresses, please")).into());
        }
        for address in &addresses {
            check_address(address)?;
        }
        let folder = std::path::absolute(&self.folder)?;
        let folder = folder.to_str().filter(|folder| !folder.contains(char::is_control));
        let folder = folder.ok_or_else(|| Misconfigured("the folder's name must be text on one line".into()))?;
        Ok(format!(
            "server-address={}\nadmin-token-path={folder}/admin-token\nuser-token-path={folder}/user-token\n",
            addresses.join(",")
        ))
    }
}

/// Where this machine's own service answers. A certificate names a host, which `read-listen` does not tell: with TLS and
/// without a socket the address must be given.
fn own_addresses(config: &Config) -> anyhow::Result<Vec<String>> {
    let listeners = &config.listeners;
    let socket = listeners.read_socket.as_deref();
    let mut addresses: Vec<String> = socket
        .map(|path| format!("unix:{}", path.display()))
        .into_iter()
        .collect();
    if listeners.read_tls_cert_file.is_none() && listeners.read_listen.port() != 0 {
        let mut address = listeners.read_listen;
        if address.ip().is_unspecified() {
            let loopback = match address {
                std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            };
            address.set_ip(loopback);
        }
        addresses.push(format!("http://{address}"));
    }
    if addresses.is_empty() {
        let why = "read-listen does not tell under which name nodes reach it: please give --server-address";
        return Err(Misconfigured(why.into()).into());
    }
    Ok(addresses)
}

/// Refuses what a node would not understand: other schemes, and the characters that separate addresses.
fn check_address(address: &str) -> anyhow::Result<()> {
    let is_clean = !address.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',');
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme))
        .map(|rest| rest.trim_end_matches('/'));
    let is_known = match host {
        Some(host) => !host.is_empty() && !host.contains(['/', '?', '#', '@']),
        None => address.strip_prefix("unix:").is_some_and(|path| path.starts_with('/')),
    };
    if is_clean && is_known {
        return Ok(());
    }
    Err(Misconfigured(format!(
        "{address:?} is none of unix:/path, http://host[:port], https://host[:port]"
    ))
    .into())
}

#[cfg(test)]
mod tests {
    use super::check_address;

    #[test]
    fn addresses_that_a_node_would_not_understand_are_refused() {
        for good in [
            "unix:/run/x.sock",
            "http://127.0.0.1:8081",
            "https://users.example.org",
            "https://[::1]:8081/",
        ] {
            assert!(check_address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "unix:run/x.sock",
            "http://",
            "https:///",
            "ftp://host",
            "host:8081",
            "http://a,http://b",
            "http://a b",
            "http://a\nenumerate=0",
            "http://user:secret@host",
            "http://host/path",
        ] {
            assert!(check_address(bad).is_err(), "{bad:?}");
        }
    }
}
