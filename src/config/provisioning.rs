//! How users and groups get their POSIX identity.

use std::path::PathBuf;

use super::error::ConfigError;
use super::setting::section;
use super::sources::Values;
use super::value::choice;

choice! {
    /// What happens when a derived POSIX name is taken.
    enum Collision {
        /// The user is refused with 409 `uniqueness`.
        Reject = "reject",
        /// The name gets a suffix.
        Suffix = "suffix",
    }
}

choice! {
    /// Which memberships a sign-in may remove.
    enum ReconcileScope {
        /// Every one that the claim does not list, whoever added it; the private group excepted.
        All = "all",
        /// Only those that came from sign-in alone.
        Login = "login",
    }
}

section! {
    /// How users and groups get their POSIX identity.
    struct Provisioning, "Provisioning" {
        /// Whether SCIM and just-in-time provisioning are on.
        enabled: bool = "user-provisioning-enabled", default "1";
        /// Lowest UID handed out; raising it renumbers nobody, lowering it re-issues nothing.
        start_uid: u32 = "user-provisioning-start-uid", default "1000", within 1000..=2_147_352_575;
        /// Highest UID handed out; when it is reached, creating a user is answered 507.
        max_uid: u32 = "user-provisioning-max-uid", default "60000", within 1000..=2_147_352_575;
        /// Lowest GID handed out to groups.
        start_gid: u32 = "group-provisioning-start-gid", default "1000", within 1000..=2_147_352_575;
        /// Highest GID handed out to groups.
        max_gid: u32 = "group-provisioning-max-gid", default "60000", within 1000..=2_147_352_575;
        /// What happens when a derived POSIX name is taken: `reject` with 409, or add a `suffix`.
        collision: Collision = "user-provisioning-collision", default "reject";
        /// Whether the first sign-in creates the user (just-in-time provisioning).
        register_on_first_login: bool = "user-provisioning-register-on-first-login", default "0";
        /// Which memberships a sign-in may remove: `all` that the claim does not list, or those from `login` alone.
        reconcile_scope: ReconcileScope = "user-provisioning-reconcile-scope", default "all";
        /// Folder of the home directories.
        homedir_path: String = "user-homedir-path", default "/home";
        /// Login shell of users who have none of their own.
        login_shell: String = "posix-login-shell", default "/bin/bash";
        /// Regular expression that a POSIX user name must match as a whole.
        user_name_rule: String = "posix-user-name-rule", default "[a-z_][a-z0-9._-]{0,31}";
        /// Whether SSH public keys may carry options (`command=`, `from=`, …), which sshd on every node would obey.
        ssh_key_options: bool = "ssh-key-options", default "0";
        /// Names of local accounts that nobody may take.
        protected_names: Vec<String> = "posix-protected-names", default
            "root,daemon,bin,sys,sync,games,man,lp,mail,news,uucp,proxy,www-data,backup,list,irc,gnats,nobody,nogroup,adm,halt,shutdown,operator,ftp,dbus,polkitd,sshd,systemd-network,systemd-resolve,messagebus,postgres,slurm,munge,nscd,sssd,chrony,wheel,sudo,staff,users,shadow,disk,tty,kmem,docker,rstudio-server,rollcall";
        /// Days for which a deleted user or group keeps resolving for the sake of file ownership.
        retain_deleted_days: u32 = "posix-retain-deleted", default "90", within 0..=36500;
        /// Deletions and deactivations a token may make per hour; 0 for no limit.
        deletion_limit_per_hour: u32 = "deletion-limit-per-hour", default "0", within 0..=1_000_000;
        /// POSIX group that every administrator is in, for Workbench's `admin-group`; not set, there is none. The service
        /// makes it when it is missing; members whom others put in stay.
        admin_posix_group: Option<String> = "admin-posix-group";
        /// TOML file of users, groups, tokens and settings that are to be there; each start makes what is missing or different.
        bootstrap_file: Option<PathBuf> = "bootstrap-file";
    }
}

impl Provisioning {
    /// Raises a pool that ends before it starts, a folder or shell that is not absolute, a rule that is no pattern.
    pub(super) fn check(&self, values: &Values) -> Result<(), ConfigError> {
        let pools = [
            (
                "user-provisioning-max-uid",
                self.max_uid,
                "user-provisioning-start-uid",
                self.start_uid,
            ),
            (
                "group-provisioning-max-gid",
                self.max_gid,
                "group-provisioning-start-gid",
                self.start_gid,
            ),
        ];
        for (max_name, max, start_name, start) in pools {
            if max < start {
                let decisive = if values.origin(max_name) == super::Origin::Default {
                    start_name
                } else {
                    max_name
                };
                let fault = format!("{max_name} = {max} is below {start_name} = {start}: the pool would be empty");
                return Err(values.contradiction(decisive, fault));
            }
        }
        for (name, text) in [
            ("user-homedir-path", &self.homedir_path),
            ("posix-login-shell", &self.login_shell),
        ] {
            if !text.starts_with('/') || text.contains(':') {
                let fault = format!("{name} = {text:?} must be an absolute path without a colon");
                return Err(values.contradiction(name, fault));
            }
        }
        check_pattern("posix-user-name-rule", &self.user_name_rule, values)
    }
}

/// Raises a regular expression that is none.
pub(super) fn check_pattern(name: &str, pattern: &str, values: &Values) -> Result<(), ConfigError> {
    // As it is used: a pattern that closes the group around it would mean something else.
    let fault = [pattern.to_owned(), format!("^(?:{pattern})$")]
        .iter()
        .find_map(|pattern| regex::Regex::new(pattern).err());
    fault.map_or(Ok(()), |fault| {
        let why = fault.to_string();
        let why = why.lines().last().unwrap_or_default();
        Err(values.contradiction(name, format!("{name} is not a regular expression: {why}")))
    })
}
