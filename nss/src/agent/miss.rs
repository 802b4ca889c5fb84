//! What the map does not know: asked of the service once, however many processes want to know, and put into the map.

use super::Node;
use super::directory::Dirty;
use crate::ask::{self, reply};
use crate::client::{Fault, Said};
use crate::clock::{now_ms, unix_seconds};
use crate::contract;
use crate::direct::target;
use crate::http::Response;
use crate::map::{Found, Service};
use crate::record::{self, Key, Kind};
use crate::rules::is_name;
use std::time::Duration;

/// What "there is none" counts when the answer does not say, s.
const DEFAULT_NEGATIVE_TTL_S: u64 = 5;
/// Longest question to the service on behalf of a process, ms: its answer is to be there before the process gives up.
const QUESTION_MAX_MS: u64 = ask::LIMIT_MS - 100;
/// A directory that was whole so short a time ago may say "none" by itself when the service is asked too often, s.
const WHOLE_FOR_S: u64 = 2;

/// A request on the socket, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// A record for the map.
    Record(Key<'a>),
    /// The shadow entry of this user.
    Shadow(&'a [u8]),
    /// The agent's state.
    Status,
}

/// Reads a request (see [`crate::ask`]); None when it is none.
pub fn parse(request: &[u8]) -> Option<Wanted<'_>> {
    let (&letter, key) = request.split_first()?;
    let id = || std::str::from_utf8(key).ok()?.parse().ok();
    match letter {
        b'u' if is_name(key) => Some(Wanted::Record(Key::UserName(key))),
        b'g' if is_name(key) => Some(Wanted::Record(Key::GroupName(key))),
        b'i' => id().map(|id| Wanted::Record(Key::Uid(id))),
        b'j' => id().map(|id| Wanted::Record(Key::Gid(id))),
        b's' if is_name(key) => Some(Wanted::Shadow(key)),
        b't' if key.is_empty() => Some(Wanted::Status),
        _ => None,
    }
}

/// The reply that needs no question to the service, if there is one.
pub fn at_once(node: &Node, key: &Key<'_>) -> Option<u8> {
    if key.id().is_some_and(|id| !node.config.ids.contains(id)) {
        return Some(reply::NONE);
    }
    let core = node.core();
    let in_map = match core.publisher.map().map(|map| map.find(key)) {
        Some(Found::Record(record)) if record.kind() == Kind::Negative => {
            (now_ms() < record.fresh_until()).then_some(reply::NONE)
        }
        Some(Found::Record(_)) => Some(reply::LOOK),
        Some(Found::Absent | Found::Broken) | None => None,
    };
    in_map.or_else(|| (core.service == Service::Down).then_some(reply::UNKNOWN))
}

/// The reply when the service may not be asked, because it has been asked too often of late.
pub fn without_asking(node: &Node) -> u8 {
    let core = node.core();
    let whole = core.directory.is_loaded() && unix_seconds().saturating_sub(core.synced) <= WHOLE_FOR_S;
    if whole && core.service == Service::Up {
        reply::NONE
    } else {
        reply::UNKNOWN
    }
}

/// Asks the service about `key` and puts what it says into the map.
pub fn ask_service(node: &Node, key: &Key<'_>) -> u8 {
    let limit = Duration::from_millis(node.config.request_timeout_ms.min(QUESTION_MAX_MS));
    let said = match node.client.get(&target(key), false, None, limit) {
        Ok(said) => said,
        Err(Fault::Local | Fault::Unconfigured) => return reply::UNKNOWN,
        Err(Fault::TimedOut | Fault::Failed) => {
            node.note(false);
            return reply::UNKNOWN;
        }
    };
    node.note(true);
    match said {
        Said::None(response) => {
            let ttl_s = response
                .max_age
                .unwrap_or(DEFAULT_NEGATIVE_TTL_S)
                .min(node.config.negative_ttl_s);
            let mut core = node.core();
            let super::Core {
                directory, publisher, ..
            } = &mut *core;
            let _ = publisher.negative(directory, key, ttl_s * 1000);
            reply::NONE
        }
        Said::Yes(response) if take(node, key, &response).is_some() => reply::LOOK,
        Said::Yes(_) | Said::Unchanged(_) | Said::Gone => reply::UNKNOWN,
    }
}

/// Takes an answer over. The feed will bring the same again.
fn take(node: &Node, key: &Key<'_>, response: &Response) -> Option<()> {
    let ids = node.config.ids;
    let mut dirty = Dirty::default();
    let mut core = node.core();
    let super::Core {
        directory, publisher, ..
    } = &mut *core;
    if matches!(key, Key::UserName(_) | Key::Uid(_)) {
        let user = contract::user(&response.body, key, ids)
            .ok()
            .filter(|user| !user.id.is_empty())?;
        directory.put_user(user, &mut dirty);
    } else {
        let mut group = contract::group(&response.body, key, ids).ok()?;
        if group.id.is_empty() {
            // `/group` does not tell the id; a group that nobody has told yet goes by its gid until the feed does.
            let known = directory.group_with_members(group.gid).map(|(id, _)| id.clone());
            group.id = known.unwrap_or_else(|| format!("gid-{}", group.gid));
        }
        directory.put_group(group, &mut dirty);
    }
    publisher.apply(directory, &dirty).ok()
}

/// The shadow record of a user the directory knows; it follows from his state (CONTRACT.md §3).
pub fn shadow(node: &Node, name: &[u8]) -> Option<Vec<u8>> {
    let core = node.core();
    let user = core.directory.user_named(std::str::from_utf8(name).ok()?)?;
    record::shadow(&user.shadow())
}
