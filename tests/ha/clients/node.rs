//! A node with the agent: it follows the service as every node does, and what it knows is read from its map.

use std::thread::JoinHandle;
use std::time::Duration;

use rollcall_nss::agent::{self, End, Options};
use rollcall_nss::lookup::{Outcome, in_map};
use rollcall_nss::map::{MAP_FILE, Map};
use rollcall_nss::record::Key;

use super::{Desk, Known};
use crate::harness::wait_until;
use crate::journal::{Action, Entry};
use crate::site::BALANCER;
use crate::site::files::Folder;

/// Its name in the journal.
const WAY: &str = "node";

/// Pause between two reads.
const PAUSE: Duration = Duration::from_millis(15);

/// How long the agent may take to learn whom there is.
const START: Duration = Duration::from_secs(20);

/// The node.
pub struct Node {
    map: String,
    agent: JoinHandle<End>,
}

impl Node {
    /// Starts the agent, for as long as the process lives, and waits until its map has all of `known`.
    pub async fn start(folder: &Folder, token: &str, known: &[Known]) -> Self {
        let place = |name: &str| folder.path("node").join(name).display().to_string();
        std::fs::create_dir(folder.path("node")).unwrap();
        std::fs::write(place("token"), token).unwrap();
        let settings = format!(
            "server-address=http://{BALANCER}:8081\nuser-token-path={0}\nadmin-token-path={0}\n",
            place("token")
        );
        std::fs::write(place("conf"), settings).unwrap();
        let options = Options {
            config_path: place("conf"),
            run_dir: place(""),
            cache_dir: place(""),
        };
        let node = Self {
            map: place(MAP_FILE),
            agent: std::thread::spawn(|| agent::run(options)),
        };
        wait_until("the map has every known user", START, async || {
            let Ok(map) = Map::open(node.map.as_str()) else {
                return false;
            };
            known
                .iter()
                .all(|user| has(&map, &Key::UserName(user.name.as_bytes()), user))
        })
        .await;
        node
    }

    /// Looks known users up by name and by uid until the desk closes, as the NSS module does.
    pub fn read(&self, desk: &Desk, known: &[Known]) {
        let mut map = Map::open(self.map.as_str()).unwrap();
        for turn in 0.. {
            if !desk.goes_on() {
                return;
            }
            // It would not show otherwise: the map goes on answering.
            assert!(!self.agent.is_finished(), "the node's agent has ended");
            let user = &known[turn % known.len()];
            let key = match turn % 2 {
                0 => Key::UserName(user.name.as_bytes()),
                _ => Key::Uid(u32::try_from(user.uid).unwrap()),
            };
            let mut entry = Entry::begin(&desk.journal, WAY, Action::Map, &user.name, "");
            if map.is_superseded()
                && let Ok(newer) = Map::open(self.map.as_str())
            {
                map = newer;
            }
            entry.status = if has(&map, &key, user) { 200 } else { 404 };
            desk.journal.note(entry);
            std::thread::sleep(PAUSE);
        }
    }
}

/// Whether `key` leads to the user with his own name and number.
fn has(map: &Map, key: &Key<'_>, user: &Known) -> bool {
    let found = in_map(map, key, |record| {
        if record.name() == user.name.as_bytes() && i64::from(record.id()) == user.uid {
            Outcome::Found
        } else {
            Outcome::Broken
        }
    });
    found == Some(Outcome::Found)
}
