//! Makes a cluster, and the command that serves it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::DATABASE;
use super::account::Choice;
use super::binaries::Binaries;
use super::error::{PrivatePostgresError, at};
use super::folder::{DataDir, make_private};
use super::process::{self, Identity, Signal};

/// The port, which on a unix socket is only part of its name.
pub(super) const PORT: u16 = 5432;

/// The superuser.
const SUPERUSER: &str = "rollcall";

/// Who may come in: everybody who reaches the socket, as whatever role they name. They have passed a folder of mode 0700
/// before, and a password would have to lie beside the data that it protects.
const HOST_BASED_AUTHENTICATION: &str = "local all all trust\n";

/// Settings of the server, on its command line so that no file can drift from them.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=64MB",
    "fsync=on",
    "synchronous_commit=on",
    "log_destination=stderr",
    "logging_collector=off",
    // The server's own life alone: an error of a statement would repeat personal attributes, and we log it ourselves.
    "log_min_messages=log",
    "log_error_verbosity=terse",
    "log_checkpoints=off",
];

/// Bytes of a program's words that an error repeats.
const SHOWN_OF_OUTPUT: usize = 2000;

/// The major version that made the cluster; none when there is no cluster yet.
pub(super) fn made_by(cluster: &Path) -> Result<Option<u32>, PrivatePostgresError> {
    let path = cluster.join("PG_VERSION");
    match std::fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| at("understand", &path)(std::io::Error::other(format!("it says {:?}", text.trim())))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("read", &path)(error)),
    }
}

/// Makes the cluster with the database in it. It is made under another name and renamed when it is complete, so one
/// that exists is whole, whenever the power went.
pub(super) fn make(data_dir: &DataDir, binaries: &Binaries, choice: &Choice) -> Result<(), PrivatePostgresError> {
    let unfinished = data_dir.unfinished_cluster();
    match std::fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(at("remove", &unfinished)(error));
        }
        _ => {}
    }
    make_private(&unfinished, choice.identity)?;
    let mut initdb = process::command(&binaries.initdb(), choice.identity, Signal::Kill);
    initdb.arg("--pgdata").arg(&unfinished).args(["--username", SUPERUSER]);
    initdb.args(["--locale=C", "--encoding=UTF8", "--auth=trust", "--no-instructions"]);
    run("initdb", initdb, None, data_dir, choice)?;
    let rules = unfinished.join("pg_hba.conf");
    std::fs::write(&rules, HOST_BASED_AUTHENTICATION).map_err(at("write", &rules))?;
    let mut single = process::command(&binaries.postgres(), choice.identity, Signal::Kill);
    single
        .arg("--single")
        .arg("-D")
        .arg(&unfinished)
        .args(["-c", "log_min_messages=fatal", "postgres"]);
    run(
        "postgres --single",
        single,
        Some(&format!("create database {DATABASE}\n")),
        data_dir,
        choice,
    )?;
    let cluster = data_dir.cluster();
    std::fs::rename(&unfinished, &cluster).map_err(at("rename", &unfinished))?;
    File::open(data_dir.root())
        .and_then(|folder| folder.sync_all())
        .map_err(at("sync", data_dir.root()))
}

/// The command that serves the cluster.
pub(super) fn server(
    data_dir: &DataDir,
    binaries: &Binaries,
    identity: Identity,
) -> Result<Command, PrivatePostgresError> {
    let log = data_dir.log();
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&log)
        .map_err(at("write", &log))?;
    let copy = file.try_clone().map_err(at("write", &log))?;
    let mut command = process::command(&binaries.postgres(), identity, Signal::Fast);
    command
        .arg("-D")
        .arg(data_dir.cluster())
        .arg("-k")
        .arg(data_dir.sockets())
        .args(["-p", &PORT.to_string()]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.stdout(file).stderr(copy);
    Ok(command)
}

/// Runs a program to its end with `input`; raises `Failed` with what it said.
fn run(
    program: &'static str,
    mut command: Command,
    input: Option<&str>,
    data_dir: &DataDir,
    choice: &Choice,
) -> Result<(), PrivatePostgresError> {
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|source| not_started(program, source, data_dir, choice))?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin
            .write_all(input.as_bytes())
            .map_err(at("write to", Path::new(program)))?;
    }
    let output = child.wait_with_output().map_err(at("wait for", Path::new(program)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let end: String = said.trim().chars().take(SHOWN_OF_OUTPUT).collect();
    Err(PrivatePostgresError::Failed {
        program,
        output: format!("{}: {end}", output.status),
    })
}

/// The error of a program that did not even start.
pub(super) fn not_started(
    program: &'static str,
    source: std::io::Error,
    data_dir: &DataDir,
    choice: &Choice,
) -> PrivatePostgresError {
    match choice.identity {
        Identity::Namespace { .. } => PrivatePostgresError::OnlyRoot {
            why: choice.why.clone(),
            folder: data_dir.root().to_owned(),
            source,
        },
        Identity::Own | Identity::Account { .. } => at("start", Path::new(program))(source),
    }
}
