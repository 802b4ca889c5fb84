//! The agent: its map follows the service, its socket answers once for many, and it lives without either.

use crate::harness::node::{Agent, Folder, server, until};
use crate::harness::server::{Fault, Server};
use rollcall_nss::ask::{self, Reply};
use rollcall_nss::contract::{State, User};
use rollcall_nss::map::{Database, Found, MAP_FILE, Map, Service};
use rollcall_nss::record::{Key, Kind, Record};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(5);

struct Node {
    folder: Folder,
    server: Arc<Server>,
    agent: Agent,
}

impl Node {
    fn new(name: &str) -> Self {
        Self::with(name, "")
    }

    fn with(name: &str, settings: &str) -> Self {
        let folder = Folder::new(name);
        let server = server();
        let port = server.listen_tcp("127.0.0.1:0");
        folder.write(
            "conf",
            &folder.config_text(&format!("http://127.0.0.1:{port}"), settings),
            0o644,
        );
        let agent = Agent::start(&folder);
        let node = Self { folder, server, agent };
        until("the directory is loaded", SOON, || {
            node.try_map().is_some_and(|map| map.is_complete())
        });
        node
    }

    fn try_map(&self) -> Option<Map> {
        Map::open(self.folder.path(MAP_FILE)).ok()
    }

    fn map(&self) -> Map {
        self.try_map().unwrap()
    }

    fn ask(&self, request: &[u8]) -> Reply {
        ask::ask(&self.folder.path("node.sock"), request, 2000)
    }

    fn ask_for(&self, key: &Key<'_>) -> Reply {
        self.ask(&ask::request(key))
    }

    fn uid(&self, name: &str) -> Option<u32> {
        match self.map().find(&Key::UserName(name.as_bytes())) {
            Found::Record(record) if record.kind() == Kind::User => Some(record.id()),
            _ => None,
        }
    }

    fn members(&self, gid: u32) -> Option<usize> {
        match self.map().find(&Key::Gid(gid)) {
            Found::Record(record) if record.kind() == Kind::Group => Some(record.member_count()),
            _ => None,
        }
    }
}

fn somebody(name: &str, uid: u32) -> User {
    User {
        id: format!("id-{uid}"),
        name: name.to_owned(),
        uid,
        gid: 10_010,
        home: "/home/x".to_owned(),
        shell: "/bin/sh".to_owned(),
        gids: Some(vec![10_010, 10_011]),
        ..User::default()
    }
}

#[test]
fn the_whole_directory_is_in_the_map() {
    let node = Node::new("whole");
    assert_eq!(
        (node.uid("ada"), node.uid("bob"), node.uid("eve")),
        (Some(10_001), Some(10_002), Some(10_004))
    );
    assert!(node.server.announced.lock().unwrap().ends_with("; feed"));
    assert_eq!(node.uid("eve.10003"), None, "the retired one answers by uid only");
    assert!(matches!(node.map().find(&Key::Uid(10_003)), Found::Record(_)));
    assert_eq!(
        (node.members(10_011), node.members(10_012), node.members(10_001)),
        (Some(2), Some(0), Some(0))
    );
    let map = node.map();
    let (mut at, mut users) = (0, Vec::new());
    while let Some((record, next)) = map.next(Database::Passwd, at) {
        users.push(record.id());
        at = next;
    }
    assert_eq!(users, [10_001, 10_002, 10_004]);
}

#[test]
fn every_change_is_in_the_map_within_two_seconds() {
    let node = Node::new("changes");
    let limit = Duration::from_secs(2);
    let change = |change: &dyn Fn(&mut crate::harness::store::Store)| change(&mut node.server.store.lock().unwrap());
    change(&|store| store.put_user(somebody("zoe", 10_100)));
    until("a new user", limit, || {
        node.uid("zoe") == Some(10_100) && node.members(10_011) == Some(3)
    });
    change(&|store| {
        store.put_user(User {
            name: "zora".to_owned(),
            ..somebody("zoe", 10_100)
        });
    });
    until("the new name, and not the old one", limit, || {
        node.uid("zora") == Some(10_100) && node.uid("zoe").is_none()
    });
    change(&|store| {
        store.put_user(User {
            uid: 10_101,
            ..somebody("zora", 10_100)
        });
    });
    until("the new uid, and not the old one", limit, || {
        let map = node.map();
        let old = matches!(map.find(&Key::Uid(10_100)), Found::Record(record) if record.kind() == Kind::Negative);
        node.uid("zora") == Some(10_101) && old
    });
    change(&|store| store.remove_user("id-10100"));
    until("the removal", limit, || {
        node.uid("zora").is_none() && node.members(10_011) == Some(2)
    });
}

#[test]
fn a_user_made_a_moment_ago_is_found_without_waiting_for_the_feed() {
    let node = Node::new("moment");
    assert_eq!(node.ask_for(&Key::UserName(b"zoe")), Reply::None);
    node.server.store.lock().unwrap().put_user(somebody("zoe", 10_100));
    node.server.store.lock().unwrap().put_user(somebody("yan", 10_101));
    assert_eq!(node.ask_for(&Key::UserName(b"yan")), Reply::Look);
    assert_eq!(node.uid("yan"), Some(10_101));
    until(
        "the negative entry ends with the user's appearance",
        Duration::from_secs(2),
        || node.uid("zoe").is_some(),
    );
}

#[test]
fn five_hundred_who_ask_the_same_are_one_question_to_the_service() {
    let node = Node::new("flight");
    let socket = node.folder.path("node.sock");
    *node.server.fault.lock().unwrap() = Fault::None;
    let before = node.server.requests.load(Relaxed);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(ask::ask(&socket, b"unobody-here", 3000), Reply::None);
                }
            });
        }
    });
    let polls = u64::try_from(started.elapsed().as_millis()).unwrap() / 900 + 2;
    let asked = node.server.requests.load(Relaxed) - before;
    assert!(
        asked <= 1 + polls,
        "{asked} requests, of which at most {polls} are the feed's"
    );
}

#[test]
fn while_the_service_is_silent_the_known_are_known_and_the_unknown_are_told_so_at_once() {
    let node = Node::new("silent");
    *node.server.fault.lock().unwrap() = Fault::Silent;
    until("the breaker opens", Duration::from_secs(4), || {
        node.map().service() == Service::Down
    });
    assert_eq!(node.uid("ada"), Some(10_001));
    let started = Instant::now();
    for _ in 0..100 {
        assert_eq!(node.ask_for(&Key::UserName(b"nobody-here")), Reply::Unknown);
    }
    assert!(
        started.elapsed() < Duration::from_millis(100),
        "{:?} for a hundred",
        started.elapsed()
    );
    assert!(matches!(node.ask(b"sbob"), Reply::Body(_)), "shadow of a known user");
    assert_eq!(node.ask(b"snobody-here"), Reply::Unknown);
    *node.server.fault.lock().unwrap() = Fault::None;
    until("the breaker closes", SOON, || node.map().service() == Service::Up);
    assert_eq!(node.ask_for(&Key::UserName(b"nobody-here")), Reply::None);
}

#[test]
fn all_who_ask_as_the_service_falls_silent_are_answered_within_a_second_and_those_after_them_at_once() {
    // The follower alone would need five seconds to notice.
    let node = Node::with("fallen", "request-timeout-ms=5000");
    let socket = node.folder.path("node.sock");
    *node.server.fault.lock().unwrap() = Fault::Silent;
    // Five times as many questions as the agent has threads.
    std::thread::scope(|scope| {
        for number in 0..40 {
            let socket = &socket;
            scope.spawn(move || {
                let started = Instant::now();
                let reply = ask::ask(socket, format!("unobody{number}").as_bytes(), 5000);
                assert_eq!(reply, Reply::Unknown);
                assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
            });
        }
    });
    assert!(
        node.map().nobody_can_tell(rollcall_nss::clock::now_ms()),
        "for the whole node"
    );
    let started = Instant::now();
    assert_eq!(node.ask_for(&Key::UserName(b"nobody-else")), Reply::Unknown);
    assert!(started.elapsed() < Duration::from_millis(50));
    *node.server.fault.lock().unwrap() = Fault::None;
}

#[test]
fn no_fault_of_the_server_changes_what_the_map_says() {
    let node = Node::new("faults");
    for fault in Fault::ALL {
        *node.server.fault.lock().unwrap() = fault;
        until(&format!("{fault:?} is noticed"), Duration::from_secs(4), || {
            node.map().service() == Service::Down
        });
        assert_eq!(
            node.ask_for(&Key::UserName(b"nobody-here")),
            Reply::Unknown,
            "{fault:?}"
        );
        assert_eq!(
            (node.uid("ada"), node.members(10_011)),
            (Some(10_001), Some(2)),
            "{fault:?}"
        );
        *node.server.fault.lock().unwrap() = Fault::None;
        until("it recovers", SOON, || node.map().service() == Service::Up);
    }
}

#[test]
fn a_start_without_the_service_knows_everybody_from_the_copy_on_disk() {
    let mut node = Node::new("disk");
    until("the copy is written", SOON, || {
        std::fs::exists(node.folder.path("directory.json")).unwrap()
    });
    *node.server.fault.lock().unwrap() = Fault::Hangup;
    node.agent = {
        drop(node.agent);
        std::fs::remove_file(node.folder.path(MAP_FILE)).unwrap();
        Agent::start(&node.folder)
    };
    let node = Node { ..node };
    until("the map is back", SOON, || {
        node.try_map().is_some_and(|map| map.is_complete())
    });
    assert_eq!((node.uid("ada"), node.members(10_011)), (Some(10_001), Some(2)));
    until("the service is known to be down", SOON, || {
        node.map().service() == Service::Down
    });
    assert_eq!(node.ask_for(&Key::UserName(b"nobody-here")), Reply::Unknown);
    *node.server.fault.lock().unwrap() = Fault::None;
}

#[test]
fn a_start_without_service_and_copy_says_unknown_and_lists_nothing_as_complete() {
    let folder = Folder::new("nothing");
    folder.write("conf", &folder.config_text("http://127.0.0.1:1", ""), 0o644);
    let _agent = Agent::start(&folder);
    let open = || Map::open(folder.path(MAP_FILE)).ok();
    until("there is a map", SOON, || {
        open().is_some_and(|map| map.service() == Service::Down)
    });
    assert!(!open().unwrap().is_complete());
    assert_eq!(ask::ask(&folder.path("node.sock"), b"uada", 2000), Reply::Unknown);
}

#[test]
fn a_cursor_of_another_epoch_or_too_old_makes_the_agent_start_afresh() {
    let node = Node::new("epoch");
    {
        let mut store = node.server.store.lock().unwrap();
        store.epoch = 2;
        store.put_user(somebody("zoe", 10_100));
    }
    until("the new timeline", SOON, || node.uid("zoe").is_some());
    {
        let mut store = node.server.store.lock().unwrap();
        store.put_user(somebody("yan", 10_101));
        store.put_user(somebody("xi", 10_102));
        store.tail = usize::MAX;
    }
    until("what the feed has forgotten", SOON, || {
        node.uid("yan").is_some() && node.uid("xi").is_some()
    });
    assert_eq!(node.uid("ada"), Some(10_001));
}

#[test]
fn garbage_on_the_socket_and_peers_that_say_nothing_harm_nobody() {
    let node = Node::new("garbage");
    for request in [
        &b""[..],
        b"z",
        b"u",
        b"ua\nb",
        b"i-1",
        b"i99999999999",
        b"iabc",
        b"t1",
        &[0xff; 2000],
    ] {
        assert_eq!(node.ask(request), Reply::Unknown, "{request:?}");
    }
    assert_eq!(node.ask(b"i4294967295"), Reply::None);
    let silent: Vec<_> = (0..600).map(|_| silent_peer(&node.folder.path("node.sock"))).collect();
    assert_eq!(node.ask_for(&Key::UserName(b"ada")), Reply::Look);
    drop(silent);
    assert_eq!(node.ask_for(&Key::UserName(b"ada")), Reply::Look);
}

fn silent_peer(path: &str) -> std::os::fd::OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    connect(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    socket
}

#[test]
fn a_frozen_agent_costs_its_limit_and_a_dead_one_nothing() {
    let node = Node::new("frozen");
    node.agent.signal(rustix::process::Signal::STOP);
    let started = Instant::now();
    assert_eq!(ask::ask(&node.folder.path("node.sock"), b"unobody", 300), Reply::Silent);
    assert!(
        (250..600).contains(&started.elapsed().as_millis()),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(node.uid("ada"), Some(10_001));
    node.agent.signal(rustix::process::Signal::CONT);
    let Node { folder, agent, .. } = node;
    drop(agent);
    let started = Instant::now();
    assert_eq!(ask::ask(&folder.path("node.sock"), b"unobody", 300), Reply::Absent);
    assert!(started.elapsed() < Duration::from_millis(50));
    assert!(matches!(
        Map::open(folder.path(MAP_FILE)).unwrap().find(&Key::UserName(b"ada")),
        Found::Record(_)
    ));
}

#[test]
fn shadow_entries_follow_the_users_state() {
    let node = Node::new("shadow");
    let shadow = |name: &str| match node.ask(&ask::shadow_request(name.as_bytes())) {
        Reply::Body(body) => Record::parse(&body).map(|record| (record.strings().to_vec(), record.expire())),
        other => panic!("{other:?}"),
    };
    assert_eq!(shadow("ada"), Some((b"ada\0*\0".to_vec(), -1)));
    assert_eq!(shadow("bob"), Some((b"bob\0!\0".to_vec(), 1)));
    let ada = node.server.store.lock().unwrap().user_named("ada").unwrap();
    node.server.store.lock().unwrap().put_user(User {
        state: State::Locked,
        ..ada
    });
    until("the lock", Duration::from_secs(2), || {
        shadow("ada") == Some((b"ada\0!\0".to_vec(), 1))
    });
}

#[test]
fn a_map_without_configuration_goes_away_and_a_new_configuration_ends_the_agent() {
    let mut node = Node::new("config");
    std::fs::remove_file(node.folder.path("conf")).unwrap();
    until("the agent ends", Duration::from_secs(8), || {
        node.agent.0.try_wait().unwrap().is_some()
    });
    assert!(node.try_map().is_none());
}
