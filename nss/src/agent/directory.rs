//! All users and groups of the service, with memberships seen from both sides, and what a change to them touches.

use crate::contract::{Change, Group, User};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The service's directory as this node knows it.
#[derive(Debug, Default, Clone)]
pub struct Directory {
    /// Timeline of the ids; empty = nothing loaded.
    pub epoch: String,
    /// Where the feed goes on.
    pub cursor: String,
    users: HashMap<String, User>,
    groups: HashMap<String, Group>,
    user_by_name: HashMap<String, String>,
    user_by_uid: HashMap<u32, String>,
    group_by_name: HashMap<String, String>,
    group_by_gid: HashMap<u32, String>,
    /// gid → name → user's id; the primary group lists nobody.
    members: HashMap<u32, BTreeMap<String, String>>,
}

/// What has to be written anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    /// Ids of users.
    pub users: HashSet<String>,
    /// gids of groups.
    pub groups: HashSet<u32>,
    /// Ids of users and groups that are no more.
    pub gone: HashSet<String>,
    /// User names that answer nobody now.
    pub free_names: BTreeSet<String>,
    /// uids likewise.
    pub free_uids: BTreeSet<u32>,
    /// Group names likewise.
    pub free_group_names: BTreeSet<String>,
    /// gids likewise.
    pub free_gids: BTreeSet<u32>,
}

impl Directory {
    /// Something has been loaded.
    pub fn is_loaded(&self) -> bool {
        !self.epoch.is_empty()
    }

    /// All users.
    pub fn users(&self) -> impl ExactSizeIterator<Item = (&String, &User)> {
        self.users.iter()
    }

    /// All groups, without members.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&String, &Group)> {
        self.groups.iter()
    }

    /// The user with this id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.get(id)
    }

    /// The user who answers to `name`.
    pub fn user_named(&self, name: &str) -> Option<&User> {
        self.users.get(self.user_by_name.get(name)?)
    }

    /// Whether `user` is the one who answers to his name.
    pub fn owns_name(&self, user: &User) -> bool {
        self.user_by_name.get(&user.name) == Some(&user.id)
    }

    /// Id and whole record of the group with this gid.
    pub fn group_with_members(&self, gid: u32) -> Option<(&String, Group)> {
        let id = self.group_by_gid.get(&gid)?;
        let group = self.groups.get(id)?;
        let members = self
            .members
            .get(&gid)
            .map(|members| members.keys().cloned().collect())
            .unwrap_or_default();
        Some((
            id,
            Group {
                members: Some(members),
                ..group.clone()
            },
        ))
    }

    /// Whether `group` is the one that answers to its name.
    pub fn owns_group_name(&self, group: &Group) -> bool {
        self.group_by_name.get(&group.name) == Some(&group.id)
    }

    /// Applies one change; applying it again changes nothing.
    pub fn apply(&mut self, change: Change, dirty: &mut Dirty) {
        match change {
            Change::User(id, Some(user)) => self.put_user(User { id, ..user }, dirty),
            Change::User(id, None) => self.remove_user(&id, dirty),
            Change::Group(id, Some(group)) => self.put_group(Group { id, ..group }, dirty),
            Change::Group(id, None) => self.remove_group(&id, dirty),
        }
    }

    /// Takes over a user; without gids his memberships stay as they are.
    pub fn put_user(&mut self, mut user: User, dirty: &mut Dirty) {
        user.groups.clear();
        let old = self.users.get(&user.id);
        if user.gids.is_none() {
            user.gids = Some(old.and_then(|old| old.gids.clone()).unwrap_or_else(|| vec![user.gid]));
        }
        if old == Some(&user) {
            return;
        }
        if let Some(old) = old.cloned() {
            self.leave(&old, dirty);
        }
        // A number or name that somebody else had is this user's now.
        if let Some(other) = self
            .user_by_uid
            .get(&user.uid)
            .filter(|&other| *other != user.id)
            .cloned()
        {
            self.remove_user(&other, dirty);
        }
        self.user_by_uid.insert(user.uid, user.id.clone());
        dirty.free_uids.remove(&user.uid);
        if !user.by_uid_only {
            self.user_by_name.insert(user.name.clone(), user.id.clone());
            dirty.free_names.remove(&user.name);
        }
        self.join(&user, dirty);
        dirty.gone.remove(&user.id);
        dirty.users.insert(user.id.clone());
        self.users.insert(user.id.clone(), user);
    }

    fn remove_user(&mut self, id: &str, dirty: &mut Dirty) {
        let Some(old) = self.users.remove(id) else { return };
        self.leave(&old, dirty);
        dirty.users.remove(id);
        dirty.gone.insert(id.to_owned());
    }

    /// Takes a user out of all indexes.
    fn leave(&mut self, user: &User, dirty: &mut Dirty) {
        if self.user_by_uid.get(&user.uid) == Some(&user.id) {
            self.user_by_uid.remove(&user.uid);
            dirty.free_uids.insert(user.uid);
        }
        if self.owns_name(user) {
            self.user_by_name.remove(&user.name);
            dirty.free_names.insert(user.name.clone());
        }
        for gid in user.gids.iter().flatten().filter(|&&gid| gid != user.gid) {
            let Some(members) = self.members.get_mut(gid) else {
                continue;
            };
            if members.get(&user.name) == Some(&user.id) {
                members.remove(&user.name);
                dirty.groups.insert(*gid);
            }
        }
    }

    fn join(&mut self, user: &User, dirty: &mut Dirty) {
        if user.by_uid_only {
            return;
        }
        for gid in user.gids.iter().flatten().filter(|&&gid| gid != user.gid) {
            self.members
                .entry(*gid)
                .or_default()
                .insert(user.name.clone(), user.id.clone());
            dirty.groups.insert(*gid);
        }
    }

    /// Takes over a group; without members its memberships stay as they are.
    pub fn put_group(&mut self, mut group: Group, dirty: &mut Dirty) {
        let told = group.members.take();
        let gid = group.gid;
        if self.groups.get(&group.id) != Some(&group) {
            if let Some(old) = self.groups.get(&group.id).cloned() {
                self.forget_group(&old, dirty);
            }
            if let Some(other) = self.group_by_gid.get(&gid).filter(|&other| *other != group.id).cloned() {
                self.remove_group(&other, dirty);
            }
            self.group_by_gid.insert(gid, group.id.clone());
            self.group_by_name.insert(group.name.clone(), group.id.clone());
            dirty.free_gids.remove(&gid);
            dirty.free_group_names.remove(&group.name);
            dirty.gone.remove(&group.id);
            dirty.groups.insert(gid);
            self.groups.insert(group.id.clone(), group);
        }
        if let Some(told) = told {
            self.set_members(gid, &told, dirty);
        }
    }

    /// The complete new membership of one group, told from its side.
    fn set_members(&mut self, gid: u32, names: &[String], dirty: &mut Dirty) {
        let wanted: HashSet<&String> = names.iter().filter_map(|name| self.user_by_name.get(name)).collect();
        let known: HashSet<&String> = self
            .members
            .get(&gid)
            .map(|members| members.values().collect())
            .unwrap_or_default();
        let changed: Vec<String> = wanted.symmetric_difference(&known).map(|&id| id.clone()).collect();
        for id in changed {
            let Some(mut user) = self.users.get(&id).cloned() else {
                continue;
            };
            let Some(gids) = &mut user.gids else { continue };
            match gids.binary_search(&gid) {
                // The primary group does not list its users.
                Ok(_) if user.gid == gid => continue,
                Ok(place) => {
                    gids.remove(place);
                }
                Err(place) => gids.insert(place, gid),
            }
            self.put_user(user, dirty);
        }
    }

    fn remove_group(&mut self, id: &str, dirty: &mut Dirty) {
        let Some(old) = self.groups.remove(id) else { return };
        self.forget_group(&old, dirty);
        dirty.groups.remove(&old.gid);
        dirty.gone.insert(id.to_owned());
    }

    fn forget_group(&mut self, group: &Group, dirty: &mut Dirty) {
        if self.group_by_gid.get(&group.gid) == Some(&group.id) {
            self.group_by_gid.remove(&group.gid);
            dirty.free_gids.insert(group.gid);
        }
        if self.owns_group_name(group) {
            self.group_by_name.remove(&group.name);
            dirty.free_group_names.insert(group.name.clone());
        }
    }
}

#[cfg(test)]
mod tests;
