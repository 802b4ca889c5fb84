//! The direct mode: caching, failover, deadlines, and never "not found" for "unknown".

use crate::harness::node::{Folder, server};
use crate::harness::server::{Fault, Server};
use rollcall_nss::direct::{Caller, Direct};
use rollcall_nss::plugin::{Answer, Question};
use rollcall_nss::record::Record;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

const ROOT: Caller = Caller {
    admin: true,
    offline: false,
};
const USER: Caller = Caller {
    admin: false,
    offline: false,
};

fn ask(direct: &Direct, question: Question, name: &str, id: u32, caller: Caller) -> (Answer, Vec<String>) {
    let mut names = Vec::new();
    let answer = direct.ask(question, name.as_bytes(), id, caller, &mut |is_cursor, bytes| {
        if !is_cursor {
            names.push(String::from_utf8_lossy(Record::parse(bytes).unwrap().name()).into_owned());
        }
    });
    (answer, names)
}

fn by_name(direct: &Direct, name: &str) -> Answer {
    ask(direct, Question::UserName, name, 0, USER).0
}

fn tcp(server: &Arc<Server>) -> String {
    format!("http://127.0.0.1:{}", server.listen_tcp("127.0.0.1:0"))
}

#[test]
fn users_and_groups_are_found_by_name_and_id_over_every_transport() {
    let folder = Folder::new("transports");
    let server = server();
    let socket = folder.path("server.sock");
    server.listen_unix(&socket);
    for address in [
        tcp(&server),
        format!("unix:{socket}"),
        tcp(&server).replace("127.0.0.1", "localhost"),
    ] {
        let direct = Direct::new(folder.config(&address, ""));
        let found = |names: &[&str]| {
            (
                Answer::Found,
                names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            ask(&direct, Question::UserName, "ada", 0, USER),
            found(&["ada"]),
            "{address}"
        );
        assert_eq!(ask(&direct, Question::Uid, "", 10_003, USER), found(&["eve.10003"]));
        assert_eq!(ask(&direct, Question::UserName, "eve.10003", 0, USER).0, Answer::None);
        assert_eq!(
            ask(&direct, Question::GroupName, "data science", 0, USER),
            found(&["data science"])
        );
        assert_eq!(ask(&direct, Question::Gid, "", 10_012, USER), found(&["empty"]));
        let (answer, mut everybody) = ask(&direct, Question::Users, "", 0, USER);
        everybody.sort();
        assert_eq!((answer, everybody), found(&["ada", "bob", "eve"]));
        assert_eq!(by_name(&direct, "nobody-here"), Answer::None);
    }
}

#[test]
fn a_login_is_one_round_trip_and_repeated_questions_none() {
    let folder = Folder::new("roundtrip");
    let server = server();
    let direct = Direct::new(folder.config(&tcp(&server), ""));
    for _ in 0..100 {
        assert_eq!(by_name(&direct, "ada"), Answer::Found);
        assert_eq!(ask(&direct, Question::Uid, "", 10_001, USER).0, Answer::Found);
        assert_eq!(by_name(&direct, "nobody-here"), Answer::None);
    }
    assert_eq!(server.requests.load(Relaxed), 2);
}

#[test]
fn a_node_says_who_it_is_and_how_long_it_keeps_an_answer() {
    let folder = Folder::new("announced");
    let server = server();
    let direct = Direct::new(folder.config(&tcp(&server), "cache-ttl-s=45\n"));
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let announced = server.announced.lock().unwrap().clone();
    assert_eq!(announced, format!("{}; cache-ttl=45", name.trim()));
}

#[test]
fn shadow_needs_the_administrators_token_and_is_never_kept() {
    let folder = Folder::new("shadow");
    let server = server();
    let direct = Direct::new(folder.config(&tcp(&server), ""));
    assert_eq!(ask(&direct, Question::Shadow, "bob", 0, USER).0, Answer::Unknown);
    let before = server.requests.load(Relaxed);
    for _ in 0..3 {
        assert_eq!(ask(&direct, Question::Shadow, "bob", 0, ROOT).0, Answer::Found);
    }
    assert_eq!(server.requests.load(Relaxed), before + 3);
    std::fs::remove_file(folder.path("admin-token")).unwrap();
    let without = Direct::new(folder.config(&tcp(&server), ""));
    assert_eq!(ask(&without, Question::Shadow, "bob", 0, ROOT).0, Answer::Unconfigured);
    assert_eq!(
        ask(&without, Question::UserName, "bob", 0, ROOT).0,
        Answer::Found,
        "passwd does not fail with it"
    );
}

#[test]
fn no_fault_of_the_server_is_ever_a_not_found_and_none_takes_longer_than_the_deadline() {
    for fault in Fault::ALL {
        let folder = Folder::new(&format!("fault-{fault:?}"));
        let server = server();
        let direct = Direct::new(folder.config(&tcp(&server), "cache-ttl-s=1"));
        assert_eq!(by_name(&direct, "ada"), Answer::Found);
        *server.fault.lock().unwrap() = fault;
        let started = Instant::now();
        assert_eq!(by_name(&direct, "bob"), Answer::Unknown, "{fault:?}");
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{fault:?} took {:?}",
            started.elapsed()
        );
        let started = Instant::now();
        assert_eq!(
            by_name(&direct, "eve"),
            Answer::Unknown,
            "{fault:?}: the breaker is open"
        );
        assert_eq!(
            by_name(&direct, "ada"),
            Answer::Found,
            "{fault:?}: a known user stays known"
        );
        assert!(
            started.elapsed() < Duration::from_millis(50),
            "{fault:?} with an open breaker"
        );
        *server.fault.lock().unwrap() = Fault::None;
    }
}

#[test]
fn a_known_user_outlives_his_time_while_nobody_answers() {
    let folder = Folder::new("stale");
    let server = server();
    let direct = Direct::new(folder.config(&tcp(&server), "cache-ttl-s=1"));
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
    *server.fault.lock().unwrap() = Fault::Silent;
    // Past the second that he is fresh, jitter included.
    let asked = server.requests.load(Relaxed);
    crate::harness::node::until("the entry is past its time", Duration::from_secs(3), || {
        let started = Instant::now();
        assert_eq!(by_name(&direct, "ada"), Answer::Found);
        assert!(started.elapsed() < Duration::from_millis(400));
        server.requests.load(Relaxed) > asked
    });
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
    *server.fault.lock().unwrap() = Fault::None;
}

#[test]
fn an_outdated_entry_is_asked_for_by_its_etag_and_a_changed_one_is_taken() {
    let folder = Folder::new("etag");
    let server = server();
    let direct = Direct::new(folder.config(&tcp(&server), "cache-ttl-s=1"));
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
    let sent = server.bytes.load(Relaxed);
    crate::harness::node::until("the entry is asked for again", Duration::from_secs(3), || {
        assert_eq!(by_name(&direct, "ada"), Answer::Found);
        server.unchanged.load(Relaxed) > 0
    });
    assert_eq!(server.bytes.load(Relaxed), sent, "304 has no body");
    let asked = server.requests.load(Relaxed);
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
    assert_eq!(server.requests.load(Relaxed), asked, "304 made it fresh again");

    let mut store = server.store.lock().unwrap();
    let mut ada = store.user_named("ada").unwrap();
    ada.uid = 10_777;
    store.put_user(ada);
    drop(store);
    crate::harness::node::until("the new number is told", Duration::from_secs(3), || {
        let mut uid = 0;
        direct.ask(Question::UserName, b"ada", 0, USER, &mut |_, bytes| {
            uid = Record::parse(bytes).unwrap().id();
        });
        uid == 10_777
    });
}

#[test]
fn a_dead_a_silent_and_a_broken_address_are_passed_over_within_one_deadline() {
    let folder = Folder::new("failover");
    let [silent, broken, good] = [server(), server(), server()];
    *silent.fault.lock().unwrap() = Fault::Silent;
    *broken.fault.lock().unwrap() = Fault::ForeignNotFound;
    let addresses = format!("http://127.0.0.1:1,{},{},{}", tcp(&silent), tcp(&broken), tcp(&good));
    let direct = Direct::new(folder.config(&addresses, ""));
    let started = Instant::now();
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
    assert!(started.elapsed() < Duration::from_secs(1));
    let started = Instant::now();
    assert_eq!(by_name(&direct, "bob"), Answer::Found);
    assert!(
        started.elapsed() < Duration::from_millis(100),
        "the address that answered is asked first"
    );
    *silent.fault.lock().unwrap() = Fault::None;
}

#[test]
fn a_server_that_closed_the_kept_connection_is_asked_on_a_new_one() {
    let folder = Folder::new("kept");
    let server = server();
    let direct = Direct::new(folder.config(&tcp(&server), ""));
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
    // The connection's thread takes one more request and hangs up; the client has to try again by itself.
    *server.fault.lock().unwrap() = Fault::Hangup;
    let watcher = Arc::clone(&server);
    let asked = server.requests.load(Relaxed);
    let healer = std::thread::spawn(move || {
        while watcher.requests.load(Relaxed) == asked {
            std::thread::yield_now();
        }
        *watcher.fault.lock().unwrap() = Fault::None;
    });
    let answer = by_name(&direct, "bob");
    healer.join().unwrap();
    // The new connection may have met the fault too, if the healer was slow; then the answer is "unknown", never "none".
    assert!(matches!(answer, Answer::Found | Answer::Unknown), "{answer:?}");
}

fn tls_server(folder: &Folder, names: &[&str]) -> (Arc<Server>, String) {
    use rustls::pki_types::PrivateKeyDer;
    let made =
        rcgen::generate_simple_self_signed(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    folder.write("ca.pem", &made.cert.pem(), 0o644);
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut server = Arc::try_unwrap(server()).unwrap();
    server.tls = Some(Arc::new(config));
    let server = Arc::new(server);
    let address = tcp(&server)
        .replace("http:", "https:")
        .replace("127.0.0.1", "localhost");
    (server, address)
}

#[test]
fn a_certificate_is_verified_unless_the_configuration_says_otherwise() {
    let folder = Folder::new("tls");
    let (_server, address) = tls_server(&folder, &["localhost"]);
    let ca = format!("ca-file={}", folder.path("ca.pem"));
    assert_eq!(
        by_name(&Direct::new(folder.config(&address, &ca)), "ada"),
        Answer::Found
    );
    assert_eq!(
        by_name(&Direct::new(folder.config(&address, "verify-ssl-certs=0")), "ada"),
        Answer::Found
    );
    assert_eq!(
        by_name(&Direct::new(folder.config(&address, "")), "ada"),
        Answer::Unknown,
        "not in the system's bundle"
    );
    let (_other, address) = tls_server(&folder, &["elsewhere.example"]);
    assert_eq!(
        by_name(&Direct::new(folder.config(&address, &ca)), "ada"),
        Answer::Unknown,
        "another name"
    );
    std::fs::write(folder.path("ca.pem"), "garbage").unwrap();
    assert_eq!(
        by_name(&Direct::new(folder.config(&address, &ca)), "ada"),
        Answer::Unknown,
        "no certificate in the file"
    );
}

#[test]
fn a_token_that_others_could_have_written_or_with_a_newline_inside_is_not_sent() {
    let folder = Folder::new("tokens");
    let server = server();
    let direct = Direct::new(folder.config(&tcp(&server), ""));
    folder.write("user-token", "rc_user.secret\r\nX-Evil: 1", 0o644);
    assert_eq!(by_name(&direct, "ada"), Answer::Unconfigured);
    folder.write("user-token", "rc_user.secret", 0o666);
    assert_eq!(by_name(&direct, "ada"), Answer::Unconfigured);
    folder.write("user-token", "", 0o644);
    assert_eq!(by_name(&direct, "ada"), Answer::Unconfigured);
    assert_eq!(server.requests.load(Relaxed), 0);
    folder.write("user-token", "rc_user.secret\n", 0o644);
    assert_eq!(by_name(&direct, "ada"), Answer::Found);
}
