//! Changes of who somebody is on the nodes: deletion, another name, another uid. Each says what follows, and asks.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use jiff::{SignedDuration, Timestamp};
use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::db::nodes::NodeSight;
use rollcall::scim::user::{UserDraft, UserRow, to_document};
use serde_json::json;

use crate::cli::output::{self, Form};
use crate::cli::{Refused, names, nss_conf, session};

/// What confirms a change.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Confirmation {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Shows what follows and asks. Raises a refusal when the answer is no, or when nobody is there to answer.
    pub(in crate::cli) fn ask(self, consequences: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        output::complain(consequences);
        if !std::io::stdin().is_terminal() {
            return Err(Refused("nothing is changed: --yes confirms it where nobody can be asked".into()).into());
        }
        output::complain("type yes to go on:");
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() == "yes" {
            Ok(())
        } else {
            Err(Refused("nothing is changed".into()).into())
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// userName, POSIX name or SCIM id.
    #[arg(add = ArgValueCompleter::new(names::of_users))]
    name: String,
    /// The new POSIX name; the userName stays.
    new_name: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Args)]
pub(crate) struct SetUid {
    /// userName, POSIX name or SCIM id.
    #[arg(add = ArgValueCompleter::new(names::of_users))]
    name: String,
    /// The new uid; the old one is retired.
    uid: u32,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    form: Form,
}

pub(crate) async fn delete(
    config: &Config,
    name: &str,
    force: bool,
    confirmation: Confirmation,
    form: Form,
) -> anyhow::Result<()> {
    let (user, own_gid) = session::with(config, async |db| {
        let user = super::get(db, name).await?;
        super::check_owner(&user, force)?;
        if !force && db.user_is_provisioned(user.id).await? {
            let text = "an identity provider has written this user and its next sync may make him again: use --force";
            return Err(Refused(text.into()).into());
        }
        let own_gid = db.user_own_gid(user.id).await?;
        let others = match own_gid {
            Some(gid) => db.primary_group_of(gid).await?,
            None => None,
        };
        confirmation.ask(&of_deletion(config, &user, own_gid, others.as_deref()))?;
        db.user_delete(user.id, Some(user.version), &session::origin()).await?;
        Ok((user, own_gid))
    })
    .await?;
    let answer = json!({"deleted": user.id, "retired_uid": user.uid, "retired_gid": own_gid});
    form.print(&answer, |_| {
        format!("{} deleted; uid {} is retired\n", user.posix_name, user.uid)
    })
}

/// What follows from a deletion. `own_gid` is the primary gid if it was given to the user himself, `others` are those whose primary one it
/// is too.
fn of_deletion(config: &Config, user: &UserRow, own_gid: Option<i64>, others: Option<&str>) -> String {
    let days = config.provisioning.retain_deleted_days;
    let groups: Vec<&str> = user
        .groups
        .iter()
        .flatten()
        .map(|group| group.display.as_str())
        .collect();
    let uid = user.uid;
    let retired = match own_gid {
        Some(gid) => format!("uid {uid} and gid {gid} are retired and"),
        None => format!(
            "uid {uid} is retired (gid {} is not his own and stays) and",
            user.primary_gid
        ),
    };
    format!(
        "{} will be deleted: {retired} never given again; he leaves {} groups ({}); \
         {} stays on disk; his files show his name for {days} days (posix-retain-deleted), with the shell nologin{}",
        user.posix_name,
        groups.len(),
        groups.join(", "),
        user.home,
        others.map_or_else(String::new, |others| format!(
            "; his gid stays the primary one of {others}, without a group"
        )),
    )
}

pub(crate) async fn rename(config: &Config, arguments: Rename) -> anyhow::Result<()> {
    super::check_names(config, Some(&arguments.new_name), None, None)?;
    let new_name = &arguments.new_name;
    let user = session::with(config, async |db| {
        let user = super::get(db, &arguments.name).await?;
        if user.posix_name == *new_name {
            return Ok(user);
        }
        let called = |draft: &mut UserDraft| draft.posix_name = Some(new_name.clone());
        check(db, &user, called).await?;
        let own_group = match db.user_own_gid(user.id).await? {
            Some(gid) => format!("his own group, gid {gid}, is called so too; "),
            None => String::new(),
        };
        let text = format!(
            "{} will be called {new_name}: uid {} and all files stay his; his home stays {}, rename the folder yourself and set homeDirectory by SCIM; \
             {own_group}sessions, jobs, crontabs, sudoers and subuid go by the old name until they are changed; {}",
            user.posix_name,
            user.uid,
            user.home,
            nodes(db).await?,
        );
        arguments.confirmation.ask(&text)?;
        change(db, &user, called).await
    })
    .await?;
    answer(&user, arguments.form)
}

pub(crate) async fn set_uid(config: &Config, arguments: SetUid) -> anyhow::Result<()> {
    let uid = i64::from(arguments.uid);
    let user = session::with(config, async |db| {
        let user = super::get(db, &arguments.name).await?;
        if user.uid == uid {
            return Ok(user);
        }
        let numbered = |draft: &mut UserDraft| draft.uid = Some(uid);
        check(db, &user, numbered).await?;
        let text = format!(
            "{} will have uid {uid} and never {} again: nobody runs chown, his files stay with uid {} until you do \
             (find / -xdev -uid {} -exec chown -h {uid} {{}} +), on every file system; end his sessions first; \
             his primary group stays {}; {}",
            user.posix_name,
            user.uid,
            user.uid,
            user.uid,
            user.primary_gid,
            nodes(db).await?,
        );
        arguments.confirmation.ask(&text)?;
        change(db, &user, numbered).await
    })
    .await?;
    answer(&user, arguments.form)
}

/// Raises what stands against a change, before anybody is asked.
async fn check(db: &Database, user: &UserRow, set: impl Fn(&mut UserDraft)) -> anyhow::Result<()> {
    let mut draft = UserDraft::from_document(&to_document(user))?;
    set(&mut draft);
    Ok(db.user_update_trial(user.id, &draft, &session::origin()).await?)
}

/// Writes what was confirmed; raises a refusal when somebody has changed the user meanwhile.
async fn change(db: &Database, user: &UserRow, set: impl Fn(&mut UserDraft)) -> anyhow::Result<UserRow> {
    let origin = session::origin();
    let change = |now: &UserRow| {
        let mut draft = UserDraft::from_document(&to_document(now))?;
        set(&mut draft);
        anyhow::Ok(draft)
    };
    let admit = |version| {
        if version == user.version {
            return Ok(());
        }
        Err(Refused("somebody has changed this user meanwhile: nothing is changed, look again".into()).into())
    };
    let written = db.user_modify(user.id, &origin, admit, change).await?;
    Ok(written.user)
}

/// Most nodes that are named one by one.
const MOST_NAMED: usize = 20;

/// A node that follows the change feed asks once a second, which is written down every ten: one that was not seen for so long does not
/// follow it now.
const SILENT: SignedDuration = SignedDuration::from_mins(1);

/// Which nodes have asked lately, and how long each may go on showing what was: the longest first.
async fn nodes(db: &Database) -> anyhow::Result<String> {
    const NOT_KNOWN: &str = "those that only ask replicas of role read without a database-uri are not known";
    let mut nodes = db.node_list().await?;
    if nodes.is_empty() {
        return Ok(format!("no node has asked within seven days ({NOT_KNOWN})"));
    }
    let now = Timestamp::now();
    let is_silent = |node: &NodeSight| node.cache_ttl_s.is_none() && now.duration_since(node.at) > SILENT;
    nodes.sort_by_key(|node| Reverse((is_silent(node), nss_conf::outdated_for(node))));
    // One that asks in both ways shows what was for as long as the slower one does.
    let mut seen = HashSet::new();
    nodes.retain(|node| seen.insert(node.name.clone()));
    let mut named: Vec<String> = nodes
        .iter()
        .take(MOST_NAMED)
        .map(|node| match nss_conf::outdated_for(node) {
            Some(seconds) => format!("{} after about {seconds} s", node.name),
            None if is_silent(node) => {
                format!(
                    "{} when it asks again, last seen {}",
                    node.name,
                    output::time(Some(node.at))
                )
            }
            None => format!("{} within seconds", node.name),
        })
        .collect();
    if nodes.len() > MOST_NAMED {
        named.push(format!("{} more, none of them later", nodes.len() - MOST_NAMED));
    }
    Ok(format!(
        "nodes that reach the service see it: {} (rollcall nss-conf nodes; {NOT_KNOWN})",
        named.join(", ")
    ))
}

fn answer(user: &UserRow, form: Form) -> anyhow::Result<()> {
    let value = json!({"id": user.id, "posixUserName": user.posix_name, "uid": user.uid, "gid": user.primary_gid, "homeDirectory": user.home});
    form.print(&value, |_| {
        format!(
            "{} has uid {}, gid {} and home {}\n",
            user.posix_name, user.uid, user.primary_gid, user.home
        )
    })
}
