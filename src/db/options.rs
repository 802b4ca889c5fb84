//! The settings that SQL functions need, as one `jsonb` argument: options that will grow travel in one value.

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::config::{Collision, Provisioning};
use crate::fold::KEY_VERSION;

/// The settings of this replica for `p_options` of the contract, serialised once.
#[derive(Debug, Clone)]
pub struct Options(Box<RawValue>);

impl Options {
    /// Takes what the contract needs from the provisioning settings.
    ///
    /// # Panics
    /// Never: what is made here has no map whose keys are not strings.
    pub fn new(settings: &Provisioning) -> Self {
        let value = json!({
            "uid_start": settings.start_uid,
            "uid_max": settings.max_uid,
            "gid_start": settings.start_gid,
            "gid_max": settings.max_gid,
            "home_root": settings.homedir_path,
            "shell": settings.login_shell,
            "collision": match settings.collision { Collision::Reject => "reject", Collision::Suffix => "suffix" },
            // One string: the server reads it with every call, and dozens of elements would cost it more than the rest.
            "protected": settings.protected_names.join(","),
            "retain_days": settings.retain_deleted_days,
            "removal_limit": settings.deletion_limit_per_hour,
            "key_version": KEY_VERSION,
        });
        Self(to_raw_value(&value).expect("a JSON value serialises"))
    }

    /// The argument itself.
    pub(super) fn value(&self) -> &RawValue {
        &self.0
    }
}
