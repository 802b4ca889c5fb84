//! A throw-away PostgreSQL for the whole test run, or one of a test's own that it may kill; each with a template database
//! that the real `rollcall migrate` made.

use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rollcall::private_postgres::PrivatePostgres;

use super::children::{self, Running};
use super::command::run;

/// The migrated database that every test's own is cloned from.
pub const TEMPLATE: &str = "rollcall_template";

/// The superuser.
pub const SUPERUSER: &str = "postgres";

/// How long the server may take to get ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// What begins the name of the folder of a test run; its process id ends it.
const PREFIX: &str = "rollcall-test-";

/// Whether a server's data survives its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Durability {
    /// As in production.
    Synced,
    /// Faster: a test may kill a server, never the machine, and what reached the kernel is safe without fsync.
    Unsynced,
}

/// A PostgreSQL with its roles and its template.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    durability: Durability,
    server: Running,
}

impl Postgres {
    /// The one of this test run, started at first use.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            remove_folders_of_dead_runs();
            Self::make(&process::id().to_string(), Durability::Unsynced)
        })
    }

    /// One of a test's own, with fsync, that it may [`kill`](Self::kill) and [`start_again`](Self::start_again).
    pub fn synced() -> Self {
        Self::make(&format!("{}-{}", process::id(), Self::number()), Durability::Synced)
    }

    fn number() -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// A folder for a server's data, its socket and its log.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("{PREFIX}{name}"));
        std::fs::create_dir(&folder).unwrap();
        succeed(Command::new("chmod").arg("0700").arg(&folder));
        if is_root() {
            succeed(Command::new("chown").arg(SUPERUSER).arg(&folder));
        }
        folder
    }

    /// A standby that follows this one.
    pub fn standby(&self) -> Self {
        let folder = Self::folder(&format!("{}-{}", process::id(), Self::number()));
        let mut copy = as_server("pg_basebackup");
        copy.args([
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "-d",
            &self.uri(SUPERUSER, "postgres"),
            "-D",
        ]);
        output(copy.arg(folder.join("data")));
        let server = serve(&folder, self.durability);
        Self {
            folder,
            durability: self.durability,
            server,
        }
    }

    /// Ends the server as a power cut would (SIGKILL), and with it every process of its.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts the server that was killed, on the data it left.
    pub fn start_again(&mut self) {
        self.server = serve(&self.folder, self.durability);
    }

    /// Turns the server into another history of the same data, as a failover does: starts it as a standby of nobody and
    /// promotes it.
    pub async fn promote(&mut self) {
        self.kill();
        std::fs::write(self.folder.join("data/standby.signal"), "").unwrap();
        if is_root() {
            succeed(
                Command::new("chown")
                    .arg(SUPERUSER)
                    .arg(self.folder.join("data/standby.signal")),
            );
        }
        self.start_again();
        let promoted = self
            .connect(SUPERUSER, "postgres")
            .await
            .query_one("select pg_promote()", &[])
            .await;
        assert!(promoted.unwrap().get::<_, bool>(0), "the server is promoted");
    }

    /// The folder of the unix socket.
    pub fn sockets(&self) -> &Path {
        &self.folder
    }

    /// A connection string for `user` and `database`; nobody needs a password.
    pub fn uri(&self, user: &str, database: &str) -> String {
        format!("host={} user={user} dbname={database}", self.folder.display())
    }

    /// A connection as `user`.
    pub async fn connect(&self, user: &str, database: &str) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.uri(user, database), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    fn make(name: &str, durability: Durability) -> Self {
        let folder = Self::folder(name);
        let mut initdb = as_server("initdb");
        initdb.arg("-D").arg(folder.join("data")).args([
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "--locale=C",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        output(&mut initdb);
        let server = serve(&folder, durability);
        let postgres = Self {
            folder,
            durability,
            server,
        };
        postgres.make_template();
        postgres
    }

    /// Makes the roles as a database administrator would, and the template as an operator would.
    fn make_template(&self) {
        let roles = run(&["migrate", "--roles-sql"], &[]).succeeded().stdout;
        self.psql("postgres", &format!("create database {TEMPLATE}"));
        self.psql(TEMPLATE, &roles);
        let uri = self.uri("rollcall_migrate", TEMPLATE);
        run(
            &["migrate"],
            &[("ROLLCALL_DATABASE_MIGRATE_URI", &uri), ("ROLLCALL_DATABASE_URI", &uri)],
        )
        .succeeded();
    }

    /// Runs a script of psql as the superuser.
    pub fn psql(&self, database: &str, script: &str) {
        let mut command = Command::new("psql");
        command.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.uri(SUPERUSER, database),
            "-f",
            "-",
        ]);
        let mut psql = command
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("psql is installed");
        std::io::Write::write_all(&mut psql.stdin.take().unwrap(), script.as_bytes()).unwrap();
        assert!(psql.wait().unwrap().success(), "psql failed on {database}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.server.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A program of the server, to be run as the account that may.
fn as_server(program: &str) -> Command {
    let program = PrivatePostgres::installed_binaries().unwrap().join(program);
    if is_root() {
        children::mortal_as(SUPERUSER, &program)
    } else {
        children::mortal(&program)
    }
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).trim() == "0"
}

/// Starts the server on the data in `folder` and waits until it answers. One that was killed a moment ago may still have
/// processes that hold its memory: then it is tried again.
fn serve(folder: &Path, durability: Durability) -> Running {
    let deadline = Instant::now() + PATIENCE;
    let data = folder.join("data");
    let is_ready = || {
        let pid_file = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        pid_file
            .lines()
            .nth(7)
            .is_some_and(|state| matches!(state.trim(), "ready" | "standby"))
    };
    loop {
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        let mut postgres = as_server("postgres");
        postgres.arg("-D").arg(&data).arg("-k").arg(folder);
        for setting in ["listen_addresses=", "max_connections=500", "shared_memory_type=mmap"] {
            postgres.args(["-c", setting]);
        }
        if durability == Durability::Unsynced {
            postgres.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        let log = std::fs::File::create(folder.join("log")).unwrap();
        postgres.stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = children::start(postgres);
        while server.exit_code().is_none() {
            if is_ready() {
                return server;
            }
            let log = || std::fs::read_to_string(folder.join("log")).unwrap();
            assert!(Instant::now() < deadline, "PostgreSQL is not ready: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = || std::fs::read_to_string(folder.join("log")).unwrap();
        assert!(Instant::now() < deadline, "PostgreSQL does not start: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A test run that was killed leaves its folder behind.
fn remove_folders_of_dead_runs() {
    for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
        let pid = pid.split('-').next().unwrap_or_default();
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn succeed(command: &mut Command) {
    output(command);
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
