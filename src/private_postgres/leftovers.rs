//! Tells whether processes of an earlier run are still at work on a cluster.

use std::path::Path;

use super::error::{PrivatePostgresError, at};

/// One process that works, or seems to work, on the cluster: PostgreSQL's processes all stay in its folder.
pub(super) fn find(cluster: &Path) -> Option<u32> {
    let entries = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| works_on(*pid, cluster) == Some(true))
}

/// Whether the process is a PostgreSQL of the cluster; none when it exists but may not be looked at.
fn works_on(pid: u32, cluster: &Path) -> Option<bool> {
    let Ok(name) = std::fs::read_to_string(format!("/proc/{pid}/comm")) else {
        return Some(false);
    };
    if name.trim() != "postgres" {
        return Some(false);
    }
    match std::fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(folder) => Some(folder == cluster),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}

/// The process that `postmaster.pid` names, and whether it says that connections are taken.
pub(super) fn postmaster(cluster: &Path) -> Option<(u32, bool)> {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    // The eighth line is the state, padded: `starting`, `stopping`, `ready` or `standby`.
    let is_ready = text.lines().nth(7).is_some_and(|state| state.trim() == "ready");
    Some((pid, is_ready))
}

/// Whether a PostgreSQL of this cluster takes connections.
pub(super) fn is_serving(cluster: &Path) -> bool {
    postmaster(cluster).is_some_and(|(pid, is_ready)| is_ready && works_on(pid, cluster) != Some(false))
}

/// Removes a `postmaster.pid` whose number now belongs to somebody else, as happens in containers, where numbers start
/// over: PostgreSQL would take that process for itself and refuse to start. Only when that process may be looked at and
/// nothing else works on the cluster; in every other case PostgreSQL's own checks decide.
pub(super) fn remove_stale_pid_file(cluster: &Path) -> Result<(), PrivatePostgresError> {
    let Some((pid, _)) = postmaster(cluster) else {
        return Ok(());
    };
    let is_another = Path::new(&format!("/proc/{pid}")).exists() && works_on(pid, cluster) == Some(false);
    if is_another && find(cluster).is_none() {
        let file = cluster.join("postmaster.pid");
        std::fs::remove_file(&file).map_err(at("remove", &file))?;
    }
    Ok(())
}
