//! `rollcall token`: make, list and revoke bearer tokens.

use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;
use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::db::tokens::{Token, TokenDraft};
use rollcall::scim::dialect::Dialect;
use rollcall::tokens::{NewToken, Scope, expiry, is_name};
use serde_json::json;

use super::output::{Form, table, time};
use super::session;
use super::{Refused, names};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token and print it, once.
    Generate {
        /// A name for people.
        name: String,
        /// What it may be used for; may be repeated. One of scim, nss-user, nss-admin, login, audit, admin.
        #[arg(long = "scope", default_value = "scim")]
        scopes: Vec<Scope>,
        /// The SCIM client's dialect: strict, entra, okta, onelogin, jumpcloud, authentik, ping, core.
        #[arg(long, default_value = "strict")]
        dialect: Dialect,
        /// Days for which it is valid; 365 unless said otherwise, unlimited for nss scopes.
        #[arg(long, value_name = "DAYS", conflicts_with = "no_expiry", value_parser = clap::value_parser!(i64).range(1..=36500))]
        duration: Option<i64>,
        /// Valid until it is revoked.
        #[arg(long)]
        no_expiry: bool,
        #[command(flatten)]
        form: Form,
    },
    /// List the tokens that are valid or expired, not those revoked.
    List {
        #[command(flatten)]
        form: Form,
    },
    /// Revoke by name or public id.
    Revoke {
        /// The name or public id.
        #[arg(required_unless_present = "all", add = ArgValueCompleter::new(names::of_tokens))]
        name: Option<String>,
        /// Revoke every token.
        #[arg(long, conflicts_with = "name")]
        all: bool,
        #[command(flatten)]
        form: Form,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Generate {
            name,
            scopes,
            dialect,
            duration,
            no_expiry,
            form,
        } => {
            check_name(&name)?;
            let expires_at = if no_expiry {
                None
            } else {
                expiry(&scopes, duration, Timestamp::now())?
            };
            let token = NewToken::generate();
            let draft = TokenDraft {
                name: &name,
                scopes: &scopes,
                dialect: dialect.as_str(),
                parent: None,
                expires_at,
            };
            session::with(config, async |db| {
                Ok(db.token_create(&token, &draft, &session::origin()).await?)
            })
            .await?;
            let value = json!({
                "token": token.reveal(), "id": token.public_id, "name": name, "expires_at": expires_at,
                "scopes": scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
            });
            form.print(&value, |_| format!("{}\n", token.reveal()))
        }
        Command::List { form } => {
            let tokens = session::with(config, async |db| Ok(db.token_list(false).await?)).await?;
            let list: Vec<_> = tokens
                .iter()
                .map(|t| {
                    json!({
                        "id": t.public_id, "name": t.name, "dialect": t.dialect, "created": t.created,
                        "scopes": t.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
                        "created_by": t.created_by, "expires_at": t.expires_at, "last_used_at": t.last_used_at,
                        "last_used_from": t.last_used_from,
                    })
                })
                .collect();
            form.print(&list, |_| {
                let rows: Vec<_> = tokens
                    .iter()
                    .map(|t| {
                        let scopes: Vec<_> = t.scopes.iter().map(|scope| scope.as_str()).collect();
                        vec![
                            t.name.clone(),
                            format!("rc_{}.…", t.public_id),
                            scopes.join(","),
                            t.dialect.clone(),
                            time(Some(t.created)),
                            t.expires_at.map_or_else(|| "never".to_owned(), |at| time(Some(at))),
                            time(t.last_used_at),
                            t.last_used_from.clone().unwrap_or_else(|| "-".to_owned()),
                        ]
                    })
                    .collect();
                table(
                    &[
                        "NAME",
                        "KEY",
                        "SCOPES",
                        "DIALECT",
                        "CREATED",
                        "EXPIRES",
                        "LAST USED",
                        "FROM",
                    ],
                    &rows,
                )
            })
        }
        Command::Revoke { name, all, form } => {
            let name = if all { None } else { name };
            let revoked = session::with(config, async |db| {
                Ok(db.token_revoke(name.as_deref(), &session::origin()).await?)
            })
            .await?;
            if revoked.is_empty() && !all {
                return Err(Refused("no valid token has this name or public id".into()).into());
            }
            form.print(&json!({"revoked": revoked}), |_| format!("{} revoked\n", revoked.len()))
        }
    }
}

fn check_name(name: &str) -> anyhow::Result<()> {
    if !is_name(name) {
        return Err(Refused("a token's name must have 1 to 255 characters and no control characters".into()).into());
    }
    Ok(())
}

/// The token of this name or public id, be it revoked.
pub(crate) async fn known(db: &Database, name: &str) -> anyhow::Result<Option<Token>> {
    let mut tokens = db.token_list(true).await?.into_iter();
    Ok(tokens.find(|token| token.name == name || token.public_id == name))
}

/// The refusal of a token that nobody has or had.
pub(crate) fn unknown(name: &str) -> anyhow::Error {
    Refused(format!("there is no token {name:?} and was none")).into()
}
