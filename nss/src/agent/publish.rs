//! Directory → shared map: the whole of it into a new file, or what has changed into the present one.

use super::directory::{Directory, Dirty};
use crate::clock::now_ms;
use crate::contract::{Group, User};
use crate::map::{Database, Former, Full, Map, Plan, RegionError, Service, Writer};
use crate::record::{self, Key};
use crate::rules::IdRange;
use std::collections::HashMap;

/// How long the old name or id of somebody counts as free without asking, ms.
const FREED_MS: u64 = 5000;
/// Guess of a record's length beside its members, bytes.
const RECORD_GUESS: usize = 192;

/// The writer of the map.
#[derive(Debug)]
pub struct Publisher {
    run_dir: String,
    ids: IdRange,
    listed: bool,
    generation: u64,
    writer: Option<Writer>,
    user_places: HashMap<String, usize>,
    group_places: HashMap<String, usize>,
    service: (Service, u64),
    complete: u64,
}

impl Publisher {
    /// Nothing is written yet. `listed`: whether enumeration shows anything.
    pub fn new(run_dir: &str, ids: IdRange, listed: bool) -> Self {
        let generation = Map::open(format!("{run_dir}/{}", crate::map::MAP_FILE)).map_or(0, |map| map.generation());
        Self {
            run_dir: run_dir.to_owned(),
            ids,
            listed,
            generation,
            writer: None,
            user_places: HashMap::new(),
            group_places: HashMap::new(),
            service: (Service::Starting, now_ms()),
            complete: 0,
        }
    }

    /// Writes a new file and gives it the name. `synced`: when the directory was known to be whole (0 = it is not).
    pub fn rebuild(&mut self, directory: &Directory, synced: u64) -> Result<(), RegionError> {
        self.complete = if directory.is_loaded() { synced } else { 0 };
        let memberships: usize = directory
            .users()
            .map(|(_, user)| user.gids.as_ref().map_or(0, Vec::len))
            .sum();
        let entries = directory.users().len() + directory.groups().len();
        let keys: usize = directory
            .users()
            .flat_map(|(_, user)| &user.ssh_keys)
            .map(|key| key.len() + 1)
            .sum();
        let mut bytes = entries * RECORD_GUESS + memberships * 36 + keys;
        // A second try with twice the room; a directory for which that is not enough has been measured wrongly.
        for _ in 0..4 {
            match self.write(directory, bytes) {
                Ok(()) => return Ok(()),
                Err(None) => bytes = bytes * 2 + (1 << 20),
                Err(Some(error)) => return Err(error),
            }
        }
        Err(RegionError::Unsafe)
    }

    /// None as an error: it did not fit.
    fn write(&mut self, directory: &Directory, bytes: usize) -> Result<(), Option<RegionError>> {
        self.generation += 1;
        let [users, groups] = [directory.users().len(), directory.groups().len()];
        let plan = Plan {
            users,
            groups,
            bytes,
            ids: self.ids,
            generation: self.generation,
        };
        let writer = Writer::create(&self.run_dir, plan).map_err(Some)?;
        let mut fresh = Places {
            writer,
            users: HashMap::new(),
            groups: HashMap::new(),
            listed: self.listed,
        };
        let mut sorted: Vec<&User> = directory.users().map(|(_, user)| user).collect();
        sorted.sort_unstable_by_key(|user| user.uid);
        for user in sorted {
            fresh.user(user, directory.owns_name(user)).map_err(|Full| None)?;
        }
        let mut gids: Vec<u32> = directory.groups().map(|(_, group)| group.gid).collect();
        gids.sort_unstable();
        for gid in gids {
            if let Some((_, group)) = directory.group_with_members(gid) {
                fresh
                    .group(&group, directory.owns_group_name(&group))
                    .map_err(|Full| None)?;
            }
        }
        let Places {
            mut writer,
            users,
            groups,
            ..
        } = fresh;
        writer.set_service(self.service.0, self.service.1);
        writer.beat(now_ms());
        if self.complete != 0 {
            writer.set_complete(self.complete);
        }
        // Readers of a former agent's file have to learn that it has lost its name.
        let former = if self.writer.is_none() {
            Former::open(&self.run_dir)
        } else {
            None
        };
        writer
            .publish(self.writer.as_ref())
            .map_err(|_| Some(RegionError::Unsafe))?;
        if let Some(former) = former {
            former.retire();
        }
        self.writer = Some(writer);
        self.user_places = users;
        self.group_places = groups;
        Ok(())
    }

    /// Writes what a change has touched; a full map is rebuilt.
    pub fn apply(&mut self, directory: &Directory, dirty: &Dirty) -> Result<(), RegionError> {
        match self.try_apply(directory, dirty) {
            Ok(()) => Ok(()),
            Err(Full) => self.rebuild(directory, self.complete),
        }
    }

    fn try_apply(&mut self, directory: &Directory, dirty: &Dirty) -> Result<(), Full> {
        let Some(writer) = self.writer.take() else {
            return Err(Full);
        };
        let [users, groups] = [
            std::mem::take(&mut self.user_places),
            std::mem::take(&mut self.group_places),
        ];
        let mut places = Places {
            writer,
            users,
            groups,
            listed: self.listed,
        };
        let outcome = places.apply(directory, dirty);
        self.writer = Some(places.writer);
        self.user_places = places.users;
        self.group_places = places.groups;
        outcome
    }

    /// "There is none" for `key`, for `ttl_ms`.
    pub fn negative(&mut self, directory: &Directory, key: &Key<'_>, ttl_ms: u64) -> Result<(), RegionError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        match negative(writer, key, ttl_ms) {
            Ok(()) => Ok(()),
            // Other negative entries end with the old file: each costs one more question at most.
            Err(Full) => self.rebuild(directory, self.complete),
        }
    }

    /// The map as readers see it.
    pub fn map(&self) -> Option<&Map> {
        self.writer.as_ref().map(Writer::map)
    }

    /// Opens or closes the node's breaker.
    pub fn set_service(&mut self, service: Service, since_ms: u64) {
        self.service = (service, since_ms);
        if let Some(writer) = &self.writer {
            writer.set_service(service, since_ms);
        }
    }

    /// The whole directory is in the map as of now.
    pub fn set_complete(&mut self, unix_seconds: u64) {
        self.complete = unix_seconds;
        if let Some(writer) = &self.writer {
            writer.set_complete(unix_seconds);
        }
    }

    /// Sign of life.
    pub fn beat(&self, now_ms: u64) {
        if let Some(writer) = &self.writer {
            writer.beat(now_ms);
        }
    }

    /// Takes the map away: this node is no longer configured.
    pub fn withdraw(&self) {
        let _ = std::fs::remove_file(format!("{}/{}", self.run_dir, crate::map::MAP_FILE));
        if let Some(writer) = &self.writer {
            writer.retire();
        }
    }
}

/// A map being written, and where everybody is in its lists.
#[derive(Debug)]
struct Places {
    writer: Writer,
    users: HashMap<String, usize>,
    groups: HashMap<String, usize>,
    listed: bool,
}

fn negative(writer: &mut Writer, key: &Key<'_>, ttl_ms: u64) -> Result<(), Full> {
    let Some(record) = record::negative(key, now_ms() + ttl_ms) else {
        return Ok(());
    };
    let offset = writer.append(&record)?;
    writer.point(key, offset)
}

impl Places {
    fn apply(&mut self, directory: &Directory, dirty: &Dirty) -> Result<(), Full> {
        for id in &dirty.users {
            if let Some(user) = directory.user(id) {
                self.user(user, directory.owns_name(user))?;
            }
        }
        for &gid in &dirty.groups {
            if let Some((_, group)) = directory.group_with_members(gid) {
                self.group(&group, directory.owns_group_name(&group))?;
            }
        }
        // The old keys answer "none" from now on; asked again after a while, the service decides.
        let names = dirty.free_names.iter().map(|name| Key::UserName(name.as_bytes()));
        let group_names = dirty
            .free_group_names
            .iter()
            .map(|name| Key::GroupName(name.as_bytes()));
        let ids = dirty
            .free_uids
            .iter()
            .map(|&uid| Key::Uid(uid))
            .chain(dirty.free_gids.iter().map(|&gid| Key::Gid(gid)));
        for key in names.chain(group_names).chain(ids) {
            negative(&mut self.writer, &key, FREED_MS)?;
        }
        for id in &dirty.gone {
            if let Some(place) = self.users.remove(id) {
                self.writer.unlist(Database::Passwd, place);
            }
            if let Some(place) = self.groups.remove(id) {
                self.writer.unlist(Database::Group, place);
            }
        }
        Ok(())
    }

    fn user(&mut self, user: &User, by_name: bool) -> Result<(), Full> {
        // The agent itself serves shadow entries, hence "x".
        let Some(record) = record::user(user, true) else {
            return Ok(());
        };
        let offset = self.writer.append(&record)?;
        self.writer.point(&Key::Uid(user.uid), offset)?;
        if by_name {
            self.writer.point(&Key::UserName(user.name.as_bytes()), offset)?;
        }
        let known = self.users.get(&user.id).copied();
        if self.listed && by_name {
            let place = self.writer.list(Database::Passwd, known, offset)?;
            self.users.insert(user.id.clone(), place);
        } else if let Some(place) = known {
            self.writer.unlist(Database::Passwd, place);
        }
        Ok(())
    }

    fn group(&mut self, group: &Group, by_name: bool) -> Result<(), Full> {
        let Some(record) = record::group(group) else {
            return Ok(());
        };
        let offset = self.writer.append(&record)?;
        self.writer.point(&Key::Gid(group.gid), offset)?;
        if by_name {
            self.writer.point(&Key::GroupName(group.name.as_bytes()), offset)?;
        }
        if self.listed {
            let place = self
                .writer
                .list(Database::Group, self.groups.get(&group.id).copied(), offset)?;
            self.groups.insert(group.id.clone(), place);
        }
        Ok(())
    }
}
