//! Finds the installed server binaries.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{PrivatePostgresError, at};

/// The oldest PostgreSQL whose SQL ours runs on.
pub(super) const OLDEST_MAJOR: u32 = 15;

/// A folder that holds `postgres` and `initdb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub folder: PathBuf,
    pub major: u32,
}

impl Binaries {
    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

/// The binaries for a cluster made by major version `made_by`, or for a new one.
pub(super) fn find(path: &[PathBuf], cluster: &Path, made_by: Option<u32>) -> Result<Binaries, PrivatePostgresError> {
    let mut installed = Vec::new();
    for folder in candidates(path) {
        let postgres = folder.join("postgres");
        if let Some(major) = version(&postgres)? {
            installed.push(Binaries { folder, major });
        }
    }
    choose(installed, cluster, made_by)
}

/// The one of `installed` (in order of preference) to use.
pub(super) fn choose(
    installed: Vec<Binaries>,
    cluster: &Path,
    made_by: Option<u32>,
) -> Result<Binaries, PrivatePostgresError> {
    let Some(first) = installed.first().cloned() else {
        return Err(PrivatePostgresError::NoBinaries);
    };
    if let Some(made_by) = made_by {
        let mut majors: Vec<u32> = installed.iter().map(|binaries| binaries.major).collect();
        majors.sort_unstable_by(|left, right| right.cmp(left));
        majors.dedup();
        return installed
            .into_iter()
            .find(|binaries| binaries.major == made_by)
            .ok_or_else(|| PrivatePostgresError::OtherMajor {
                folder: cluster.to_owned(),
                made_by,
                installed: majors.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
            });
    }
    installed
        .into_iter()
        .find(|binaries| binaries.major >= OLDEST_MAJOR)
        .ok_or(PrivatePostgresError::TooOld {
            folder: first.folder,
            found: first.major,
            least: OLDEST_MAJOR,
        })
}

/// Folders that hold both programs: where PATH leads (Debian's links point elsewhere), then the newest installed ones.
fn candidates(path: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in path {
        if let Ok(initdb) = folder.join("initdb").canonicalize() {
            folders.extend(initdb.parent().map(Path::to_owned));
        }
    }
    folders.extend(newest_first("/usr/lib/postgresql", "", "bin"));
    folders.extend(newest_first("/usr", "pgsql-", "bin"));
    let mut seen = Vec::new();
    for folder in folders {
        if !seen.contains(&folder) && folder.join("initdb").is_file() && folder.join("postgres").is_file() {
            seen.push(folder);
        }
    }
    seen
}

/// `<root>/<prefix><number>/<inner>` by descending number.
fn newest_first(root: &str, prefix: &str, inner: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((number, entry.path().join(inner)))
        })
        .collect();
    found.sort_unstable_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The major version that `postgres --version` names; none when it says something else.
fn version(postgres: &Path) -> Result<Option<u32>, PrivatePostgresError> {
    let output = Command::new(postgres)
        .arg("--version")
        .env_clear()
        .output()
        .map_err(at("run", postgres))?;
    Ok(major_of(&String::from_utf8_lossy(&output.stdout)))
}

/// The major version in a line such as `postgres (PostgreSQL) 15.18 (Debian 15.18-1)` or `… 18beta1`.
pub(super) fn major_of(line: &str) -> Option<u32> {
    let number = line.split_once("(PostgreSQL) ")?.1;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
