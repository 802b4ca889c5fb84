//! Sign-in in general, and proxied headers; names and defaults are Workbench's.

use super::error::ConfigError;
use super::provisioning::check_pattern;
use super::public_url::check_web_address;
use std::time::Duration;

use super::secret::Secret;
use super::setting::section;
use super::sources::Values;
use super::value::choice;

choice! {
    /// What a sign-in does when the provider says that there are groups but does not list them (Entra's overage).
    enum Overage {
        /// Memberships stay as they are, with a warning and a metric.
        Keep = "keep",
        /// The sign-in is refused.
        Refuse = "refuse",
    }
}

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
        /// Networks (CIDR) from which the proxy connects; `proxy-listen` is not opened without.
        proxy_trusted_networks: Vec<String> = "auth-proxy-trusted-networks";
        /// Secret that the proxy sends in `auth-proxy-secret-header` with every request, as a second factor.
        proxy_secret: Option<Secret> = "auth-proxy-secret";
        /// Header that carries that secret.
        proxy_secret_header: String = "auth-proxy-secret-header", default "X-Rollcall-Proxy-Secret";
        /// Regular expression and replacement for the provider's user name, as in Workbench.
        user_rewrite_rule: Option<String> = "auth-user-rewrite-rule";
        /// Users below this UID may not sign in; not set, `UID_MIN` of this machine's login.defs, else 1000.
        minimum_user_id: Option<u32> = "auth-minimum-user-id", within 0..=2_147_352_575;
        /// Groups of which a user must be in one to sign in; none, everybody may.
        required_user_groups: Vec<String> = "auth-required-user-group";
        /// What happens when the provider has too many groups to list them: `keep` the memberships, or `refuse`.
        overage: Overage = "auth-groups-overage", default "keep";
        /// Regular expression of group names for which a sign-in is refused, as the object ids that Entra sends unless
        /// told otherwise.
        refused_group_names: Option<String> = "auth-groups-refused-names";
        /// Longest time between two requests of one session, in seconds.
        session_idle: Duration = "auth-session-idle-timeout", default "3600", within 60..=2_592_000;
        /// Longest time of one session, in seconds.
        session_lifetime: Duration = "auth-session-lifetime", default "86400", within 60..=31_536_000;
        /// Whether administrators have pages of the service at `/admin`; without any way to sign in there are none.
        admin_pages: bool = "admin-pages", default "1";
    }
}

impl Access {
    /// Raises a sign-in page that is neither a web address nor a path of this host, header sign-in that trusts everybody,
    /// a header that would carry two things, and a pattern that is none.
    pub(super) fn check(&self, proxy_listen: bool, values: &Values) -> Result<(), ConfigError> {
        if proxy_listen && !self.proxy {
            return Err(values.contradiction("proxy-listen", "proxy-listen needs auth-proxy = 1"));
        }
        if proxy_listen && self.proxy_trusted_networks.is_empty() {
            let fault = "proxy-listen needs auth-proxy-trusted-networks: the networks the proxy connects from";
            return Err(values.contradiction("proxy-listen", fault));
        }
        let headers = [
            Some(&self.proxy_user_header),
            self.proxy_groups_header.as_ref(),
            Some(&self.proxy_secret_header),
        ];
        let headers: Vec<&String> = headers.into_iter().flatten().collect();
        for (index, header) in headers.iter().enumerate() {
            if headers
                .iter()
                .skip(index + 1)
                .any(|other| other.eq_ignore_ascii_case(header))
            {
                let fault = format!("the header {header} can carry one thing only");
                return Err(values.contradiction("auth-proxy-user-header", fault));
            }
        }
        let address = self
            .proxy_sign_in_url
            .as_deref()
            .filter(|address| !address.starts_with('/'));
        check_web_address("auth-proxy-sign-in-url", address, values)?;
        self.refused_group_names.as_deref().map_or(Ok(()), |pattern| {
            check_pattern("auth-groups-refused-names", pattern, values)
        })
    }
}
