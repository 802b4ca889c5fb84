//! `rollcall audit`: who changed what.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use rollcall::config::Config;
use rollcall::db::{AuditEntry, AuditFilter, Database};

use super::output::time;
use super::rows::Rows;
use super::window::{Stretch, Window};
use super::{names, session, token, user};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only what happened to this user: userName, POSIX name or SCIM id; the last one of that name, if he is deleted.
    #[arg(long, value_name = "USER", add = ArgValueCompleter::new(names::of_users))]
    user: Option<String>,
    /// Only what this actor did: token:ID, login:PROVIDER, user:ID (at the pages) or os:NAME (of the real uid; who called sudo, as
    /// its environment claims, is the `origin` of the JSON).
    #[arg(long, value_parser = actor)]
    actor: Option<String>,
    /// Only what this token did: its name or public id.
    #[arg(long, conflicts_with = "actor", add = ArgValueCompleter::new(names::of_tokens))]
    token: Option<String>,
    /// Only what came this way.
    #[arg(long, value_parser = ["scim", "login", "cli", "import", "bootstrap", "web", "service"])]
    path: Option<String>,
    /// Only this action.
    #[arg(long, value_parser = ACTIONS)]
    action: Option<String>,
    /// Only what one request caused.
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    #[command(flatten)]
    window: Window,
}

/// What the log calls the changes that it keeps.
const ACTIONS: [&str; 13] = [
    "create",
    "update",
    "lock",
    "unlock",
    "delete",
    "login",
    "forget-subject",
    "revoke",
    "reserve",
    "release",
    "override",
    "limit",
    "reseed",
];

/// Refuses an actor that no line can have.
fn actor(text: &str) -> Result<String, String> {
    let is_one = |kind: &str| text.strip_prefix(kind).is_some_and(|rest| !rest.is_empty());
    let is_whole = matches!(text, "service" | "unknown");
    if is_whole || ["token:", "login:", "user:", "os:"].into_iter().any(is_one) {
        return Ok(text.to_owned());
    }
    Err("an actor is token:ID, login:PROVIDER, user:ID, os:NAME or service".to_owned())
}

const ROWS: Rows<AuditEntry> = Rows {
    heads: &["TIME", "ACTOR", "PATH", "ACTION", "SUBJECT", "REQUEST", "DETAIL"],
    row,
};

pub(crate) async fn print(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    session::with(config, async |db| {
        let subject = match &arguments.user {
            Some(name) => Some(user::find_former(db, name).await?),
            None => None,
        };
        let actor = match &arguments.token {
            Some(name) => Some(actor_of_token(db, name).await?),
            None => arguments.actor.clone(),
        };
        let mut filter = AuditFilter {
            subject,
            actor,
            path: arguments.path.clone(),
            action: arguments.action.clone(),
            request_id: arguments.request.clone(),
            since: arguments.window.since,
            until: arguments.window.until,
            ..AuditFilter::default()
        };
        let find = async |stretch: Stretch, limit| {
            (filter.after, filter.before) = (stretch.after, stretch.before);
            Ok(db.audit_find(&filter, limit).await?)
        };
        arguments.window.show(&ROWS, |entry| entry.id, find).await
    })
    .await
}

/// A token that is forgotten by now still has its lines: what is no name is taken as a public id. Refuses what is neither.
async fn actor_of_token(db: &Database, name: &str) -> anyhow::Result<String> {
    if let Some(known) = token::known(db, name).await? {
        return Ok(format!("token:{}", known.public_id));
    }
    let filter = AuditFilter {
        actor: Some(format!("token:{name}")),
        ..AuditFilter::default()
    };
    if db.audit_find(&filter, 1).await?.is_empty() {
        return Err(token::unknown(name));
    }
    Ok(format!("token:{name}"))
}

fn row(entry: &AuditEntry) -> Vec<String> {
    vec![
        time(Some(entry.at)),
        entry.actor.clone(),
        entry.path.clone(),
        format!("{} {}", entry.action, entry.resource),
        entry.subject.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        entry.request_id.clone().unwrap_or_else(|| "-".to_owned()),
        entry.detail.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ACTIONS, actor};

    #[test]
    fn every_action_that_the_database_writes_can_be_asked_for() {
        let call = regex::Regex::new("audit_write\\(p_audit, '([a-z-]+)'").unwrap();
        let mut written = BTreeSet::from(["lock".to_owned(), "unlock".to_owned()]);
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/functions")).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            written.extend(call.captures_iter(&text).map(|found| found[1].to_owned()));
        }
        assert_eq!(written, ACTIONS.into_iter().map(str::to_owned).collect());
    }

    #[test]
    fn an_actor_that_nobody_can_be_is_refused() {
        for good in ["token:ab12", "login:saml", "user:1", "os:root", "service"] {
            assert!(actor(good).is_ok(), "{good}");
        }
        for bad in ["", "root", "token:", "cli:root", "Token:x"] {
            assert!(actor(bad).is_err(), "{bad:?}");
        }
    }
}
