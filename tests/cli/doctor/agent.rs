//! The agent of the node that `doctor` looks at: there, gone, dead, deaf.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rollcall_nss::agent::{Options, run};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};

use super::machine::{Machine, assert_found, findings};
use super::node::node;
use crate::harness::database::Role;
use crate::harness::wait_until;

/// The agent's socket.
const SOCKET: &str = "run/rollcall/node.sock";

/// How long the agent may take to open it.
const START: Duration = Duration::from_secs(20);

/// Whether the tests run as root: nobody believes another one's agent.
pub fn may_be_there(machine: &Machine) -> bool {
    let is_root = std::fs::metadata(&machine.0).unwrap().uid() == 0;
    if !is_root {
        println!("without an agent: it must be root's");
    }
    is_root
}

/// Starts the agent of a node, which asks `url`; it ends when the machine's folder goes.
pub async fn start(machine: &Machine, url: &str) {
    if !may_be_there(machine) {
        return;
    }
    let place = |name: &str| machine.0.join(name).to_str().unwrap().to_owned();
    let tokens = place("etc/rstudio");
    let settings =
        format!("server-address={url}\nuser-token-path={tokens}/user-token\nadmin-token-path={tokens}/admin-token\n");
    machine.write("agent.conf", &settings);
    for folder in ["run/rollcall", "cache"] {
        std::fs::create_dir_all(place(folder)).unwrap();
    }
    let options = Options {
        config_path: place("agent.conf"),
        run_dir: place("run/rollcall"),
        cache_dir: place("cache"),
    };
    std::thread::spawn(|| run(options));
    let is_open = async || machine.0.join(SOCKET).exists();
    wait_until("the agent opens its socket", START, is_open).await;
}

#[tokio::test]
async fn an_agent_that_is_gone_dead_or_deaf_is_found() {
    let (rollcall, machine) = node().await;
    if may_be_there(&machine) {
        let uri = rollcall.database.uri(Role::App);
        let found = || findings("node", &machine, &uri, &[]);
        let (socket, away) = (machine.0.join(SOCKET), machine.0.join("away"));
        std::fs::rename(&socket, &away).unwrap();
        assert_found(&found().1, "agent", "does not run");

        drop(UnixListener::bind(&socket).unwrap());
        assert_found(&found().1, "agent", "listens at");
        std::fs::remove_file(&socket).unwrap();

        let deaf = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        bind(&deaf, &SocketAddrUnix::new(socket.as_path()).unwrap()).unwrap();
        listen(&deaf, 1).unwrap();
        let (code, told) = found();
        assert_eq!(code, 0, "the module asks the service: {told:#?}");
        assert_found(&told, "agent", "does not answer");
        let conf = format!("server-address={}\n", rollcall.service.url("read"));
        machine.write("etc/rstudio/workbench-nss.conf", &format!("{conf}direct-mode=never\n"));
        let (code, told) = found();
        assert_eq!(code, 1, "nobody else is asked: {told:#?}");
        assert_found(&told, "agent", "direct-mode=never");

        machine.write("etc/rstudio/workbench-nss.conf", &conf);
        std::fs::rename(&away, &socket).unwrap();
        assert_eq!(found(), (0, vec![]));
    }
    rollcall.finish().await;
}
