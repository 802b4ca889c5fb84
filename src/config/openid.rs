//! Sign-in by OpenID Connect; names and defaults are Workbench's.

use std::path::PathBuf;

use super::error::ConfigError;
use super::public_url::check_web_address;
use super::setting::section;
use super::sources::Values;

section! {
    /// Sign-in by OpenID Connect (OpenID Connect Core 1.0).
    struct OpenId, "OpenID Connect" {
        /// Whether people sign in by OpenID Connect.
        enabled: bool = "auth-openid", default "0";
        /// The provider's issuer URL.
        issuer: Option<String> = "auth-openid-issuer";
        /// Scopes asked for, separated by blanks.
        scopes: String = "auth-openid-scopes", default "openid profile email";
        /// File with the lines `client-id=…` and `client-secret=…`.
        client_file: PathBuf = "auth-openid-client-file", default "/etc/rstudio/openid-client-secret";
        /// Claim holding the user name, by which a sign-in finds or creates its user.
        username_claim: String = "auth-openid-username-claim", default "preferred_username";
        /// Claim holding the e-mail address.
        email_claim: String = "auth-openid-email-claim", default "email";
        /// Claim holding the full name.
        name_claim: String = "auth-openid-name-claim", default "name";
        /// Claim holding the groups.
        groups_claim: String = "auth-openid-groups-claim", default "groups";
        /// Claim holding the POSIX id.
        posix_id_claim: Option<String> = "auth-openid-posix-id-claim";
        /// Claim holding the POSIX user name.
        posix_name_claim: Option<String> = "auth-openid-posix-name-claim";
        /// Claim holding the home directory.
        homedir_claim: Option<String> = "auth-openid-homedir-claim";
    }
}

impl OpenId {
    /// Raises a switch without what it needs, and an issuer that is no web address.
    pub(super) fn check(&self, values: &Values) -> Result<(), ConfigError> {
        if self.enabled && self.issuer.is_none() {
            return Err(values.contradiction("auth-openid", "auth-openid = 1 needs auth-openid-issuer"));
        }
        check_web_address("auth-openid-issuer", self.issuer.as_deref(), values)
    }
}
