//! A node in a temporary folder: tokens, configuration, and the agent as a process.

use super::server::{ADMIN_TOKEN, Server, USER_TOKEN};
use super::store::Store;
use rollcall_nss::config::{Config, parse};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A folder that goes away with the test.
#[derive(Debug)]
pub struct Folder(pub String);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nss-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let folder = Self(path.to_str().unwrap().to_owned());
        for (file, text, mode) in [("user-token", USER_TOKEN, 0o644), ("admin-token", ADMIN_TOKEN, 0o600)] {
            folder.write(file, text, mode);
        }
        folder
    }

    pub fn write(&self, file: &str, text: &str, mode: u32) {
        let path = format!("{}/{file}", self.0);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.0)
    }

    /// The text of a configuration that asks at `addresses`.
    pub fn config_text(&self, addresses: &str, more: &str) -> String {
        format!(
            "server-address={addresses}\nuser-token-path={0}/user-token\nadmin-token-path={0}/admin-token\n{more}\n",
            self.0
        )
    }

    pub fn config(&self, addresses: &str, more: &str) -> Config {
        let (config, findings) = parse(&self.config_text(addresses, more));
        assert_eq!(findings, []);
        config
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server with the fixtures' data set.
pub fn server() -> Arc<Server> {
    let dataset = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/nss/dataset.json");
    let store = Store::from_dataset(&std::fs::read_to_string(dataset).unwrap());
    Arc::new(Server {
        store: store.into(),
        ..Server::default()
    })
}

/// The agent as a process; killed with the test.
#[derive(Debug)]
pub struct Agent(pub Child);

impl Agent {
    pub fn start(folder: &Folder) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_rollcall-node"))
            .args([
                "--config",
                &folder.path("conf"),
                "--run-dir",
                &folder.0,
                "--cache-dir",
                &folder.0,
            ])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `done`, and fails after `limit`. The one place where a test waits.
pub fn until(what: &str, limit: Duration, mut done: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    started.elapsed()
}
