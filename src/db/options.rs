//! The settings that SQL functions need, as one `jsonb` argument: options that will grow travel in one value.

use serde_json::{Value, json};

use crate::config::{Collision, Provisioning};
use crate::fold::KEY_VERSION;

/// The settings of this replica for `p_options` of the contract, serialised once.
#[derive(Debug, Clone)]
pub struct Options(Value);

impl Options {
    /// Takes what the contract needs from the provisioning settings.
    pub fn new(settings: &Provisioning) -> Self {
        Self(json!({
            "uid_start": settings.start_uid,
            "uid_max": settings.max_uid,
            "gid_start": settings.start_gid,
            "gid_max": settings.max_gid,
            "home_root": settings.homedir_path,
            "shell": settings.login_shell,
            "collision": match settings.collision { Collision::Reject => "reject", Collision::Suffix => "suffix" },
            "protected": settings.protected_names,
            "retain_days": settings.retain_deleted_days,
            "removal_limit": settings.deletion_limit_per_hour,
            "key_version": KEY_VERSION,
        }))
    }

    /// The argument itself.
    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}
