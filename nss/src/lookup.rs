//! The order of every look-up: refuse, shared map, agent, direct mode, "cannot know" (README §2).

mod sources;
pub mod status;

pub use sources::State;

use crate::ask::{self, Reply};
use crate::clock::now_ms;
use crate::map::{Found, Map, Service};
use crate::plugin::Question;
use crate::record::{Key, Kind, Record};
use crate::rules::{IdRange, is_name};

/// How a look-up ends; the entry points turn it into status and errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Handed out.
    Found,
    /// Positively none.
    NotFound,
    /// The caller's buffer is too small.
    TooSmall,
    /// Nobody can tell now; the caller may try again.
    CannotKnow,
    /// No configuration, no token.
    Unconfigured,
    /// Shadow without privilege; a configuration or token that may not be used.
    Denied,
    /// No memory.
    NoMemory,
    /// This record cannot be handed out; a walk skips it, a look-up cannot know.
    Broken,
}

/// What is done with a record that was found: copying it into the caller's buffer.
pub type Give<'a> = &'a mut dyn FnMut(&Record<'_>) -> Outcome;

/// Whether `key` can be anybody's.
pub fn is_possible(key: &Key<'_>) -> bool {
    match *key {
        Key::UserName(name) | Key::GroupName(name) => is_name(name) && name != b"root",
        Key::Uid(id) | Key::Gid(id) => IdRange::default().contains(id),
    }
}

/// Looks up a user or group.
pub fn by_key(state: &State, key: &Key<'_>, give: Give<'_>) -> Outcome {
    if !is_possible(key) {
        return Outcome::NotFound;
    }
    let mut has_map = false;
    let from_map = state.with_map(|map| {
        has_map = true;
        in_map(map, key, |record| give(record))
    });
    match from_map.flatten() {
        Some(outcome) => outcome,
        None => elsewhere(state, key, has_map, give),
    }
}

/// What the map says; None = ask further.
pub fn in_map(map: &Map, key: &Key<'_>, give: impl FnOnce(&Record<'_>) -> Outcome) -> Option<Outcome> {
    if key.id().is_some_and(|id| !map.ids().contains(id)) {
        return Some(Outcome::NotFound);
    }
    match map.find(key) {
        Found::Record(record) if record.kind() == Kind::Negative => {
            (now_ms() < record.fresh_until()).then_some(Outcome::NotFound)
        }
        Found::Record(record) => Some(give(&record)),
        Found::Absent | Found::Broken => None,
    }
}

/// What the agent is good for at this moment.
enum Agent {
    /// Ask it.
    Ask,
    /// It lives, and knows that nobody can tell.
    ServiceDown,
    /// It is not there, or does not answer.
    Gone,
}

fn agent(state: &State, now: u64) -> Agent {
    match state.with_map(|map| (map.nobody_can_tell(now), map.has_agent(now))) {
        Some((true, _)) => Agent::ServiceDown,
        Some((false, true)) if !state.agent_breaker().is_open(now) => Agent::Ask,
        Some(_) | None => Agent::Gone,
    }
}

fn elsewhere(state: &State, key: &Key<'_>, has_map: bool, give: Give<'_>) -> Outcome {
    if state.may_not_wait() {
        return without_waiting(state);
    }
    if has_map {
        match agent(state, now_ms()) {
            Agent::ServiceDown => return Outcome::CannotKnow,
            Agent::Ask => match ask_agent(state, &ask::request(key)) {
                Reply::Look => {
                    let again = state.with_map(|map| in_map(map, key, |record| give(record))).flatten();
                    return again.unwrap_or(Outcome::CannotKnow);
                }
                Reply::None => return Outcome::NotFound,
                Reply::Unknown | Reply::Silent | Reply::Body(_) => return Outcome::CannotKnow,
                Reply::Absent => {}
            },
            Agent::Gone => {}
        }
    }
    let question = match key {
        Key::UserName(_) => Question::UserName,
        Key::Uid(_) => Question::Uid,
        Key::GroupName(_) => Question::GroupName,
        Key::Gid(_) => Question::Gid,
    };
    let name: &[u8] = match *key {
        Key::UserName(name) | Key::GroupName(name) => name,
        Key::Uid(_) | Key::Gid(_) => b"",
    };
    let mut give = |record: &Record<'_>| {
        if record.answers(key) {
            give(record)
        } else {
            Outcome::CannotKnow
        }
    };
    state.ask_directly(question, name, key.id().unwrap_or(0), has_map, &mut give)
}

/// The answer for processes that the network may wait for (systemd's bypass, the agent itself): a whole and fresh map knows who is not there.
fn without_waiting(state: &State) -> Outcome {
    let now = now_ms();
    let knows = |map: &Map| map.is_complete() && map.service() == Service::Up && map.has_agent(now);
    if state.with_map(knows) == Some(true) {
        Outcome::NotFound
    } else {
        Outcome::CannotKnow
    }
}

fn ask_agent(state: &State, request: &[u8]) -> Reply {
    let reply = ask::ask(ask::SOCKET_PATH, request, ask::LIMIT_MS);
    if matches!(reply, Reply::Absent | Reply::Silent) {
        state.agent_breaker().open(now_ms() + sources::AGENT_RETRY_MS);
    }
    reply
}

/// The gids of user `name`: `give` gets his user record. Local accounts, root first, are never ours.
pub fn initgroups(state: &State, name: &[u8], give: Give<'_>) -> Outcome {
    if !is_possible(&Key::UserName(name)) || state.is_local(name) {
        return Outcome::NotFound;
    }
    by_key(state, &Key::UserName(name), give)
}

/// The shadow entry of user `name`, for effective uid 0 alone.
pub fn shadow(state: &State, name: &[u8], give: Give<'_>) -> Outcome {
    if !rustix::process::geteuid().is_root() {
        return Outcome::Denied;
    }
    if !is_possible(&Key::UserName(name)) {
        return Outcome::NotFound;
    }
    let mut give = |record: &Record<'_>| {
        let right = record.kind() == Kind::Shadow && record.name() == name;
        if right { give(record) } else { Outcome::CannotKnow }
    };
    // 0 = no map, 1 = a map that does not know the name, 2 = one that does.
    let known = state.with_map(|map| match map.find(&Key::UserName(name)) {
        Found::Record(record) if record.kind() == Kind::User => 2,
        _ => 1,
    });
    if known.is_some() && state.may_not_wait() {
        return Outcome::CannotKnow;
    }
    if let Some(known) = known {
        match agent(state, now_ms()) {
            Agent::ServiceDown if known == 1 => return Outcome::CannotKnow,
            // The agent answers for users it knows even while the service is down.
            Agent::Ask | Agent::ServiceDown => match ask_agent(state, &ask::shadow_request(name)) {
                Reply::Body(body) => return Record::parse(&body).map_or(Outcome::CannotKnow, |record| give(&record)),
                Reply::None => return Outcome::NotFound,
                Reply::Absent => {}
                Reply::Look | Reply::Unknown | Reply::Silent => return Outcome::CannotKnow,
            },
            Agent::Gone => {}
        }
    }
    if state.may_not_wait() {
        return Outcome::CannotKnow;
    }
    state.ask_directly(Question::Shadow, name, 0, known.is_some(), &mut give)
}

#[cfg(test)]
mod tests;
