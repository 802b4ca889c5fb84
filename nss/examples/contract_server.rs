//! The contract server as a program, for nssbench and the chroot test: `contract_server --listen ADDR|unix:PATH --passwd FILE --group FILE`.
//!
//! Further: `--dataset FILE` (instead of passwd and group), `--tls CERT.pem KEY.pem`, `--fault NAME`. Lines on standard input change it while it runs:
//! `fault NAME`, `add NAME UID GID`, `lock NAME`, `rename OLD NEW`, `remove NAME`, `join NAME GROUP`.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../tests/harness/server.rs"]
#[expect(dead_code, reason = "shared with the tests, which use the rest")]
mod server;
#[path = "../tests/harness/store.rs"]
mod store;

use rollcall_nss::contract::{State, User};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use server::{Fault, Server};
use std::io::BufRead;
use std::sync::Arc;
use store::Store;

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let [mut passwd, mut group] = [String::new(), String::new()];
    let mut server = Server::default();
    let mut listen = Vec::new();
    while let Some(argument) = arguments.next() {
        let mut next = || arguments.next().unwrap();
        match argument.as_str() {
            "--listen" => listen.push(next()),
            "--passwd" => passwd = read(&next()),
            "--group" => group = read(&next()),
            "--dataset" => server.store = Store::from_dataset(&read(&next())).into(),
            "--fault" => server.fault = Fault::named(&next()).unwrap().into(),
            "--tls" => server.tls = Some(tls(&next(), &next())),
            other => panic!("unknown argument {other}"),
        }
    }
    if !passwd.is_empty() {
        server.store = Store::from_files(&passwd, &group).into();
    }
    let server = Arc::new(server);
    for address in listen {
        match address.strip_prefix("unix:") {
            Some(path) => server.listen_unix(path),
            None => {
                server.listen_tcp(&address);
            }
        }
    }
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split_whitespace().collect();
        obey(&server, &words);
    }
    // Standard input closed: nobody will change anything, but everybody may go on asking.
    loop {
        std::thread::park();
    }
}

fn tls(certificate: &str, key: &str) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(read(certificate).as_bytes())
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_slice(read(key).as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

fn obey(server: &Server, words: &[&str]) {
    let mut store = server.store.lock().unwrap();
    match *words {
        ["fault", name] => *server.fault.lock().unwrap() = Fault::named(name).unwrap(),
        ["add", name, uid, gid] => store.put_user(User {
            id: format!("u{uid}"),
            name: name.to_owned(),
            uid: uid.parse().unwrap(),
            gid: gid.parse().unwrap(),
            home: format!("/home/{name}"),
            shell: "/bin/sh".to_owned(),
            gids: Some(vec![gid.parse().unwrap()]),
            ..User::default()
        }),
        ["key", name, ref line @ ..] => {
            let user = store.user_named(name).unwrap();
            store.put_user(User {
                ssh_keys: vec![line.join(" ")],
                ..user
            });
        }
        ["lock", name] => {
            let user = store.user_named(name).unwrap();
            store.put_user(User {
                state: State::Locked,
                ..user
            });
        }
        ["rename", old, new] => {
            let user = store.user_named(old).unwrap();
            store.put_user(User {
                name: new.to_owned(),
                ..user
            });
        }
        ["join", name, group] => {
            let gid = store.gid_named(group).unwrap();
            let user = store.user_named(name).unwrap();
            let mut gids = user.gids.clone().unwrap_or_default();
            gids.push(gid);
            gids.sort_unstable();
            gids.dedup();
            store.put_user(User {
                gids: Some(gids),
                ..user
            });
        }
        ["remove", name] => {
            let user = store.user_named(name).unwrap();
            store.remove_user(&user.id);
        }
        _ => {}
    }
}
