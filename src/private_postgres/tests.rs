//! Unit tests of what needs no server: choosing binaries, accounts, folders. The rest is in the integration tests.

use std::path::{Path, PathBuf};

use super::account::{Account, parse_accounts};
use super::binaries::{Binaries, choose, major_of};
use super::folder::DataDir;
use super::{DatabaseRole, PrivatePostgres};
use crate::config::temporary_folder;

fn installed(majors: &[u32]) -> Vec<Binaries> {
    majors
        .iter()
        .map(|major| Binaries {
            folder: PathBuf::from(format!("/pg/{major}")),
            major: *major,
        })
        .collect()
}

fn chosen(majors: &[u32], made_by: Option<u32>) -> Result<u32, String> {
    let choice = choose(installed(majors), Path::new("/data/postgres"), made_by);
    choice.map(|binaries| binaries.major).map_err(|error| error.to_string())
}

#[test]
fn a_new_cluster_takes_the_first_binaries_that_are_new_enough() {
    assert_eq!(chosen(&[16, 17], None), Ok(16));
    assert_eq!(chosen(&[13, 15], None), Ok(15));
    assert_eq!(
        chosen(&[14], None),
        Err("/pg/14 is PostgreSQL 14; the oldest supported is 15".to_owned())
    );
    assert!(
        chosen(&[], None)
            .unwrap_err()
            .contains("install the package postgresql")
    );
}

#[test]
fn an_existing_cluster_takes_the_binaries_of_its_version_or_is_refused_naming_both() {
    assert_eq!(chosen(&[17, 15], Some(15)), Ok(15));
    let message = chosen(&[17, 16, 17], Some(15)).unwrap_err();
    let expected = "/data/postgres was made by PostgreSQL 15, but only PostgreSQL 17, 16 is installed";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn the_major_version_is_read_from_what_postgres_says() {
    assert_eq!(
        major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
        Some(15)
    );
    assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
    assert_eq!(major_of("postgres: command not found"), None);
    assert_eq!(major_of("postgres (PostgreSQL) "), None);
}

#[test]
fn accounts_are_read_line_by_line_and_bad_lines_passed_over() {
    let text = "root:x:0:0:root:/root:/bin/sh\n\nbad\npostgres:x:101:104::/:/bin/sh\nx:x:nan:1::\n";
    let expected = [("root", 0, 0), ("postgres", 101, 104)].map(|(name, uid, gid)| Account {
        name: name.to_owned(),
        uid,
        gid,
    });
    assert_eq!(parse_accounts(text), expected);
}

/// A data directory in a folder of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = temporary_folder().join(format!("rollcall-data-{}-{}", std::process::id(), name.len()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_socket_moves_to_the_temporary_folder_when_its_path_would_be_too_long_or_split() {
    let scratch = Scratch::new("a");
    let temporary = Path::new("/tmp");
    let near = DataDir::open(&scratch.0.join("near"), temporary).unwrap();
    assert_eq!(near.sockets(), near.root().join("run"));
    for name in ["x".repeat(100), "with,comma".to_owned()] {
        let far = DataDir::open(&scratch.0.join(name), temporary).unwrap();
        let folder = far.sockets();
        assert_eq!(folder.parent(), Some(temporary));
        assert_ne!(folder, near.sockets());
        assert_eq!(folder, far.sockets());
    }
}

#[test]
fn a_data_directory_is_locked_by_one_at_a_time() {
    let scratch = Scratch::new("ab");
    let data_dir = DataDir::open(&scratch.0.join("data"), Path::new("/tmp")).unwrap();
    let lock = data_dir.try_lock().unwrap();
    assert!(lock.is_some());
    assert!(data_dir.try_lock().unwrap().is_none());
    assert_eq!(data_dir.lock_owner(), Some(std::process::id()));
    drop(lock);
    assert!(data_dir.try_lock().unwrap().is_some());
}

#[test]
fn a_folder_for_sockets_that_others_may_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("abc");
    let data_dir = DataDir::open(&scratch.0.join("data"), Path::new("/tmp")).unwrap();
    let identity = super::process::Identity::Own;
    data_dir.prepare_sockets(identity).unwrap();
    std::fs::set_permissions(data_dir.sockets(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let message = data_dir.prepare_sockets(identity).unwrap_err().to_string();
    assert!(message.contains("with mode 0700, and is not: remove it"), "{message}");
}

#[test]
fn connection_strings_quote_the_folder() {
    let private = PrivatePostgres {
        sockets: PathBuf::from("/it's a \\ folder"),
        supervisor: None,
    };
    let uri = private.uri(DatabaseRole::App);
    assert_eq!(
        uri,
        r"host='/it\'s a \\ folder' port=5432 user=rollcall_app dbname=rollcall"
    );
    assert!(uri.parse::<tokio_postgres::Config>().is_ok());
}
