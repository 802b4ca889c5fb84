//! One throw-away PostgreSQL for the whole test run, with a template database that the real `rollcall migrate` made.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
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

/// A PostgreSQL that lives as long as the test run.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    _server: Running,
}

impl Postgres {
    /// The one of this test run, started at first use.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            remove_folders_of_dead_runs();
            let postgres = Self::start();
            postgres.make_template();
            postgres
        })
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

    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        succeed(Command::new("chmod").arg("0700").arg(&folder));
        let is_root = output(Command::new("id").arg("-u")).trim() == "0";
        if is_root {
            succeed(Command::new("chown").arg(SUPERUSER).arg(&folder));
        }
        let as_server = |program: &Path| {
            if is_root {
                children::mortal_as(SUPERUSER, program)
            } else {
                children::mortal(program)
            }
        };
        let binaries = PrivatePostgres::installed_binaries().unwrap();
        let data = folder.join("data");
        let mut initdb = as_server(&binaries.join("initdb"));
        initdb.arg("-D").arg(&data).args([
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "--locale=C",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        output(&mut initdb);
        let mut postgres = as_server(&binaries.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(&folder);
        // A test may kill a server, never the machine: what reached the kernel is safe without fsync.
        for setting in [
            "listen_addresses=",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=500",
        ] {
            postgres.args(["-c", setting]);
        }
        let log = std::fs::File::create(folder.join("log")).unwrap();
        postgres.stdout(log.try_clone().unwrap()).stderr(log);
        let server = children::start(postgres);
        let deadline = Instant::now() + PATIENCE;
        let is_ready = || {
            let pid_file = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            pid_file.lines().nth(7).is_some_and(|state| state.trim() == "ready")
        };
        while !is_ready() {
            let log = || std::fs::read_to_string(folder.join("log")).unwrap();
            assert!(Instant::now() < deadline, "PostgreSQL is not ready: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            folder,
            _server: server,
        }
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

    fn psql(&self, database: &str, script: &str) {
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
            .spawn()
            .expect("psql is installed");
        std::io::Write::write_all(&mut psql.stdin.take().unwrap(), script.as_bytes()).unwrap();
        assert!(psql.wait().unwrap().success(), "psql failed on {database}");
    }
}

/// A test run that was killed leaves its folder behind.
fn remove_folders_of_dead_runs() {
    for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
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
