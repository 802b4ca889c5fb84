//! Readers: nodes without an agent that ask for users they know, and a SCIM client that reads them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::http::Http;
use super::{Desk, Known};
use crate::journal::{Action, Entry};

/// How long a node waits in all, as `libnss_pwb` does.
const NODE_PATIENCE: Duration = Duration::from_secs(2);

/// Pause of a node before it asks again within its patience.
const NODE_PAUSE: Duration = Duration::from_millis(50);

/// Longest wait of a SCIM client for a read.
const SCIM_PATIENCE: Duration = Duration::from_secs(10);

/// Nodes without an agent.
const NODES: usize = 2;

/// Lets nodes ask until the desk closes. They have a thread of their own: they are other machines, and what the rest of the clients
/// and the checker do must not look like a slow answer.
pub fn ask_as_nodes(tasks: &mut JoinSet<()>, desk: &Desk, http: &Http, known: &Arc<Vec<Known>>) {
    let nodes: Vec<_> = (0..NODES)
        .map(|_| ask_as_node(desk.clone(), http.clone(), known.clone()))
        .collect();
    tasks.spawn_blocking(move || {
        let thread = tokio::runtime::Builder::new_current_thread().enable_all().build();
        thread.unwrap().block_on(futures_util::future::join_all(nodes));
    });
}

/// Asks for known users by name and by uid until the desk closes. An answer counts when it comes within two seconds, at
/// whatever try, and is right.
async fn ask_as_node(desk: Desk, http: Http, known: Arc<Vec<Known>>) {
    for turn in 0.. {
        if !desk.goes_on() {
            return;
        }
        let user = &known[turn % known.len()];
        let query = if turn % 2 == 0 {
            format!("name={}", user.name)
        } else {
            format!("uid={}", user.uid)
        };
        let entry = Entry::begin(&desk.journal, http.way, Action::Nss, &user.name, &query);
        desk.journal.note(ask(&http, entry, user, &query).await);
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

async fn ask(http: &Http, mut entry: Entry, user: &Known, query: &str) -> Entry {
    let end = Instant::now() + NODE_PATIENCE;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let (answered, body) = http
            .send(None, entry, left, |client, base| {
                client.get(format!("{base}/nss/v1/passwd?{query}"))
            })
            .await;
        entry = answered;
        entry.is_stale = body["stale"] == true;
        entry.uid = body["passwd"]["uid"].as_i64();
        if entry.is_ok() && entry.uid != Some(user.uid) {
            entry.status = 299; // An answer that is wrong, and counted as a failure.
            return entry;
        }
        if entry.is_ok() || entry.status == 404 {
            return entry;
        }
        tokio::time::sleep(NODE_PAUSE).await;
    }
    entry
}

/// Reads known users by id until the desk closes; one try each.
pub async fn read_scim(desk: Desk, http: Http, known: Arc<Vec<Known>>) {
    for turn in 0.. {
        let Some(_business) = desk.open().await else { return };
        let user = &known[turn % known.len()];
        let entry = Entry::begin(&desk.journal, "scim-reader", Action::Read, &user.name, "");
        http.send(Some(&desk.journal), entry, SCIM_PATIENCE, |client, base| {
            client.get(format!("{base}/scim/v2/Users/{}", user.id))
        })
        .await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
