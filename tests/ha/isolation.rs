//! A network and a process table of the test's own: addresses collide with nobody's, and nothing outlives the test.

use std::path::Path;
use std::process::Command;

use crate::site::share;

/// Set for the test that runs inside.
const INSIDE: &str = "ROLLCALL_HA_INSIDE";

/// What is needed beside the PostgreSQL server; `packaging/bootstrap.sh test` installs it.
const PROGRAMS: [&str; 7] = ["unshare", "nsenter", "ip", "etcd", "haproxy", "pgbouncer", "openssl"];

/// The Python that has Patroni; found before the network is left behind.
pub const PATRONI_PYTHON: &str = "ROLLCALL_HA_PATRONI_PYTHON";

/// The program of the previous release; absent when it cannot be built here.
pub const PREVIOUS: &str = "ROLLCALL_HA_PREVIOUS";

/// Where a test stands.
pub enum Isolation {
    /// Alone in its namespaces: go on.
    Inside,
    /// The same test has run inside.
    Outside {
        /// Whether it succeeded.
        passed: bool,
    },
    /// The machine does not allow it, or something is not installed.
    Refused(String),
}

/// Runs the test `name` of this binary again in namespaces of its own, unless it is there already.
///
/// A shell is the first process inside: it collects the orphans of servers that were killed, which would otherwise look
/// alive to those who start them again.
pub fn enter(name: &str) -> Isolation {
    if std::env::var_os(INSIDE).is_some() {
        return Isolation::Inside;
    }
    if let Some(missing) = PROGRAMS.iter().find(|program| !is_installed(program)) {
        return Isolation::Refused(format!("{missing} is not installed: packaging/bootstrap.sh test"));
    }
    let tried = isolated().arg("true").output();
    match tried {
        Ok(output) if output.status.success() => {}
        Ok(output) => return Isolation::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => return Isolation::Refused(error.to_string()),
    }
    let python = match patroni_python() {
        Ok(python) => python,
        Err(reason) => return Isolation::Refused(format!("Patroni cannot be installed: {reason}")),
    };
    let mut inside = isolated();
    match previous_release() {
        Ok(program) => drop(inside.env(PREVIOUS, program)),
        Err(reason) => println!("no rolling upgrade, a rolling restart instead: {reason}"),
    }
    let (variable, run) = share::new_run();
    let status = inside
        .args(["bash", "-c", "\"$@\"; code=$?; exit $code", "bash"])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--ignored", "--nocapture"])
        .env(INSIDE, "1")
        .env(variable, &run)
        .env(PATRONI_PYTHON, python)
        .status()
        .unwrap();
    share::clean(&run);
    Isolation::Outside {
        passed: status.success(),
    }
}

/// The program of the previous release: the one that [`PREVIOUS`] names, else built from this clone's history.
fn previous_release() -> Result<String, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ha/previous");
    std::env::var(PREVIOUS).or_else(|_| printed(Command::new(script).args(target)))
}

fn patroni_python() -> Result<String, String> {
    printed(&mut Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/ha/install"
    )))
}

/// What a script prints; raises what it complains of.
fn printed(script: &mut Command) -> Result<String, String> {
    let output = script.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn isolated() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    command
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    path.split(':')
        .any(|folder| std::path::Path::new(folder).join(program).exists())
}
