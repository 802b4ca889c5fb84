//! `rollcall user`: look at and manage users.

mod history;
mod identity;
mod ssh_keys;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Subcommand};
use clap_complete::engine::ArgValueCompleter;
use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::fold::fold;
use rollcall::scim::dialect::Dialect;
use rollcall::scim::document::normalise;
use rollcall::scim::limits::Limits;
use rollcall::scim::list::{ListQuery, Parameters};
use rollcall::scim::schema::ResourceType;
use rollcall::scim::user::{UserDraft, UserRow};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) use identity::Confirmation;

use super::output::{self, Form, table, time};
use super::{Refused, export, import, names, session};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List users.
    List {
        /// Only those that this SCIM filter holds for, as `userName sw "a"`.
        #[arg(long)]
        filter: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        #[command(flatten)]
        form: Form,
    },
    /// Show one user.
    Show {
        /// userName, POSIX name or SCIM id.
        #[arg(add = ArgValueCompleter::new(names::of_users))]
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Create a user.
    Add {
        /// The userName; the POSIX name is derived from it unless said otherwise.
        name: String,
        #[arg(long, value_name = "NAME")]
        posix_name: Option<String>,
        /// Exactly this uid, or none.
        #[arg(long)]
        uid: Option<u32>,
        #[arg(long, value_name = "FOLDER")]
        home: Option<String>,
        #[arg(long, value_name = "FILE")]
        shell: Option<String>,
        #[arg(long)]
        display_name: Option<String>,
        #[arg(long)]
        email: Option<String>,
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Make a user an administrator of Workbench, or no longer.
    SetAdmin {
        #[arg(add = ArgValueCompleter::new(names::of_users))]
        name: String,
        /// 1 or 0, true or false.
        #[arg(action = ArgAction::Set, value_parser = flag())]
        admin: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Lock a user: he keeps resolving, but cannot sign in.
    Lock {
        #[arg(add = ArgValueCompleter::new(names::of_users))]
        name: String,
        /// Also when an identity provider owns the user.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Unlock a user.
    Unlock {
        #[arg(add = ArgValueCompleter::new(names::of_users))]
        name: String,
        /// Also when an identity provider owns the user.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Forget which person at the identity provider a user is pinned to; the next sign-in pins anew.
    ForgetSubject {
        #[arg(add = ArgValueCompleter::new(names::of_users))]
        name: String,
        /// At this provider alone, as openid:https://id.example.org.
        #[arg(long)]
        provider: Option<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Give a user another POSIX name; says what follows, and asks.
    Rename(identity::Rename),
    /// Give a user another uid; says what follows, and asks.
    SetUid(identity::SetUid),
    /// List, add and take away the SSH public keys by which a user signs in on nodes.
    SshKeys(ssh_keys::SshKeys),
    /// Delete a user: his ids are retired, never given again; says what follows, and asks.
    Delete {
        #[arg(add = ArgValueCompleter::new(names::of_users))]
        name: String,
        /// Also when an identity provider owns the user.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        form: Form,
    },
    /// What has happened to one user: one time line over SCIM, sign-in, imports and the command line.
    History(history::Arguments),
    /// Bring users in from a file or a directory, with their names and numbers as they are.
    Import(import::Arguments),
    /// Write all users into a file that can be imported again; the file is the answer, in its --format: there is no --output.
    Export(export::Arguments),
}

/// Reads 1 and 0, as in settings, or true and false.
fn flag() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new([
        PossibleValue::new("0").alias("false"),
        PossibleValue::new("1").alias("true"),
    ])
    .map(|word| word == "1" || word == "true")
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::History(arguments) => history::run(config, arguments).await,
        Command::Import(arguments) => import::run(config, ResourceType::User, arguments).await,
        Command::Export(arguments) => export::run(config, ResourceType::User, arguments).await,
        Command::List { filter, limit, form } => {
            let one_more = limit.saturating_add(1);
            let mut users = session::with(config, async |db| list(db, filter.as_deref(), one_more).await).await?;
            output::tell_cut(&mut users, limit);
            let list: Vec<_> = users.iter().map(shown).collect();
            form.print(&list, |_| {
                let rows: Vec<_> = users.iter().map(row).collect();
                table(
                    &["UID", "NAME", "USERNAME", "HOME", "ADMIN", "LOCKED", "LAST SIGN-IN"],
                    &rows,
                )
            })
        }
        Command::Show { name, form } => {
            let user = session::with(config, async |db| get(db, &name).await).await?;
            form.print(&shown(&user), |value| {
                let pairs = value.as_object().into_iter().flatten();
                let rows: Vec<_> = pairs.map(|(key, value)| vec![key.clone(), plain(value)]).collect();
                table(&["", ""], &rows).trim_start().to_owned()
            })
        }
        Command::Add {
            name,
            posix_name,
            uid,
            home,
            shell,
            display_name,
            email,
            admin,
            form,
        } => {
            let mut body = Map::new();
            body.insert("userName".into(), name.into());
            if let Some(name) = display_name {
                body.insert("displayName".into(), name.into());
            }
            if let Some(address) = email {
                body.insert(
                    "emails".into(),
                    json!([{"value": address, "primary": true, "type": "work"}]),
                );
            }
            let mut draft = UserDraft::from_document(&normalise(ResourceType::User, body, Dialect::Strict)?)?;
            check_names(config, posix_name.as_deref(), home.as_deref(), shell.as_deref())?;
            draft.posix_name = posix_name;
            draft.uid = uid.map(i64::from);
            draft.home = home;
            draft.shell = shell;
            draft.admin = Some(admin);
            let written = session::with(config, async |db| {
                Ok(db.user_create(Uuid::now_v7(), draft, session::origin()).await?)
            })
            .await?;
            let user = written.user;
            form.print(&shown(&user), |_| {
                format!(
                    "{} has uid {}, gid {} and home {}\n",
                    user.posix_name, user.uid, user.primary_gid, user.home
                )
            })
        }
        Command::SetAdmin { name, admin, form } => set_flags(config, &name, Some(admin), None, true, form).await,
        Command::Lock { name, force, form } => set_flags(config, &name, None, Some(true), force, form).await,
        Command::Unlock { name, force, form } => set_flags(config, &name, None, Some(false), force, form).await,
        Command::ForgetSubject { name, provider, form } => {
            let pins = session::with(config, async |db| {
                let user = find(db, &name).await?;
                Ok(db.login_forget(user, provider.as_deref(), &session::origin()).await?)
            })
            .await?;
            form.print(&json!({"forgotten": pins}), |_| format!("{pins} forgotten\n"))
        }
        Command::SshKeys(arguments) => ssh_keys::run(config, arguments).await,
        Command::Rename(arguments) => identity::rename(config, arguments).await,
        Command::SetUid(arguments) => identity::set_uid(config, arguments).await,
        Command::Delete {
            name,
            force,
            confirmation,
            form,
        } => identity::delete(config, &name, force, confirmation, form).await,
    }
}

async fn set_flags(
    config: &Config,
    name: &str,
    admin: Option<bool>,
    locked: Option<bool>,
    force: bool,
    form: Form,
) -> anyhow::Result<()> {
    let (user, changed) = session::with(config, async |db| {
        let user = get(db, name).await?;
        check_owner(&user, force)?;
        let changed = db.user_set_flags(user.id, admin, locked, &session::origin()).await?;
        Ok((user, changed))
    })
    .await?;
    let answer = json!({"id": user.id, "userName": user_name(&user), "changed": changed});
    form.print(&answer, |_| {
        let word = if changed { "changed" } else { "was so already" };
        let hint = if external_id(&user).is_some() {
            "; the identity provider's next sync may undo it"
        } else {
            ""
        };
        format!("{} {word}{hint}\n", user.posix_name)
    })
}

/// The provider owns the state of a user that it has given an externalId.
fn check_owner(user: &UserRow, force: bool) -> anyhow::Result<()> {
    if external_id(user).is_some() && !force {
        let text = "an identity provider owns this user and its next sync may undo the change: use --force";
        return Err(Refused(text.into()).into());
    }
    Ok(())
}

fn check_names(
    config: &Config,
    posix_name: Option<&str>,
    home: Option<&str>,
    shell: Option<&str>,
) -> anyhow::Result<()> {
    let rule = rollcall::http::state::user_name_rule(&config.provisioning.user_name_rule)?;
    if posix_name.is_some_and(|name| !rule.is_match(name)) {
        let text = format!(
            "the POSIX name does not fit the rule {} (posix-user-name-rule)",
            config.provisioning.user_name_rule
        );
        return Err(Refused(text).into());
    }
    if let Some(home) = home {
        rollcall::posix::check_home(home).map_err(|fault| Refused(format!("--home: {fault}")))?;
    }
    if let Some(shell) = shell {
        rollcall::posix::check_shell(shell).map_err(|fault| Refused(format!("--shell: {fault}")))?;
    }
    Ok(())
}

/// The id of the user with this SCIM id, userName or POSIX name.
pub(crate) async fn find(db: &Database, name: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    db.user_find(&fold(name), name)
        .await?
        .ok_or_else(|| Refused(format!("there is no user {name:?}")).into())
}

/// The id of the user with this SCIM id, userName or POSIX name; of the last one who had it, if he is deleted.
pub(crate) async fn find_former(db: &Database, name: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    db.user_find_former(&fold(name), name)
        .await?
        .ok_or_else(|| Refused(format!("there is no user {name:?} and was none")).into())
}

async fn get(db: &Database, name: &str) -> anyhow::Result<UserRow> {
    let id = find(db, name).await?;
    db.user_get(id, true)
        .await?
        .ok_or_else(|| Refused(format!("there is no user {name:?}")).into())
}

/// At most `limit` users that a SCIM filter holds for.
pub(crate) async fn list(db: &Database, filter: Option<&str>, limit: u32) -> anyhow::Result<Vec<UserRow>> {
    let mut parameters = Parameters {
        filter: filter.map(str::to_owned),
        cursor: Some(String::new()),
        ..Parameters::default()
    };
    let limits = Limits::default();
    let mut users = Vec::new();
    loop {
        let left = limit.saturating_sub(u32::try_from(users.len()).unwrap_or(u32::MAX));
        if left == 0 {
            return Ok(users);
        }
        parameters.count = Some(limits.max_count.to_string());
        let query = ListQuery::parse(
            &parameters,
            ResourceType::User,
            &limits,
            jiff::Timestamp::now().as_second(),
        )?;
        let page = db.user_page(&query, false).await?;
        users.extend(page.rows.into_iter().take(left as usize));
        match page.next {
            Some(next) => parameters.cursor = Some(next.encode()),
            None => return Ok(users),
        }
    }
}

fn shown(user: &UserRow) -> Value {
    json!({
        "id": user.id, "userName": user_name(user), "posixUserName": user.posix_name, "uid": user.uid,
        "gid": user.primary_gid, "homeDirectory": user.home, "loginShell": user.shell,
        "displayName": user.doc.get("displayName"), "externalId": external_id(user), "admin": user.admin,
        "locked": user.locked, "created": user.created, "lastModified": user.last_modified,
        "lastSignIn": user.last_sign_in,
        "groups": user.groups.as_ref().map(|groups| groups.iter().map(|g| g.display.clone()).collect::<Vec<_>>()),
    })
}

fn row(user: &UserRow) -> Vec<String> {
    vec![
        user.uid.to_string(),
        user.posix_name.clone(),
        user_name(user).to_owned(),
        user.home.clone(),
        if user.admin { "yes" } else { "-" }.to_owned(),
        if user.locked { "yes" } else { "-" }.to_owned(),
        time(user.last_sign_in),
    ]
}

pub(crate) fn user_name(user: &UserRow) -> &str {
    user.doc.get("userName").and_then(Value::as_str).unwrap_or_default()
}

fn external_id(user: &UserRow) -> Option<&str> {
    user.doc
        .get("externalId")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
}

/// A JSON value for a table's cell.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
