//! `rollcall group reconcile`: what a sign-in with these groups would do, by the rules of this service.

use std::collections::HashSet;

use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::db::logins::{ClaimedGroup, PreviewLine};
use rollcall::fold::fold;
use rollcall::login::{Reason, Refusal, Rules};
use rollcall::posix::derive_group_name;
use serde::Serialize;
use uuid::Uuid;

use super::display_name;
use crate::cli::output::{Form, table};
use crate::cli::{Misconfigured, Refused, session, user};

/// What would come of it.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Why the person would not be let in, in one word.
    refused: Option<&'static str>,
    /// The same for people.
    detail: Option<String>,
    /// What would be changed, be he let in or not.
    changes: Vec<PreviewLine>,
}

impl Outcome {
    fn of(refusal: Option<Refusal>, changes: Vec<PreviewLine>) -> Self {
        Self {
            refused: refusal.as_ref().map(|refusal| refusal.reason.as_str()),
            detail: refusal.map(|refusal| refusal.detail),
            changes,
        }
    }

    fn text(&self) -> String {
        let row = |line: &PreviewLine| vec![line.action.clone(), line.group.clone()];
        table(&["ACTION", "GROUP"], &self.changes.iter().map(row).collect::<Vec<_>>())
    }
}

/// Prints what would come of a sign-in of `name` with `groups`, separated by commas. Raises `Refused` when he would not be let in.
pub(super) async fn run(config: &Config, name: &str, groups: &str, form: Form) -> anyhow::Result<()> {
    let rules = Rules::new(config).map_err(|error| Misconfigured(format!("{error:#}")))?;
    let names: Vec<String> = groups.split(',').map(str::to_owned).collect();
    let outcome = session::with(config, async |db| {
        let id = user::find(db, name).await?;
        match rules.groups(&names) {
            Ok(groups) => of_groups(db, &rules, id, &groups).await,
            Err(refusal) => Ok(Outcome::of(Some(refusal), Vec::new())),
        }
    })
    .await?;
    form.print(&outcome, Outcome::text)?;
    match (outcome.refused, outcome.detail) {
        (Some(reason), Some(detail)) => {
            Err(Refused(format!("the sign-in would be refused: {detail} ({reason})")).into())
        }
        _ => Ok(()),
    }
}

/// The gates of a sign-in, in its order: a locked user changes nothing, any other is changed before he is looked at.
async fn of_groups(db: &Database, rules: &Rules, id: Uuid, groups: &[ClaimedGroup]) -> anyhow::Result<Outcome> {
    let user = db.user_get(id, false).await?;
    let user = user.ok_or_else(|| Refused("the user has just been deleted".into()))?;
    if user.locked {
        let refusal = Refusal::new(Reason::Locked, "the user is locked");
        return Ok(Outcome::of(Some(refusal), Vec::new()));
    }
    let changes = db.login_preview(id, groups, rules.login.scope).await?;
    let refusal = if user.uid < rules.login.minimum_uid {
        let detail = format!("uid {} is below auth-minimum-user-id", user.uid);
        Some(Refusal::new(Reason::MinimumUid, detail))
    } else if is_admitted(db, &rules.login.required, &changes).await? {
        None
    } else {
        let detail = "not a member of a group of auth-required-user-group";
        Some(Refusal::new(Reason::RequiredGroup, detail))
    };
    Ok(Outcome::of(refusal, changes))
}

/// Whether the groups that he would be in are enough: one of the required, by its name or its POSIX name.
async fn is_admitted(db: &Database, required: &[String], changes: &[PreviewLine]) -> anyhow::Result<bool> {
    if required.is_empty() {
        return Ok(true);
    }
    let stays = changes.iter().filter(|line| line.action != "remove");
    let mut names = HashSet::new();
    for line in stays {
        if line.action == "create" && required.contains(&derive_group_name(&line.group)) {
            return Ok(true);
        }
        names.insert(fold(&line.group));
    }
    if required.iter().any(|name| names.contains(name)) {
        return Ok(true);
    }
    for name in required {
        let Some(group) = db.group_find("", name).await? else {
            continue;
        };
        let group = db.group_get(group).await?;
        if group.is_some_and(|group| names.contains(&fold(display_name(&group)))) {
            return Ok(true);
        }
    }
    Ok(false)
}
