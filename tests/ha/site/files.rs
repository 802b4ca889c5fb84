//! The folder of a run: the reference configurations of packaging/ha with this run's paths, the servers' data and logs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::output;

/// Every password of the throw-away cluster.
pub const PASSWORD: &str = "throw-away";

/// The account that servers run as.
pub const ACCOUNT: &str = "postgres";

/// What begins the name of the folder of a run.
const PREFIX: &str = "rollcall-ha-";

/// A folder that is removed at the end, unless the test failed.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new one, that the servers' account may write to. Those of earlier runs that failed are removed.
    pub fn create() -> Self {
        for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", uuid::Uuid::new_v4().simple()));
        let folder = Self { path };
        for place in ["etc/rollcall-ha", "var/lib/rollcall-ha", "run/rollcall-ha", "log"] {
            std::fs::create_dir_all(folder.path.join(place)).unwrap();
        }
        for host in ["db1", "db2", "db3"] {
            std::fs::create_dir(folder.path(&format!("var/lib/rollcall-ha/{host}"))).unwrap();
        }
        folder.give_away();
        folder
    }

    /// A path inside.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.path.join(inside)
    }

    /// A file of packaging/ha with the run's folder in front of its paths.
    pub fn reference(&self, name: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/ha").join(name);
        let mut text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for place in ["/etc/rollcall-ha", "/var/lib/rollcall-ha", "/run/rollcall-ha"] {
            text = text.replace(place, &self.path(place.trim_start_matches('/')).display().to_string());
        }
        text
    }

    /// Writes a reference configuration into `etc`, and gives its path.
    pub fn write_reference(&self, name: &str) -> PathBuf {
        let path = self.path("etc/rollcall-ha").join(name);
        std::fs::write(&path, self.reference(name)).unwrap();
        self.give_away();
        path
    }

    /// Where a server's output goes; appended to.
    pub fn log(&self, name: &str) -> File {
        File::options()
            .create(true)
            .append(true)
            .open(self.path("log").join(format!("{name}.log")))
            .unwrap()
    }

    /// Hands the servers' places inside to their account. What the node has stays root's.
    pub fn give_away(&self) {
        output(
            Command::new("chown")
                .arg("-R")
                .arg(format!("{ACCOUNT}:{ACCOUNT}"))
                .args(["etc", "var", "run", "log"].map(|place| self.path(place))),
        );
    }

    /// Removes it.
    pub fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Runs a script of psql.
pub fn psql(uri: &str, script: &str) {
    let mut psql = Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", uri, "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("psql is installed");
    std::io::Write::write_all(&mut psql.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(psql.wait().unwrap().success(), "psql failed");
}
