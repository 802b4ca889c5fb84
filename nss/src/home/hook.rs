//! The site's own program that makes home directories: on NFS without root, with quotas, with labels.

use crate::account::Account;
use rustix::fs::{FileType, stat};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time the program may take.
pub const HOOK_LIMIT: Duration = Duration::from_mins(1);

/// How often it is looked after.
const LOOK: Duration = Duration::from_millis(20);

/// Runs `program NAME UID GID HOME` as root with an empty environment but PATH.
///
/// Raises a program that others than root can write, one that fails, and one that takes longer than [`HOOK_LIMIT`].
pub(super) fn run(program: &str, account: &Account) -> Result<(), String> {
    let meta = stat(program).map_err(|errno| format!("{program}: {errno}"))?;
    let is_file = FileType::from_raw_mode(meta.st_mode) == FileType::RegularFile;
    if !is_file || meta.st_uid != 0 || meta.st_mode & 0o022 != 0 {
        return Err(format!("{program} must be a file of root's that nobody else can write"));
    }
    let mut child = Command::new(program)
        .args([
            account.name.as_str(),
            &account.uid.to_string(),
            &account.gid.to_string(),
            &account.home,
        ])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let end = Instant::now() + HOOK_LIMIT;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{program}: {status}")),
            Ok(None) if Instant::now() < end => std::thread::sleep(LOOK),
            Ok(None) => {
                let group = rustix::process::Pid::from_child(&child);
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                let _ = child.wait();
                return Err(format!("{program} took longer than {} s", HOOK_LIMIT.as_secs()));
            }
            Err(error) => return Err(format!("{program}: {error}")),
        }
    }
}
