//! The client file in Workbench's format, and who may read it.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;

use super::super::provider::CLIENT;
use crate::harness::database::{Database, Role};
use crate::harness::service::Service;

/// A client file in Workbench's format, removed when dropped.
pub struct ClientFile(PathBuf);

impl ClientFile {
    pub fn new(secret: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rollcall-client-{}", uuid::Uuid::new_v4().simple()));
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .unwrap();
        writeln!(file, "client-id={CLIENT}\nclient-secret={secret}").unwrap();
        Self(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for ClientFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_client_file_that_others_may_read_stops_the_start() {
    let database = Database::create().await;
    let (uri, client) = (database.uri(Role::App), ClientFile::new("hidden"));
    let settings = [
        ("database-uri", uri.as_str()),
        ("auth-openid", "1"),
        ("auth-openid-issuer", "https://id.example.org"),
        ("auth-openid-client-file", client.path()),
    ];
    let start = |owner: u32, mode: u32| {
        // Only root can give a file away; whoever else runs this has files of his own.
        let is_given = std::os::unix::fs::chown(client.path(), Some(owner), None).is_ok();
        std::fs::set_permissions(client.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        is_given.then(|| Service::try_start(&settings).map(drop))
    };
    for (owner, mode) in [(0, 0o644), (0, 0o460), (65534, 0o640), (65534, 0o604)] {
        if let Some(started) = start(owner, mode) {
            let log = started.unwrap_err();
            assert!(
                log.contains("0600") && !log.contains("hidden"),
                "{owner} {mode:o}: {log}"
            );
        }
    }
    for (owner, mode) in [(0, 0o440), (0, 0o640), (65534, 0o600)] {
        assert!(
            start(owner, mode).is_none_or(|started| started.is_ok()),
            "{owner} {mode:o}"
        );
    }
    database.finish().await;
}
