//! Starts and signals PostgreSQL's processes: another user, a namespace, death with the parent.

use std::ffi::CString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// As whom a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// As this process.
    Own,
    /// As a local account, supplementary groups dropped.
    Account {
        /// Its user id.
        uid: u32,
        /// Its primary group id.
        gid: u32,
    },
    /// As root, in a user namespace in which root is called `inside` and has no rights outside.
    Namespace {
        /// The user id, and group id, by which the process knows itself.
        inside: u32,
        /// This process's group id.
        gid: u32,
    },
}

impl Identity {
    /// Who owns the files of such a process, seen from here; none when it is this process.
    pub(super) fn owner(self) -> Option<(u32, u32)> {
        match self {
            Self::Account { uid, gid } => Some((uid, gid)),
            Self::Own | Self::Namespace { .. } => None,
        }
    }
}

/// The signals that PostgreSQL's postmaster understands, and the last resort.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// Fast shutdown: roll back, write a checkpoint, end.
    Fast,
    /// Immediate shutdown: end now, recover at the next start.
    Immediate,
    /// No shutdown at all.
    Kill,
}

impl Signal {
    fn number(self) -> i32 {
        match self {
            Self::Fast => libc::SIGINT,
            Self::Immediate => libc::SIGQUIT,
            Self::Kill => libc::SIGKILL,
        }
    }
}

/// The effective user and group id of this process.
pub(super) fn effective_user() -> (u32, u32) {
    // SAFETY: both calls only read the process's credentials and cannot fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// A command that runs as `identity`, away from the terminal's signals, and gets `on_death` when the calling *thread*
/// ends: call it from one that lives as long as the child should.
pub(super) fn command(program: &Path, identity: Identity, on_death: Signal) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .current_dir("/")
        .stdin(Stdio::null())
        .process_group(0);
    if let Identity::Account { uid, gid } = identity {
        command.uid(uid).gid(gid);
    }
    let maps = match identity {
        Identity::Namespace { inside, gid } => Some((format!("{inside} 0 1"), format!("{inside} {gid} 1"))),
        Identity::Own | Identity::Account { .. } => None,
    };
    let parent = std::process::id();
    let death = on_death.number();
    let paths = [c"/proc/self/setgroups", c"/proc/self/uid_map", c"/proc/self/gid_map"].map(CString::from);
    let in_child = move || {
        if let Some((uid_map, gid_map)) = &maps {
            enter_namespace(&paths, uid_map.as_bytes(), gid_map.as_bytes())?;
        }
        // Last, because a change of credentials clears it.
        die_with_parent(parent, death)
    };
    // SAFETY: the closure runs between fork and exec; it makes system calls only and allocates nothing (`maps` and
    // `paths` were made before).
    unsafe { command.pre_exec(in_child) };
    command
}

/// Moves the calling process into a user namespace of its own.
fn enter_namespace(paths: &[CString; 3], uid_map: &[u8], gid_map: &[u8]) -> io::Result<()> {
    // SAFETY: takes flags only; the forked child has one thread, as CLONE_NEWUSER asks.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let [setgroups, uids, gids] = paths;
    write_to(setgroups, b"deny")?;
    write_to(uids, uid_map)?;
    write_to(gids, gid_map)
}

fn write_to(path: &CString, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: `path` is a C string that outlives the call.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `bytes` is valid for its length, `file` was opened above.
    let written = unsafe { libc::write(file, bytes.as_ptr().cast(), bytes.len()) };
    let result = if written < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    };
    // SAFETY: `file` was opened above and is not used again.
    unsafe { libc::close(file) };
    result
}

fn die_with_parent(parent: u32, signal: i32) -> io::Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes a signal number and changes the calling process alone.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: reads the parent's process id and cannot fail.
    let now = unsafe { libc::getppid() };
    // The parent may have died before the line above; then nobody would send the signal.
    if u32::try_from(now) == Ok(parent) {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::ESRCH))
    }
}

/// Sends a signal to a child that has not been waited for: its id cannot belong to anybody else yet.
pub(super) fn signal(child: &Child, signal: Signal) {
    if let Ok(pid) = libc::pid_t::try_from(child.id()) {
        // SAFETY: takes two numbers; `child` is unreaped, so the id is its own. Failure means that it has ended.
        unsafe { libc::kill(pid, signal.number()) };
    }
}
