//! The only place that reads the process environment.

use std::path::PathBuf;

use super::DEFAULT_FILE;
use super::sources::{ConfigFile, Origin};

/// The variable that names the configuration file.
pub(super) const CONFIG_VARIABLE: &str = "ROLLCALL_CONFIG";

/// The variable by which Workbench is given a file with a SCIM token.
pub(super) const WORKBENCH_TOKEN_PATH: &str = "WORKBENCH_USER_SERVICE_AUTH_TOKEN_PATH";

/// The variables of this process that concern settings. What is not UTF-8 becomes U+FFFD: no value of ours is then
/// valid, and the error names the variable.
pub(super) fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .filter(|(name, _)| name.starts_with(super::setting::ENVIRONMENT_PREFIX) || name == WORKBENCH_TOKEN_PATH)
        .collect()
}

/// The file named by the flag, else by `ROLLCALL_CONFIG`, else the default one, which may be absent.
pub(super) fn config_file(flag: Option<PathBuf>) -> ConfigFile {
    if let Some(path) = flag {
        return ConfigFile {
            path,
            named_at: Origin::Flag("config".to_owned()),
        };
    }
    match std::env::var_os(CONFIG_VARIABLE) {
        Some(path) if !path.is_empty() => ConfigFile {
            path: PathBuf::from(path),
            named_at: Origin::Environment(CONFIG_VARIABLE.to_owned()),
        },
        _ => ConfigFile {
            path: PathBuf::from(DEFAULT_FILE),
            named_at: Origin::Default,
        },
    }
}

/// The folders of `PATH`, for finding installed programs.
pub fn program_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// The folder for temporary files.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// The uid of who called sudo, as the environment claims. Anybody can set it: no proof of anything.
pub fn sudo_uid() -> Option<u32> {
    std::env::var("SUDO_UID").ok()?.parse().ok()
}
