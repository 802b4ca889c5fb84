//! Names that belong to others: options of `rserver.conf` that Rollcall does not read, and Kubernetes' service links.

/// Options of Workbench's `rserver.conf` that are not settings of Rollcall; none of them is a misspelling of ours.
static OPTIONS: &[&str] = &[
    "admin-enabled",
    "admin-group",
    "admin-monitor-log-use-server-time-zone",
    "admin-superuser-group",
    "allow-refresh-token-revocation",
    "audit-r-console",
    "audit-r-sessions",
    "auth-cookies-force-secure",
    "auth-encrypt-password",
    "auth-google-accounts",
    "auth-none",
    "auth-openid-base-uri",
    "auth-pam-helper-path",
    "auth-pam-sessions-close",
    "auth-pam-sessions-enabled",
    "auth-pam-sessions-profile",
    "auth-pam-sessions-use-password",
    "auth-proxy-require-hmac",
    "auth-proxy-sign-in-delay",
    "auth-proxy-sign-out-url",
    "auth-proxy-user-header-rewrite",
    "auth-revocation-list-dir",
    "auth-saml-idp-entity-id",
    "auth-saml-idp-sign-cert-path",
    "auth-saml-idp-sso-url",
    "auth-saml-sp-base-uri",
    "auth-saml-sp-encryption-cert-path",
    "auth-saml-sp-encryption-key-path",
    "auth-saml-sp-signing-cert-path",
    "auth-saml-sp-signing-key-path",
    "auth-sign-in-throttle-seconds",
    "auth-stay-signed-in",
    "auth-stay-signed-in-days",
    "auth-timeout-minutes",
    "auth-validate-users",
    "database-config-file",
    "file-locking",
    "job-launcher-address",
    "job-launcher-port",
    "launcher-address",
    "launcher-default-cluster",
    "launcher-port",
    "launcher-sessions-auto-update",
    "launcher-sessions-callback-address",
    "launcher-sessions-create-container-user",
    "launcher-sessions-create-container-user-mode",
    "launcher-sessions-enabled",
    "launcher-sessions-init-container-run-user",
    "launcher-use-ssl",
    "load-balancing-enabled",
    "metrics-enabled",
    "metrics-port",
    "monitor-data-path",
    "monitor-graphite-enabled",
    "monitor-graphite-host",
    "monitor-stderr-enabled",
    "rsession-config-file",
    "rsession-path",
    "rsession-which-r",
    "secure-cookie-key-file",
    "server-access-log",
    "server-app-armor-enabled",
    "server-daemonize",
    "server-data-dir",
    "server-health-check-enabled",
    "server-multiple-sessions",
    "server-pid-file",
    "server-project-sharing",
    "server-set-umask",
    "server-shared-storage-path",
    "server-user",
    "ssl-certificate",
    "ssl-certificate-key",
    "ssl-enabled",
    "ssl-hsts",
    "ssl-protocols",
    "ssl-redirect-http",
    "www-address",
    "www-allow-origin",
    "www-enable-origin-check",
    "www-frame-origin",
    "www-port",
    "www-proxy-localhost",
    "www-root-path",
    "www-same-site",
    "www-socket",
    "www-thread-pool-size",
];

/// Whether `rserver.conf` has an option of exactly that name.
pub(super) fn is_option(name: &str) -> bool {
    OPTIONS.contains(&name)
}

/// Whether a variable, without `ROLLCALL_`, is one that Kubernetes sets for a Service called `rollcall…`:
/// `SERVICE_HOST`, `READ_SERVICE_PORT_HTTP`, `PORT`, `PORT_8080_TCP_ADDR`.
pub(super) fn is_service_link(rest: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    words.last() == Some(&"PORT")
        || words
            .windows(2)
            .any(|pair| matches!(pair, ["SERVICE", "HOST" | "PORT"]))
        || words
            .windows(3)
            .any(|three| matches!(three, ["PORT", number, "TCP" | "UDP" | "SCTP"] if is_number(number)))
}
