//! What the contract server holds: users, groups, and a feed of their changes.

use super::server::{ADMIN_TOKEN, USER_TOKEN};
use rollcall_nss::contract::{Group, User};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Users and groups by UUID, with indexes.
#[derive(Debug, Default)]
pub struct Store {
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
    by_name: HashMap<String, String>,
    by_uid: HashMap<u32, String>,
    by_gid: HashMap<u32, String>,
    by_group_name: HashMap<String, String>,
    feed: Vec<(&'static str, String)>,
    /// Timeline.
    pub epoch: u32,
    /// Feed entries before this one are forgotten.
    pub tail: usize,
}

impl Store {
    /// The data set of the fixtures.
    pub fn from_dataset(text: &str) -> Self {
        let data: Value = serde_json::from_str(text).unwrap();
        let mut store = Self {
            epoch: 1,
            ..Self::default()
        };
        for group in data["groups"].as_array().unwrap() {
            store.put_group(serde_json::from_value(group.clone()).unwrap());
        }
        for user in data["users"].as_array().unwrap() {
            store.put_user(serde_json::from_value(user.clone()).unwrap());
        }
        store
    }

    /// The data set of files in the formats of passwd(5) and group(5).
    pub fn from_files(passwd: &str, group: &str) -> Self {
        let mut store = Self {
            epoch: 1,
            ..Self::default()
        };
        let mut gids: HashMap<&str, Vec<u32>> = HashMap::new();
        for line in group.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let gid = fields[2].parse().unwrap();
            for member in fields[3].split(',').filter(|member| !member.is_empty()) {
                gids.entry(member).or_default().push(gid);
            }
            store.put_group(Group {
                id: format!("g{gid}"),
                name: fields[0].to_owned(),
                gid,
                members: None,
            });
        }
        for line in passwd.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let gid = fields[3].parse().unwrap();
            let mut all = gids.remove(fields[0]).unwrap_or_default();
            all.push(gid);
            all.sort_unstable();
            all.dedup();
            store.put_user(User {
                id: format!("u{}", fields[2]),
                name: fields[0].to_owned(),
                uid: fields[2].parse().unwrap(),
                gid,
                gecos: fields[4].to_owned(),
                home: fields[5].to_owned(),
                shell: fields[6].to_owned(),
                gids: Some(all),
                ..User::default()
            });
        }
        store
    }

    /// Creates or changes a user.
    pub fn put_user(&mut self, user: User) {
        self.drop_user(&user.id);
        if !user.by_uid_only {
            self.by_name.insert(user.name.clone(), user.id.clone());
        }
        self.by_uid.insert(user.uid, user.id.clone());
        self.feed.push(("user", user.id.clone()));
        self.users.insert(user.id.clone(), user);
    }

    /// Creates or changes a group.
    pub fn put_group(&mut self, group: Group) {
        self.drop_group(&group.id);
        self.by_group_name.insert(group.name.clone(), group.id.clone());
        self.by_gid.insert(group.gid, group.id.clone());
        self.feed.push(("group", group.id.clone()));
        self.groups.insert(group.id.clone(), Group { members: None, ..group });
    }

    /// Removes a user for good.
    pub fn remove_user(&mut self, id: &str) {
        self.drop_user(id);
        self.feed.push(("user", id.to_owned()));
    }

    /// The user with this name.
    pub fn user_named(&self, name: &str) -> Option<User> {
        self.users.get(self.by_name.get(name)?).cloned()
    }

    /// The gid of the group with this name.
    pub fn gid_named(&self, name: &str) -> Option<u32> {
        let id = self.by_group_name.get(name)?;
        Some(self.groups.get(id)?.gid)
    }

    fn drop_user(&mut self, id: &str) {
        if let Some(old) = self.users.remove(id) {
            self.by_name.retain(|_, other| other != id);
            self.by_uid.remove(&old.uid);
        }
    }

    fn drop_group(&mut self, id: &str) {
        if let Some(old) = self.groups.remove(id) {
            self.by_group_name.remove(&old.name);
            self.by_gid.remove(&old.gid);
        }
    }

    fn members(&self, gid: u32) -> Vec<String> {
        let inside = |user: &&User| user.gid != gid && user.gids.as_ref().is_some_and(|gids| gids.contains(&gid));
        let mut names: Vec<String> = self
            .users
            .values()
            .filter(inside)
            .map(|user| user.name.clone())
            .collect();
        names.sort_unstable();
        names
    }

    /// Status and body for a request.
    pub fn answer(&self, target: &str, token: &str) -> (u16, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameters: HashMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), decoded(value)))
            .collect();
        if token != USER_TOKEN && token != ADMIN_TOKEN {
            return (
                401,
                json!({"error": "unauthorized", "message": "unknown token"}).to_string(),
            );
        }
        let admin = token == ADMIN_TOKEN;
        let not_found = (404, json!({"error": "not_found", "age_ms": 0}).to_string());
        let found = |key: &str, value: Option<Value>| match value {
            Some(value) => (200, json!({"age_ms": 0, key: value}).to_string()),
            None => not_found.clone(),
        };
        if parameters.contains_key("name") && (parameters.contains_key("uid") || parameters.contains_key("gid")) {
            return (
                400,
                json!({"error": "bad_request", "message": "give one of name and id"}).to_string(),
            );
        }
        let user = || match (parameters.get("name"), parameters.get("uid")) {
            (Some(name), _) => self.user_named(name),
            (_, Some(uid)) => self.users.get(self.by_uid.get(&uid.parse().ok()?)?).cloned(),
            _ => None,
        };
        let group = || {
            let id = match (parameters.get("name"), parameters.get("gid")) {
                (Some(name), _) => self.by_group_name.get(name),
                (_, Some(gid)) => self.by_gid.get(&gid.parse().ok()?),
                _ => None,
            };
            let group = self.groups.get(id?)?;
            Some(json!({"name": group.name, "gid": group.gid, "members": self.members(group.gid)}))
        };
        let single =
            parameters.contains_key("name") || parameters.contains_key("uid") || parameters.contains_key("gid");
        match path {
            "/nss/v1/passwd" if single => found("passwd", user().map(|user| passwd(&user))),
            "/nss/v1/passwd" => page(&parameters, self.users.values().map(passwd)),
            "/nss/v1/group" if single => found("group", group()),
            "/nss/v1/group" => page(
                &parameters,
                self.groups
                    .values()
                    .map(|g| json!({"name": g.name, "gid": g.gid, "members": self.members(g.gid)})),
            ),
            "/nss/v1/shadow" if !admin => (403, json!({"error": "forbidden", "message": "scope"}).to_string()),
            "/nss/v1/shadow" => found("shadow", user().map(|user| shadow(&user))),
            "/nss/v1/initgroups" => found(
                "initgroups",
                user().map(|u| json!({"name": u.name, "gid": u.gid, "gids": u.gids})),
            ),
            "/nss/v1/user" => found("user", user().map(|user| self.bundle(&user, admin))),
            "/nss/v1/snapshot" => self.snapshot(&parameters),
            "/nss/v1/changes" => self.changes(&parameters),
            _ => (404, "no such path".to_owned()),
        }
    }

    fn bundle(&self, user: &User, admin: bool) -> Value {
        let mut bundle = serde_json::to_value(user).unwrap();
        let groups = user
            .gids
            .iter()
            .flatten()
            .filter_map(|gid| self.groups.get(self.by_gid.get(gid)?));
        bundle["groups"] = groups
            .map(|group| json!({"name": group.name, "gid": group.gid}))
            .collect();
        if admin {
            bundle["shadow"] = shadow(user);
        }
        bundle
    }

    fn snapshot(&self, parameters: &HashMap<String, String>) -> (u16, String) {
        let (from, limit) = bounds(parameters);
        let groups = if from == 0 {
            self.groups.values().collect()
        } else {
            Vec::new()
        };
        let users: Vec<&User> = self.users.values().skip(from).take(limit).collect();
        let mut body = json!({
            "age_ms": 0, "epoch": self.epoch.to_string(), "cursor": self.feed.len().to_string(),
            "users": users, "groups": groups,
        });
        if from + limit < self.users.len() {
            body["next"] = json!(format!("c{}", from + limit));
        }
        (200, body.to_string())
    }

    fn changes(&self, parameters: &HashMap<String, String>) -> (u16, String) {
        let since: Option<usize> = parameters.get("since").and_then(|since| since.parse().ok());
        let Some(since) = since.filter(|since| (self.tail..=self.feed.len()).contains(since)) else {
            return (410, json!({"error": "cursor_gone"}).to_string());
        };
        let changes: Vec<Value> = self.feed[since..]
            .iter()
            .map(|(kind, id)| json!({"kind": kind, "id": id, "user": self.users.get(id), "group": self.groups.get(id)}))
            .collect();
        let cursor = self.feed.len().to_string();
        let body =
            json!({"age_ms": 0, "epoch": self.epoch.to_string(), "cursor": cursor, "more": false, "changes": changes});
        (200, body.to_string())
    }

    /// A well-formed answer about another user or group than the target's.
    pub fn somebody_else(&self, target: &str) -> String {
        let other = self.users.values().next().unwrap();
        let mut other = self.bundle(other, false);
        other["name"] = json!("mallory");
        other["uid"] = json!(4242);
        let group = json!({"name": "wheels", "gid": 4242, "members": ["mallory"]});
        let key = if target.contains("/group") { "group" } else { "user" };
        let value = if key == "group" { group } else { other };
        json!({"age_ms": 0, key: value}).to_string()
    }
}

fn page(parameters: &HashMap<String, String>, all: impl Iterator<Item = Value>) -> (u16, String) {
    let (from, limit) = bounds(parameters);
    let mut entries: Vec<Value> = all.skip(from).take(limit + 1).collect();
    let more = entries.len() > limit;
    entries.truncate(limit);
    let mut body = json!({"age_ms": 0, "entries": entries});
    if more {
        body["next"] = json!(format!("c{}", from + limit));
    }
    (200, body.to_string())
}

fn bounds(parameters: &HashMap<String, String>) -> (usize, usize) {
    let from = parameters
        .get("after")
        .and_then(|after| after.strip_prefix('c')?.parse().ok())
        .unwrap_or(0);
    let limit = parameters
        .get("limit")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(1000);
    (from, limit.min(5000))
}

fn passwd(user: &User) -> Value {
    let mut value = serde_json::to_value(user).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.remove("gids");
    fields.remove("id");
    value
}

fn shadow(user: &User) -> Value {
    let shadow = user.shadow();
    json!({
        "name": shadow.name, "password": shadow.password, "last_change": null, "min": null, "max": null, "warn": null,
        "inactive": null, "expire": shadow.expire,
    })
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' && at + 2 < bytes.len() {
            out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap_or(b'?'));
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
