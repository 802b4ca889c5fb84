//! Making a user's home directory, for sites without `pam_mkhomedir`: whole or not at all, and deceived by no link.
//!
//! The new home is filled under a name of its own, in a folder that root alone may enter, and takes its place by one rename
//! that replaces nothing. What stands above it must be root's, so that nobody can move the ground away meanwhile.

mod hook;
mod skeleton;
mod way;

pub use hook::HOOK_LIMIT;
pub use skeleton::{DEPTH_MAX, ENTRIES_MAX, SKELETON_MAX};
pub use way::LINKS_MAX;

use crate::account::Account;
use crate::config::Config;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, RenameFlags, Uid, fchmod, fchown, mkdirat, openat, renameat_with, statat,
};
use rustix::io::Errno;

/// What there is to a folder on the way: opened without following a link.
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// What has become of a home directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    New,
    /// It was there, and is the user's.
    Present,
}

/// Makes the home directory of `account` unless it is there: by the program `home-hook` when there is one, else from `home-skel`.
///
/// Raises why it could not, for a person: not root, a path that is not plain, a folder or link above it that others could have made, a home
/// that is somebody else's, a skeleton beyond its limits.
pub fn make(account: &Account, config: &Config) -> Result<Made, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("root alone can make home directories".to_owned());
    }
    let (parent, name) = way::to(&account.home)?;
    if let Some(present) = present(&parent, name, account)? {
        return Ok(present);
    }
    if let Some(hook) = &config.home_hook {
        hook::run(hook, account)?;
        return match present(&parent, name, account)? {
            Some(_) => Ok(Made::New),
            None => Err(format!("{hook} has made no {}", account.home)),
        };
    }
    let fresh = fresh_name(name);
    mkdirat(&parent, &*fresh, Mode::RWXU)
        .map_err(|errno| format!("cannot make a folder beside the home directory: {errno}"))?;
    let outcome = fill(&parent, &fresh, account, config).and_then(|()| {
        match renameat_with(&parent, &*fresh, &parent, name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(Made::New),
            // Somebody was faster: two sign-ins at once.
            Err(Errno::EXIST) => present(&parent, name, account)?.ok_or_else(|| "it came and went".to_owned()),
            Err(errno) => Err(format!("cannot give the home directory its name: {errno}")),
        }
    });
    if outcome != Ok(Made::New) {
        skeleton::remove(&parent, &fresh);
    }
    outcome
}

fn fresh_name(name: &str) -> String {
    let mut random = [0; 8];
    crate::hash::random(&mut random);
    let cut: String = name.chars().take(32).collect();
    format!(".{cut}.{:016x}.new", u64::from_le_bytes(random))
}

/// Fills the folder, and gives it to its user at the very end: until then nobody else can enter it.
fn fill(parent: &OwnedFd, fresh: &str, account: &Account, config: &Config) -> Result<(), String> {
    let told = |errno: Errno| format!("cannot prepare the home directory: {errno}");
    let folder = openat(parent, fresh, FOLDER, Mode::empty()).map_err(told)?;
    let owner = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
    skeleton::copy(&config.home_skel, &folder, owner, config.home_mode)?;
    fchown(&folder, Some(owner.0), Some(owner.1)).map_err(told)?;
    fchmod(&folder, Mode::from_raw_mode(config.home_mode)).map_err(told)
}

/// Whether the home is there and the user's. Raises what is there and is not.
fn present(parent: impl AsFd, name: &str, account: &Account) -> Result<Option<Made>, String> {
    let meta = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        meta => meta.map_err(|errno| format!("{}: {errno}", account.home))?,
    };
    if rustix::fs::FileType::from_raw_mode(meta.st_mode) != rustix::fs::FileType::Directory {
        return Err(format!("{} is no folder", account.home));
    }
    if meta.st_uid != account.uid {
        return Err(format!(
            "{} belongs to uid {}, not {}",
            account.home, meta.st_uid, account.uid
        ));
    }
    Ok(Some(Made::Present))
}
