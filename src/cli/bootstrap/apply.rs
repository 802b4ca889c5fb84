//! Compares each entry of a bootstrap file with the database, and writes what differs.

use std::collections::HashSet;

use regex::Regex;
use rollcall::bootstrap::{Bootstrap, Clashes, Group, Present, User};
use rollcall::db::groups::MembersUpdate;
use rollcall::db::{Database, Origin};
use rollcall::error::Error;
use rollcall::fold::fold;
use rollcall::scim::error::ScimError;
use rollcall::scim::group::{GroupDraft, GroupRow};
use rollcall::scim::user::{UserDraft, UserRow};
use rollcall::scim::{group, user};
use uuid::Uuid;

use super::report::{Action, Entry, Report};

/// What became of an entry, and what there is to say about it.
pub(super) type Done = (Action, Option<String>);

/// One run over a file.
pub(super) struct Work<'a> {
    pub(super) db: &'a Database,
    pub(super) origin: Origin,
    pub(super) dry_run: bool,
    pub(super) rule: Regex,
    pub(super) rule_text: &'a str,
    pub(super) ssh_key_options: bool,
    /// Whether a user whose derived POSIX name is taken gets another one.
    pub(super) suffix: bool,
}

impl Work<'_> {
    /// Blocks of numbers before somebody gets one of them, users, the groups they are members of, tokens, and their limits. Raises
    /// what ends the run.
    pub(super) async fn run(&self, bootstrap: &Bootstrap) -> anyhow::Result<Report> {
        let clashes = self.clashes(bootstrap).await?;
        let refused = |clash: &String| Ok((Action::Conflict, Some(clash.clone())));
        let mut entries = Vec::new();
        for block in &bootstrap.reserved_ids {
            let outcome = self.reserved_ids(block).await;
            let name = format!("{}-{}", block.first, block.last);
            entries.push(entry(block.line, "reserved ids", &name, outcome)?);
        }
        for user in &bootstrap.users {
            let outcome = match clashes.users.get(&user.key) {
                Some(clash) => refused(clash),
                None => self.user(user).await,
            };
            entries.push(entry(user.line, "user", &user.user_name, outcome)?);
        }
        for group in &bootstrap.groups {
            let outcome = match clashes.groups.get(&group.key) {
                Some(clash) => refused(clash),
                None => self.group(group, bootstrap, &clashes).await,
            };
            entries.push(entry(group.line, "group", &group.display_name, outcome)?);
        }
        if !bootstrap.tokens.is_empty() {
            let known = self.db.token_list(false).await?;
            for token in &bootstrap.tokens {
                let outcome = self.token(token, &known).await;
                entries.push(entry(token.line, "token", &token.name, outcome)?);
            }
        }
        for limit in &bootstrap.deletion_limits {
            let outcome = self.deletion_limit(limit, bootstrap).await;
            entries.push(entry(limit.line, "deletion limit", &limit.token, outcome)?);
        }
        Ok(Report::of(self.dry_run, entries))
    }

    /// Which entries stand in each other's way, before any of them is made.
    async fn clashes(&self, bootstrap: &Bootstrap) -> anyhow::Result<Clashes> {
        let mut present = Present::default();
        let suspects = bootstrap.clashes(&present, self.suffix);
        // Those who are there only take some of them away.
        if suspects.is_empty() {
            return Ok(suspects);
        }
        for user in &bootstrap.users {
            if self.db.user_find(&user.key, "").await?.is_some() {
                present.users.insert(user.key.clone());
            }
        }
        for group in &bootstrap.groups {
            if self.db.group_find(&group.key, "").await?.is_some() {
                present.groups.insert(group.key.clone());
            }
        }
        Ok(bootstrap.clashes(&present, self.suffix))
    }

    async fn user(&self, wanted: &User) -> anyhow::Result<Done> {
        // By userName alone: an account is never adopted by its POSIX name.
        let present = match self.db.user_find(&wanted.key, "").await? {
            Some(id) => self.db.user_get(id, false).await?,
            None => None,
        };
        let Some(present) = present else {
            let draft = wanted.new_draft()?;
            if let Some(conflict) = self.refuses(&draft, None) {
                return Ok(conflict);
            }
            if self.dry_run {
                if self.db.user_find("", &wanted.posix_name()).await?.is_some() {
                    return Ok((Action::Conflict, Some("the POSIX name is already in use".into())));
                }
                self.db.user_trial(&wanted.key, &draft).await?;
                return Ok((Action::Create, None));
            }
            let made = self.db.user_create(Uuid::now_v7(), draft, self.origin.clone()).await?;
            let user = made.user;
            return Ok((
                Action::Create,
                Some(format!("{} has uid {}", user.posix_name, user.uid)),
            ));
        };
        let change = |now: &UserRow| wanted.change(&user::to_document(now));
        let Some(draft) = change(&present)? else {
            return Ok((Action::Keep, None));
        };
        if let Some(conflict) = self
            .refuses(&draft, Some(&present))
            .or_else(|| renumbers(&present, &draft))
        {
            return Ok(conflict);
        }
        if !self.dry_run {
            let admit = |_| anyhow::Ok(());
            let write = |now: &UserRow| anyhow::Ok(change(now)?.unwrap_or_else(|| draft.clone()));
            self.db.user_modify(present.id, &self.origin, admit, write).await?;
        }
        Ok((Action::Change, Some(told(&present, &draft))))
    }

    /// A conflict for a POSIX name that is asked for, is not the user's already, and breaks the site's rule, and for keys with
    /// options where the site allows none.
    fn refuses(&self, draft: &UserDraft, present: Option<&UserRow>) -> Option<Done> {
        if let Err(error) = draft.check_key_options(self.ssh_key_options) {
            return Some((Action::Conflict, Some(error.detail)));
        }
        let name = draft.posix_name.as_deref()?;
        let is_his = present.is_some_and(|user| user.posix_name == name);
        if is_his || self.rule.is_match(name) {
            return None;
        }
        let text = format!(
            "the POSIX name does not fit the rule {} (posix-user-name-rule)",
            self.rule_text
        );
        Some((Action::Conflict, Some(text)))
    }

    async fn group(&self, wanted: &Group, bootstrap: &Bootstrap, clashes: &Clashes) -> anyhow::Result<Done> {
        let is_made = |user: &User| !clashes.users.contains_key(&user.key);
        let present = match self.db.group_find(&wanted.key, "").await? {
            Some(id) => self.db.group_get(id).await?,
            None => None,
        };
        let mut members = Vec::with_capacity(wanted.members.len());
        for name in &wanted.members {
            match self.db.user_find(&fold(name), name).await? {
                Some(id) => members.push(id),
                None if self.dry_run && bootstrap.users.iter().any(|user| user.is_called(name) && is_made(user)) => {}
                None => return Ok((Action::Conflict, Some(format!("there is no user {name:?}")))),
            }
        }
        let Some(present) = present else {
            let draft = wanted.new_draft()?;
            if self.dry_run {
                self.db.group_trial(&draft).await?;
                return Ok((Action::Create, None));
            }
            let made = self
                .db
                .group_create(Uuid::now_v7(), &draft, &members, &self.origin)
                .await?;
            let group = made.group;
            return Ok((
                Action::Create,
                Some(format!("{} has gid {}", group.posix_name, group.gid)),
            ));
        };
        let draft = wanted.change(&group::to_document(&present))?;
        if let Some(conflict) = draft.as_ref().and_then(|draft| regroups(&present, draft)) {
            return Ok(conflict);
        }
        let update = self.difference(present.id, &members, wanted.members_only).await?;
        if draft.is_none() && update.add.is_empty() && update.remove.is_empty() {
            return Ok((Action::Keep, None));
        }
        if !self.dry_run {
            let expected = draft.is_some().then_some(present.version);
            self.db
                .group_update(present.id, expected, draft.as_ref(), &update, &self.origin)
                .await?;
        }
        let detail = format!("{} join, {} leave", update.add.len(), update.remove.len());
        Ok((Action::Change, Some(detail)))
    }

    /// Who joins and who leaves. Groups in the group stay.
    async fn difference(&self, group: Uuid, wanted: &[Uuid], only: bool) -> anyhow::Result<MembersUpdate> {
        let mut missing: HashSet<Uuid> = wanted.iter().copied().collect();
        let mut update = MembersUpdate::default();
        let mut after = None;
        loop {
            let slice = self.db.members_after(group, after).await?;
            let Some(last) = slice.last() else { break };
            after = Some(last.id);
            for member in &slice {
                if !missing.remove(&member.id) && only && !member.is_group {
                    update.remove.push(member.id);
                }
            }
        }
        update.add = missing.into_iter().collect();
        update.add.sort_unstable();
        Ok(update)
    }
}

/// A conflict for a file that says another number or POSIX name than a user has: whose files are whose hangs on them, so they
/// change only when somebody asks for it, and is told what follows.
fn renumbers(now: &UserRow, then: &UserDraft) -> Option<Done> {
    let name = &now.posix_name;
    let text = if let Some(uid) = then.uid.filter(|uid| *uid != now.uid) {
        format!(
            "{name} has uid {}, not {uid}, and a file changes nobody's; to ask for it: rollcall user set-uid {name} {uid}",
            now.uid
        )
    } else {
        let other = then.posix_name.as_deref().filter(|other| other != name)?;
        format!(
            "the POSIX name is {name}, not {other}, and a file changes nobody's; to ask for it: rollcall user rename {name} {other}"
        )
    };
    Some((Action::Conflict, Some(text)))
}

/// The same of a group, for which there is no such command.
fn regroups(now: &GroupRow, then: &GroupDraft) -> Option<Done> {
    let name = &now.posix_name;
    let text = if let Some(gid) = then.gid.filter(|gid| *gid != now.gid) {
        format!("{name} has gid {}, not {gid}, and a file changes no group's", now.gid)
    } else {
        let other = then.posix_name.as_deref().filter(|other| other != name)?;
        format!("the POSIX name is {name}, not {other}, and a file changes no group's")
    };
    Some((Action::Conflict, Some(text)))
}

/// What a change does to a user, for whoever decides on it: what the system sees, with before and after.
fn told(now: &UserRow, then: &UserDraft) -> String {
    let text = |what: &str, now: &str, then: Option<&str>| {
        let then = then.filter(|then| *then != now)?;
        Some(format!("{what} {now} becomes {then}"))
    };
    let switch = |now: bool, then: Option<bool>, [no, yes]: [&str; 2]| {
        let then = then.filter(|then| *then != now)?;
        Some(if then { yes } else { no }.to_owned())
    };
    let shell = now.shell.as_deref().unwrap_or("(the default)");
    let parts = [
        text("home", &now.home, then.home.as_deref()),
        text("shell", shell, then.shell.as_deref()),
        switch(now.admin, then.admin, ["no administrator", "administrator"]),
        switch(!now.locked, then.active, ["locked", "unlocked"]),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return "attributes of the person".to_owned();
    }
    parts.join("; ")
}

/// The line of the report. A refusal is the entry's own; what concerns the database as a whole is raised.
fn entry(line: usize, kind: &'static str, name: &str, outcome: anyhow::Result<Done>) -> anyhow::Result<Entry> {
    let (action, detail) = match outcome {
        Ok(done) => done,
        Err(error) => match error.downcast_ref() {
            Some(Error::Unavailable { .. } | Error::Internal(_)) => return Err(error),
            None if !error.is::<ScimError>() => return Err(error),
            _ => (Action::Conflict, Some(format!("{error:#}"))),
        },
    };
    Ok(Entry {
        line,
        kind,
        name: name.to_owned(),
        action,
        detail,
    })
}
