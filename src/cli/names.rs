//! Names of users, groups and tokens that a shell completes: asked of the database, within half a second or not at all.
//! They come from identity providers: none is offered that a shell would do anything with but pass it on.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use rollcall::config::{Config, Database as DatabaseConfig, Sources};
use rollcall::db::Database;
use rollcall::private_postgres::PrivatePostgres;

use super::{group, session, user};

/// How long somebody who presses the tab key waits at most.
const DEADLINE: Duration = Duration::from_millis(500);

/// Most names that are offered.
const NAMES: u32 = 50;

/// What kind of name is completed.
#[derive(Debug, Clone, Copy)]
enum Kind {
    User,
    Group,
    Token,
}

/// Completes the name of a user.
pub(crate) fn of_users(current: &OsStr) -> Vec<CompletionCandidate> {
    found(Kind::User, current)
}

/// Completes the name of a group.
pub(crate) fn of_groups(current: &OsStr) -> Vec<CompletionCandidate> {
    found(Kind::Group, current)
}

/// Completes the name of a token.
pub(crate) fn of_tokens(current: &OsStr) -> Vec<CompletionCandidate> {
    found(Kind::Token, current)
}

/// Whatever goes wrong, no name is offered and nothing is said: this is somebody's command line.
fn found(kind: Kind, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str().map(str::to_owned) else {
        return Vec::new();
    };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(names(kind, &current).unwrap_or_default()));
    let names = receiver.recv_timeout(DEADLINE).unwrap_or_default();
    names
        .into_iter()
        .filter(|name| is_plain_word(name))
        .map(CompletionCandidate::new)
        .collect()
}

/// Whether every shell takes `name` as one word that means itself, and this program does not take it as an option. The shells put
/// candidates into the line as they are: `$(…)` in a group's name would run.
fn is_plain_word(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(is_plain)
}

fn names(kind: Kind, current: &str) -> anyhow::Result<Vec<String>> {
    // What is completed stands behind the first `--`: its own --config and settings count.
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let matches = super::command().ignore_errors(true).try_get_matches_from(words)?;
    let file = matches.get_one::<PathBuf>("config").cloned();
    let (config, _) = Config::load(&Sources::of_process(super::flags(&matches), file))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let private = match &config.database {
            // A key press starts no server.
            DatabaseConfig::Private(private) => match PrivatePostgres::attach(&private.data_dir) {
                Some(running) => Some(running),
                None => return Ok(Vec::new()),
            },
            DatabaseConfig::External(_) => None,
        };
        let addresses = session::addresses(&config, private.as_ref())?;
        let db = Database::new(
            addresses.primary.as_ref(),
            addresses.standby.as_ref(),
            session::pools(&config.database),
            session::options(&config),
        )?;
        of_kind(&db, kind, current).await
    })
}

async fn of_kind(db: &Database, kind: Kind, current: &str) -> anyhow::Result<Vec<String>> {
    let starts = |attribute: &str| Some(format!("{attribute} sw {}", serde_json::Value::from(current)));
    let filter = |attribute: &str| if current.is_empty() { None } else { starts(attribute) };
    Ok(match kind {
        Kind::User if current.contains('@') => {
            let users = user::list(db, filter("userName").as_deref(), NAMES).await?;
            users.iter().map(|user| user::user_name(user).to_owned()).collect()
        }
        Kind::User => {
            let users = user::list(db, filter("posixUserName").as_deref(), NAMES).await?;
            users.into_iter().map(|user| user.posix_name).collect()
        }
        Kind::Group => {
            let groups = group::list(db, filter("displayName").as_deref(), NAMES).await?;
            groups
                .iter()
                .map(|group| group::display_name(group).to_owned())
                .collect()
        }
        Kind::Token => {
            let tokens = db.token_list(false).await?;
            let names = tokens.into_iter().map(|token| token.name);
            names
                .filter(|name| name.starts_with(current))
                .take(NAMES as usize)
                .collect()
        }
    })
}
