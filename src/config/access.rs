//! Sign-in in general, and proxied headers; names and defaults are Workbench's.

use super::error::ConfigError;
use super::public_url::check_web_address;
use super::setting::section;
use super::sources::Values;

section! {
    /// Sign-in in general, and proxied headers.
    struct Access, "Sign-in" {
        /// Whether a proxy in front may sign people in by headers; needs `proxy-listen` too.
        proxy: bool = "auth-proxy", default "0";
        /// Where people are sent to sign in at the proxy.
        proxy_sign_in_url: Option<String> = "auth-proxy-sign-in-url";
        /// Header that carries the user name.
        proxy_user_header: String = "auth-proxy-user-header", default "X-RStudio-Username";
        /// Header that carries the groups; not set, groups are unknown and stay as they are.
        proxy_groups_header: Option<String> = "auth-proxy-groups-header";
        /// What separates the groups in that header.
        proxy_groups_separator: String = "auth-proxy-groups-separator", default ",";
        /// Regular expression and replacement for the provider's user name, as in Workbench.
        user_rewrite_rule: Option<String> = "auth-user-rewrite-rule";
        /// Users below this UID may not sign in; not set, `UID_MIN` of this machine's login.defs, else 1000.
        minimum_user_id: Option<u32> = "auth-minimum-user-id", within 0..=2_147_352_575;
        /// Groups of which a user must be in one to sign in; none, everybody may.
        required_user_groups: Vec<String> = "auth-required-user-group";
    }
}

impl Access {
    /// Raises a sign-in page that is neither a web address nor a path of this host.
    pub(super) fn check(&self, values: &Values) -> Result<(), ConfigError> {
        let address = self
            .proxy_sign_in_url
            .as_deref()
            .filter(|address| !address.starts_with('/'));
        check_web_address("auth-proxy-sign-in-url", address, values)
    }
}
