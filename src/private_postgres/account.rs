//! Decides as whom PostgreSQL runs: it refuses root.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::{PrivatePostgresError, at};
use super::process::{Identity, effective_user};

/// A line of the local account file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// As whom to run, and, when that is a namespace, why no account would do.
#[derive(Debug)]
pub(super) struct Choice {
    pub identity: Identity,
    pub why: String,
}

/// As whom to run the cluster in `cluster`, a folder of `data_dir`.
///
/// An existing cluster runs as its owner. A new one runs as this user, or, when this user is root, as the account
/// `user` if that one can reach `data_dir`, else inside a user namespace, where root looks like an ordinary user.
/// Raises `ForeignOwner`.
pub(super) fn choose(data_dir: &Path, cluster: &Path, user: &str) -> Result<Choice, PrivatePostgresError> {
    let (own, own_group) = effective_user();
    let owner = match std::fs::metadata(cluster) {
        Ok(metadata) => Some((metadata.uid(), metadata.gid())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(at("look at", cluster)(error)),
    };
    let accounts = local_accounts()?;
    let plain = |identity| {
        Ok(Choice {
            identity,
            why: String::new(),
        })
    };
    match owner {
        Some((owner, _)) if own != 0 && owner != own => Err(PrivatePostgresError::ForeignOwner {
            folder: cluster.to_owned(),
            owner,
            own,
        }),
        _ if own != 0 => plain(Identity::Own),
        Some((owner, group)) if owner != 0 => plain(Identity::Account { uid: owner, gid: group }),
        Some(_) => Ok(namespace(
            &accounts,
            own_group,
            format!("{} belongs to root", cluster.display()),
        )),
        None => {
            let Some(account) = accounts.iter().find(|account| account.name == user && account.uid != 0) else {
                return Ok(namespace(
                    &accounts,
                    own_group,
                    format!("there is no local account {user}"),
                ));
            };
            if reaches(account, data_dir)? {
                plain(Identity::Account {
                    uid: account.uid,
                    gid: account.gid,
                })
            } else {
                let why = format!("the account {user} cannot reach {}", data_dir.display());
                Ok(namespace(&accounts, own_group, why))
            }
        }
    }
}

/// A namespace in which root appears as an account that exists, because initdb looks its own name up.
fn namespace(accounts: &[Account], gid: u32, why: String) -> Choice {
    let inside = accounts
        .iter()
        .find(|account| account.uid != 0)
        .map_or(1, |account| account.uid);
    Choice {
        identity: Identity::Namespace { inside, gid },
        why,
    }
}

/// Whether the account may search every folder above `folder`; `folder` itself is ours to open.
fn reaches(account: &Account, folder: &Path) -> Result<bool, PrivatePostgresError> {
    for ancestor in folder.ancestors().skip(1) {
        let metadata = std::fs::metadata(ancestor).map_err(at("look at", ancestor))?;
        let bit = if metadata.uid() == account.uid {
            0o100
        } else if metadata.gid() == account.gid {
            0o010
        } else {
            0o001
        };
        if metadata.mode() & bit == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The accounts of this machine. The file, not the name service: an account of the service that is being started must
/// never decide how it starts.
fn local_accounts() -> Result<Vec<Account>, PrivatePostgresError> {
    let path = Path::new("/etc/passwd");
    match std::fs::read(path) {
        Ok(bytes) => Ok(parse_accounts(&String::from_utf8_lossy(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(at("read", path)(error)),
    }
}

/// The accounts in `passwd(5)` format; lines that are not in it are passed over.
pub(super) fn parse_accounts(text: &str) -> Vec<Account> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Account { name, uid, gid })
        })
        .collect()
}
