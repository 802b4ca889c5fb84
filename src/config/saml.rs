//! Sign-in by SAML 2.0; names and defaults are Workbench's.

use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::public_url::check_web_address;
use super::setting::section;
use super::sources::Values;

section! {
    /// Sign-in by SAML 2.0.
    struct Saml, "SAML" {
        /// Whether people sign in by SAML.
        enabled: bool = "auth-saml", default "0";
        /// URL of the provider's metadata.
        metadata_url: Option<String> = "auth-saml-metadata-url";
        /// File with the provider's metadata.
        metadata_path: Option<PathBuf> = "auth-saml-metadata-path";
        /// Whether requests go to the provider by POST instead of redirect.
        idp_post_binding: bool = "auth-saml-idp-post-binding", default "0";
        /// Format of the NameID asked for.
        sp_name_id_format: Option<String> = "auth-saml-sp-name-id-format";
        /// Attribute holding the user name, by which a sign-in finds or creates its user; `NameID` for the subject.
        username_attribute: String = "auth-saml-sp-attribute-username", default "Username";
        /// Attribute holding the e-mail address.
        email_attribute: Option<String> = "auth-saml-sp-attribute-email";
        /// Attribute holding the full name.
        name_attribute: Option<String> = "auth-saml-sp-attribute-name";
        /// Attribute holding the groups.
        groups_attribute: Option<String> = "auth-saml-sp-attribute-groups";
        /// Attribute holding the POSIX id.
        posix_id_attribute: Option<String> = "auth-saml-sp-attribute-posix-id";
        /// Attribute holding the POSIX user name.
        posix_name_attribute: Option<String> = "auth-saml-sp-attribute-posix-name";
        /// Attribute holding the home directory.
        homedir_attribute: Option<String> = "auth-saml-sp-attribute-homedir";
        /// Longest time between the issue of a response and its arrival, in seconds.
        max_issue_delay: Duration = "auth-saml-max-issue-delay", default "90", within 1..=600;
        /// How far the clock of the provider may differ, in seconds.
        max_clock_skew: Duration = "auth-saml-max-clock-skew", default "180", within 0..=300;
    }
}

impl Saml {
    /// Raises a switch without metadata, two of them, and a URL that is no web address.
    pub(super) fn check(&self, values: &Values) -> Result<(), ConfigError> {
        match (&self.metadata_url, &self.metadata_path) {
            (Some(_), Some(_)) => Err(values.contradiction(
                "auth-saml-metadata-path",
                "auth-saml-metadata-url and auth-saml-metadata-path exclude each other",
            )),
            (None, None) if self.enabled => Err(values.contradiction(
                "auth-saml",
                "auth-saml = 1 needs auth-saml-metadata-url or auth-saml-metadata-path",
            )),
            _ => check_web_address("auth-saml-metadata-url", self.metadata_url.as_deref(), values),
        }
    }
}
