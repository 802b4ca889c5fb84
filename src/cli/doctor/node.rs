//! The NSS set-up of a node: what the loader, the C library and the module will find (nss/README.md).

mod configuration;
mod live;
mod module;
mod switch;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rollcall_nss::ask::{Reply, SOCKET_PATH, ask};

use super::{Finding, fine, warning, wrong};

pub(super) use live::{cause, client};

/// What asks the agent for its state.
const STATUS_REQUEST: &[u8] = b"t";

/// How long the agent may take, ms: it knows the answer.
const AGENT_LIMIT_MS: u64 = 1000;

/// Looks at everything beneath `root`, then asks the service as the module would.
pub(super) async fn look(root: &Path) -> Vec<Finding> {
    let (configuration, told) = configuration::look(root);
    let mut findings = vec![module::look(root)];
    findings.extend(switch::look(root));
    findings.push(nscd(root));
    let is_alone = configuration.as_ref().is_some_and(|there| there.is_agent_alone);
    findings.push(agent(root, is_alone));
    findings.extend(told);
    if let Some(configuration) = configuration {
        findings.extend(live::look(root, &configuration).await);
    }
    findings
}

/// A path of the node as seen from here.
fn beneath(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The permission bits of a file; 0 when there is none.
pub(super) fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.mode() & 0o7777)
}

/// nscd keeps answers of its own, past a lock or a rename.
fn nscd(root: &Path) -> Finding {
    let is_running = ["run/nscd/socket", "var/run/nscd/socket"]
        .iter()
        .any(|socket| root.join(socket).exists());
    if !is_running {
        return fine("nscd", "does not run");
    }
    let text = std::fs::read_to_string(root.join("etc/nscd.conf")).unwrap_or_default();
    let caches = |table: &str| {
        !text
            .lines()
            .any(|line| line.split_whitespace().eq(["enable-cache", table, "no"]))
    };
    match ["passwd", "group"]
        .into_iter()
        .filter(|table| caches(table))
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => fine("nscd", "runs and leaves passwd and group alone"),
        tables => warning(
            "nscd",
            format!(
                "nscd caches {}: a locked or renamed user stays until it forgets him",
                tables.join(" and ")
            ),
            "set enable-cache passwd no and enable-cache group no in /etc/nscd.conf, then systemctl restart nscd",
        ),
    }
}

/// `is_alone`: whether nobody but the agent answers.
fn agent(root: &Path, is_alone: bool) -> Finding {
    let check = "agent";
    let socket = beneath(root, SOCKET_PATH);
    let evidence = match ask(&socket.to_string_lossy(), STATUS_REQUEST, AGENT_LIMIT_MS) {
        Reply::Body(_) => return fine(check, "rollcall-node answers at its socket"),
        _ if !socket.exists() => "rollcall-node does not run".to_owned(),
        Reply::Silent => "rollcall-node does not answer at its socket".to_owned(),
        Reply::Absent => format!("no rollcall-node of root's listens at {}", socket.display()),
        _ => format!("{} cannot be asked", socket.display()),
    };
    let fix = "systemctl enable rollcall-node; systemctl restart rollcall-node";
    if is_alone {
        let follows = "with direct-mode=never nobody resolves whom the map does not know";
        return wrong(check, format!("{evidence}: {follows}"), fix);
    }
    let follows = "every process asks the service itself, and nobody resolves while it is away";
    warning(check, format!("{evidence}: {follows}"), fix)
}

/// What can be wrong with a file of the node that must be root's.
fn unsafe_owner(root: &Path, path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    // The module opens no link.
    if path.is_symlink() {
        return Some(format!("{} is a symbolic link", path.display()));
    }
    // Beneath another folder than / the owner is whoever unpacked it.
    let is_foreign = root == Path::new("/") && metadata.uid() != 0;
    if is_foreign {
        Some(format!("{} belongs to uid {}", path.display(), metadata.uid()))
    } else if metadata.mode() & 0o022 != 0 {
        Some(format!("others may write {}", path.display()))
    } else {
        None
    }
}
