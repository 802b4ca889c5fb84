//! The NSS set-up of a node: what the loader, the C library and the module will find (nss/README.md).

mod configuration;
mod live;
mod switch;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Finding, fine, warning, wrong};

pub(super) use live::{cause, client};

/// Folders in which the loader looks without being told, beneath the root.
const LIBRARY_FOLDERS: [&str; 4] = ["lib", "lib64", "usr/lib", "usr/lib64"];

/// The module, as the C library asks for it.
const MODULE: &str = "libnss_pwb.so.2";

/// Looks at everything beneath `root`, then asks the service as the module would.
pub(super) async fn look(root: &Path) -> Vec<Finding> {
    let mut findings = vec![module(root)];
    findings.extend(switch::look(root));
    findings.push(nscd(root));
    findings.push(agent(root));
    let (configuration, told) = configuration::look(root);
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

fn module(root: &Path) -> Finding {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let mut places = LIBRARY_FOLDERS.iter().flat_map(|folder| {
        let folder = root.join(folder);
        [folder.join(MODULE), folder.join(&triplet).join(MODULE)]
    });
    match places.find(|place| place.exists()) {
        Some(place) => fine("module", format!("{} is there", place.display())),
        None => wrong(
            "module",
            format!("{MODULE} is in no folder of the loader"),
            "install the package libnss-pwb (rpm: rollcall-node), then ldconfig",
        ),
    }
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

fn agent(root: &Path) -> Finding {
    if root.join("run/rollcall/node.sock").exists() {
        return fine("agent", "rollcall-node has its socket");
    }
    warning(
        "agent",
        "rollcall-node does not run: every process asks the service itself, and nobody resolves while it is away",
        "systemctl enable --now rollcall-node",
    )
}

/// What can be wrong with a file of the node that must be root's.
fn unsafe_owner(root: &Path, path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
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
