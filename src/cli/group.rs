//! `rollcall group`: look at and manage groups.

mod reconcile;

use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;
use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::db::groups::MembersUpdate;
use rollcall::fold::fold;
use rollcall::scim::dialect::Dialect;
use rollcall::scim::document::normalise;
use rollcall::scim::group::{GroupDraft, GroupRow};
use rollcall::scim::limits::Limits;
use rollcall::scim::list::{ListQuery, Parameters};
use rollcall::scim::schema::ResourceType;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::output::{self, Form, table};
use super::{Refused, export, import, names, session, user};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List groups.
    List {
        /// Only those that this SCIM filter holds for.
        #[arg(long)]
        filter: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        limit: u32,
        #[command(flatten)]
        form: Form,
    },
    /// Show one group and its members.
    Show {
        /// displayName, POSIX name or SCIM id.
        #[arg(add = ArgValueCompleter::new(names::of_groups))]
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Create a group.
    Add {
        /// The displayName.
        name: String,
        /// Exactly this gid, or none.
        #[arg(long)]
        gid: Option<u32>,
        #[command(flatten)]
        form: Form,
    },
    /// Add users to a group.
    AddMember {
        #[arg(add = ArgValueCompleter::new(names::of_groups))]
        group: String,
        #[arg(required = true, add = ArgValueCompleter::new(names::of_users))]
        users: Vec<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Take users out of a group.
    RemoveMember {
        #[arg(add = ArgValueCompleter::new(names::of_groups))]
        group: String,
        #[arg(required = true, add = ArgValueCompleter::new(names::of_users))]
        users: Vec<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Show what a sign-in with these groups would change, and whether it would be let in; changes nothing.
    Reconcile {
        /// userName, POSIX name or SCIM id.
        #[arg(add = ArgValueCompleter::new(names::of_users))]
        user: String,
        /// The groups of the claim, separated by commas; an empty text for none.
        #[arg(long, value_name = "NAME,…")]
        groups: String,
        /// Required: groups are changed by signing in, or by add-member and remove-member.
        #[arg(long, required = true)]
        dry_run: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Delete a group: its gid is retired, never given again.
    Delete {
        #[arg(add = ArgValueCompleter::new(names::of_groups))]
        name: String,
        /// Also when an identity provider owns it, or it is somebody's primary group.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        confirmation: user::Confirmation,
        #[command(flatten)]
        form: Form,
    },
    /// Bring groups in from a file or a directory, with their names and numbers as they are.
    Import(import::Arguments),
    /// Write all groups into a file that can be imported again; the file is the answer, in its --format: there is no --output.
    Export(export::Arguments),
}

pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Import(arguments) => import::run(config, ResourceType::Group, arguments).await,
        Command::Export(arguments) => export::run(config, ResourceType::Group, arguments).await,
        Command::List { filter, limit, form } => {
            let one_more = limit.saturating_add(1);
            let mut groups = session::with(config, async |db| list(db, filter.as_deref(), one_more).await).await?;
            output::tell_cut(&mut groups, limit);
            let list: Vec<_> = groups.iter().map(|group| shown(group, None)).collect();
            form.print(&list, |_| {
                let rows: Vec<_> = groups
                    .iter()
                    .map(|group| {
                        vec![
                            group.gid.to_string(),
                            group.posix_name.clone(),
                            display_name(group).to_owned(),
                        ]
                    })
                    .collect();
                table(&["GID", "NAME", "DISPLAY NAME"], &rows)
            })
        }
        Command::Show { name, form } => {
            let (group, members) = session::with(config, async |db| {
                let group = get(db, &name).await?;
                let members = members(db, group.id).await?;
                Ok((group, members))
            })
            .await?;
            form.print(&shown(&group, Some(&members)), |value| {
                let pairs = value.as_object().into_iter().flatten();
                let rows: Vec<_> = pairs
                    .map(|(key, value)| vec![key.clone(), user::plain(value)])
                    .collect();
                table(&["", ""], &rows).trim_start().to_owned()
            })
        }
        Command::Add { name, gid, form } => {
            let body = Map::from_iter([("displayName".to_owned(), Value::String(name))]);
            let mut draft = GroupDraft::from_document(normalise(ResourceType::Group, body, Dialect::Strict)?)?;
            draft.gid = gid.map(i64::from);
            let written = session::with(config, async |db| {
                Ok(db.group_create(Uuid::now_v7(), &draft, &[], &session::origin()).await?)
            })
            .await?;
            let group = written.group;
            form.print(&shown(&group, None), |_| {
                format!("{} has gid {}\n", group.posix_name, group.gid)
            })
        }
        Command::AddMember { group, users, form } => change_members(config, &group, &users, true, form).await,
        Command::RemoveMember { group, users, form } => change_members(config, &group, &users, false, form).await,
        Command::Reconcile {
            user,
            groups,
            dry_run: _,
            form,
        } => reconcile::run(config, &user, &groups, form).await,
        Command::Delete {
            name,
            force,
            confirmation,
            form,
        } => delete(config, &name, force, confirmation, form).await,
    }
}

async fn delete(
    config: &Config,
    name: &str,
    force: bool,
    confirmation: user::Confirmation,
    form: Form,
) -> anyhow::Result<()> {
    let group = session::with(config, async |db| {
        let group = get(db, name).await?;
        if !force && group.doc.get("externalId").is_some() {
            let text = "an identity provider owns this group and its next sync may make it again: use --force";
            return Err(Refused(text.into()).into());
        }
        let primary_of = db.primary_group_of(group.gid).await?;
        if let (Some(users), false) = (&primary_of, force) {
            let text = format!("it is the primary group of {users}; \"rollcall group delete --force\" deletes it nevertheless");
            return Err(Refused(text).into());
        }
        let members = members(db, group.id).await?;
        let days = config.provisioning.retain_deleted_days;
        confirmation.ask(&format!(
            "{} will be deleted: gid {} is retired and never given again; {} users and {} groups leave it; files show its name for \
             {days} days (posix-retain-deleted){}",
            group.posix_name,
            group.gid,
            members.users.len(),
            members.groups.len(),
            primary_of.map_or_else(String::new, |users| format!("; it stays the primary gid of {users}, without a group")),
        ))?;
        let origin = session::origin();
        if force {
            db.group_delete_forced(group.id, Some(group.version), &origin).await?;
        } else {
            db.group_delete(group.id, Some(group.version), &origin).await?;
        }
        Ok(group)
    })
    .await?;
    form.print(&json!({"deleted": group.id, "retired_gid": group.gid}), |_| {
        format!("{} deleted; gid {} is retired\n", group.posix_name, group.gid)
    })
}

async fn change_members(config: &Config, group: &str, users: &[String], add: bool, form: Form) -> anyhow::Result<()> {
    let written = session::with(config, async |db| {
        let id = find(db, group).await?;
        let mut ids = Vec::with_capacity(users.len());
        for name in users {
            ids.push(user::find(db, name).await?);
        }
        let mut update = MembersUpdate::default();
        if add {
            update.add = ids;
        } else {
            update.remove = ids;
        }
        Ok(db.group_update(id, None, None, &update, &session::origin()).await?)
    })
    .await?;
    form.print(&json!({"id": written.group.id, "changed": written.changed}), |_| {
        let word = if written.changed { "changed" } else { "was so already" };
        format!("{} {word}\n", written.group.posix_name)
    })
}

async fn find(db: &Database, name: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    db.group_find(&fold(name), name)
        .await?
        .ok_or_else(|| Refused(format!("there is no group {name:?}")).into())
}

async fn get(db: &Database, name: &str) -> anyhow::Result<GroupRow> {
    let id = find(db, name).await?;
    db.group_get(id)
        .await?
        .ok_or_else(|| Refused(format!("there is no group {name:?}")).into())
}

/// Members of a group that are read at once.
const MEMBERS: i32 = 1000;

/// Who is in a group itself.
#[derive(Default)]
struct Members {
    /// POSIX names.
    users: Vec<String>,
    /// displayNames.
    groups: Vec<String>,
}

async fn members(db: &Database, group: Uuid) -> anyhow::Result<Members> {
    let mut names = Members::default();
    let mut after = Uuid::nil();
    loop {
        let slice = db.admin_members(group, after, MEMBERS).await?;
        let Some(last) = slice.last() else { return Ok(names) };
        after = last.id;
        for member in slice {
            if member.is_group {
                names.groups.push(member.name);
            } else {
                names.users.push(member.posix_name);
            }
        }
    }
}

/// At most `limit` groups that a SCIM filter holds for.
pub(crate) async fn list(db: &Database, filter: Option<&str>, limit: u32) -> anyhow::Result<Vec<GroupRow>> {
    let limits = Limits::default();
    let mut cursor = String::new();
    let mut groups = Vec::new();
    loop {
        let left = (limit as usize).saturating_sub(groups.len());
        if left == 0 {
            return Ok(groups);
        }
        let parameters = Parameters {
            filter: filter.map(str::to_owned),
            cursor: Some(cursor),
            count: Some(limits.max_count.to_string()),
            ..Parameters::default()
        };
        let query = ListQuery::parse(
            &parameters,
            ResourceType::Group,
            &limits,
            jiff::Timestamp::now().as_second(),
        )?;
        let page = db.group_page(&query).await?;
        groups.extend(page.rows.into_iter().take(left));
        match page.next {
            Some(next) => cursor = next.encode(),
            None => return Ok(groups),
        }
    }
}

fn shown(group: &GroupRow, members: Option<&Members>) -> Value {
    let mut value = json!({
        "id": group.id, "displayName": display_name(group), "posixGroupName": group.posix_name, "gid": group.gid,
        "created": group.created, "lastModified": group.last_modified,
    });
    if let Some(members) = members {
        value["members"] = members.users.as_slice().into();
        value["groups"] = members.groups.as_slice().into();
    }
    value
}

pub(crate) fn display_name(group: &GroupRow) -> &str {
    group.doc.get("displayName").and_then(Value::as_str).unwrap_or_default()
}
