//! Which nodes ask, as they say in `Rollcall-Node` (nss/CONTRACT.md §1): who changes a name or a uid is told where the old one
//! is still seen, and for how long.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};

use crate::db::Database;
use crate::db::nodes::NodeSight;
use crate::http::listener::Peer;

const ROLLCALL_NODE: HeaderName = HeaderName::from_static("rollcall-node");

/// Most sights that wait to be written; later ones come with the next batch.
const MOST_WAITING: usize = 5000;

/// A sight is not renewed sooner.
const RENEWED_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// The nodes that this replica has seen since it wrote them down last.
#[derive(Default)]
pub struct Nodes {
    /// By name, and whether the feed is followed.
    waiting: Mutex<HashMap<(String, bool), NodeSight>>,
}

impl Nodes {
    /// Notes the node that a request announces. An announcement that cannot be read counts as none.
    pub(super) fn note(&self, headers: &HeaderMap, peer: Peer) {
        let announced = headers.get(ROLLCALL_NODE).and_then(|value| value.to_str().ok());
        let Some((name, cache_ttl_s)) = announced.and_then(parse) else {
            return;
        };
        let at = Timestamp::now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = waiting.len() < MOST_WAITING;
        let key = (name.to_owned(), cache_ttl_s.is_none());
        let known = waiting.get(&key);
        if known.map_or(has_room, |known| at.duration_since(known.at) > RENEWED_AFTER) {
            let from = peer.describe();
            let name = name.to_owned();
            waiting.insert(
                key,
                NodeSight {
                    name,
                    cache_ttl_s,
                    at,
                    from,
                },
            );
        }
    }

    /// Writes who has asked since the last call.
    pub async fn flush(&self, db: &Database) {
        let sights: Vec<NodeSight> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.drain().map(|(_, sight)| sight).collect()
        };
        if !sights.is_empty()
            && let Err(error) = db.nodes_note(&sights).await
        {
            tracing::debug!(%error, "nodes that have asked could not be noted");
        }
    }
}

/// The name of the node, and for how many seconds its caches keep an answer: none for one that follows the feed.
fn parse(announced: &str) -> Option<(&str, Option<i32>)> {
    let (name, how) = announced.split_once(';')?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(is_plain) {
        return None;
    }
    match how.trim().split_once('=') {
        None if how.trim() == "feed" => Some((name, None)),
        Some(("cache-ttl", seconds)) => {
            let is_number = seconds.bytes().all(|byte| byte.is_ascii_digit());
            let seconds = seconds
                .parse()
                .ok()
                .filter(|_| is_number)
                .filter(|seconds| (1..=300).contains(seconds))?;
            Some((name, Some(seconds)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{MOST_WAITING, Nodes, ROLLCALL_NODE, parse};
    use crate::http::listener::Peer;

    #[test]
    fn announcements_are_read_and_others_are_none() {
        assert_eq!(parse("n1.example; feed"), Some(("n1.example", None)));
        assert_eq!(parse("n-2_b;cache-ttl=300"), Some(("n-2_b", Some(300))));
        let long = format!("{}; feed", "n".repeat(65));
        for bad in [
            "",
            "n1",
            "; feed",
            "n1; ttl=5",
            "n1; cache-ttl=0",
            "n1; cache-ttl=301",
            "n1; cache-ttl=x",
            "n1; cache-ttl=+5",
            "a b; feed",
            "ä; feed",
            &long,
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn names_without_end_are_not_kept() {
        let nodes = Nodes::default();
        let mut headers = HeaderMap::new();
        for number in 0..=MOST_WAITING {
            let value = HeaderValue::from_str(&format!("n{number}; feed")).unwrap();
            headers.insert(ROLLCALL_NODE, value);
            nodes.note(&headers, Peer(None));
        }
        let waiting = nodes.waiting.lock().unwrap();
        assert_eq!(waiting.len(), MOST_WAITING);
        assert!(!waiting.contains_key(&(format!("n{MOST_WAITING}"), true)));
    }
}
