//! Settings that are right by themselves, but not together.

use super::*;
use crate::config::Database;

/// Sources with these flags alone: no database either.
fn bare(given: &[(&str, &str)]) -> Sources {
    let mut sources = flags(given);
    if !given.iter().any(|(name, _)| *name == "data-dir") {
        sources.flags.remove("data-dir");
    }
    sources
}

const URI: (&str, &str) = ("database-uri", "postgres://db/rollcall");
const PROXY: (&str, &str) = ("proxy-listen", "127.0.0.1:8082");
const HEADERS: (&str, &str) = ("auth-proxy", "1");
const NETWORKS: (&str, &str) = ("auth-proxy-trusted-networks", "127.0.0.0/8");
const PUBLIC: (&str, &str) = ("listen", "0.0.0.0:8080");

#[test]
fn without_a_database_the_start_is_refused() {
    assert_eq!(
        error(&bare(&[])),
        "database-uri is not set. For a private PostgreSQL on this machine set data-dir instead"
    );
    assert!(error(&bare(&[("database-uri", "")])).starts_with("database-uri is not set"));
}

#[test]
fn a_private_database_needs_data_dir_and_a_loopback_address() {
    let config = load(&bare(&[("data-dir", "/srv/rollcall")])).unwrap();
    let Database::Private(private) = config.database else {
        panic!("expected a private database")
    };
    assert_eq!(private.data_dir, PathBuf::from("/srv/rollcall"));
    assert_eq!(private.user, "postgres");
    let message = error(&flags(&[PUBLIC, ("public-url", "https://x")]));
    assert!(
        message.contains("a private PostgreSQL in data-dir serves one machine only"),
        "{message}"
    );
    assert!(load(&flags(&[("listen", "[::1]:8080")])).is_ok());
}

#[test]
fn given_and_private_databases_exclude_each_other() {
    for name in ["database-uri", "database-read-uri", "database-migrate-uri"] {
        let message = error(&flags(&[(name, "postgres://db/rollcall")]));
        assert!(
            message.contains(&format!("{name} and data-dir exclude each other")),
            "{message}"
        );
    }
}

#[test]
fn role_read_needs_a_database_that_is_given() {
    assert!(error(&bare(&[("role", "read")])).starts_with("database-read-uri is not set"));
    assert!(error(&flags(&[("role", "read")])).contains("role read has no private database"));
    assert!(load(&bare(&[("role", "read"), ("database-read-uri", "postgres://db/x")])).is_ok());
    assert!(load(&bare(&[("role", "read"), URI])).is_ok());
}

#[test]
fn public_url_is_required_unless_listen_is_loopback_or_not_offered() {
    let message = error(&bare(&[URI, PUBLIC]));
    assert_eq!(
        message,
        "flag --listen: public-url is required because listen = 0.0.0.0:8080 is not a loopback address"
    );
    assert!(load(&bare(&[URI, PUBLIC, ("public-url", "https://x")])).is_ok());
    assert!(load(&bare(&[URI, PUBLIC, ("role", "read")])).is_ok());
}

#[test]
fn base_url_is_the_public_url_or_the_address_taken() {
    let bound = std::net::SocketAddr::from(([127, 0, 0, 1], 4711));
    assert_eq!(
        load(&sources()).unwrap().listeners.base_url(bound).as_str(),
        "http://127.0.0.1:4711"
    );
    let tls = flags(&[("tls-cert-file", "/c"), ("tls-key-file", "/k")]);
    assert_eq!(
        load(&tls).unwrap().listeners.base_url(bound).as_str(),
        "https://127.0.0.1:4711"
    );
    let public = load(&flags(&[("public-url", "https://x/rollcall")])).unwrap();
    assert_eq!(public.listeners.base_url(bound).as_str(), "https://x/rollcall");
}

#[test]
fn a_pool_that_ends_before_it_starts_is_refused() {
    for (max, start) in [
        ("user-provisioning-max-uid", "user-provisioning-start-uid"),
        ("group-provisioning-max-gid", "group-provisioning-start-gid"),
    ] {
        assert_eq!(
            error(&flags(&[(start, "2000"), (max, "1999")])),
            format!("flag --{max}: {max} = 1999 is below {start} = 2000: the pool would be empty")
        );
        assert!(error(&flags(&[(start, "70000")])).starts_with(&format!("flag --{start}: {max} = 60000 is below")));
        assert!(load(&flags(&[(start, "2000"), (max, "2000")])).is_ok());
    }
}

#[test]
fn a_certificate_needs_its_key_on_every_listener() {
    for prefix in ["", "read-", "ops-", "proxy-"] {
        let (cert, key) = (format!("{prefix}tls-cert-file"), format!("{prefix}tls-key-file"));
        assert!(error(&flags(&[(&cert, "/c")])).ends_with(&format!("{cert} needs {key} beside it")));
        assert!(error(&flags(&[(&key, "/k")])).ends_with(&format!("{key} needs {cert} beside it")));
        let config = load(&flags(&[(&cert, "/c"), (&key, "/k"), PROXY, HEADERS, NETWORKS])).unwrap();
        assert_eq!(
            config
                .listeners
                .active()
                .filter(|listener| listener.tls.is_some())
                .count(),
            1
        );
    }
}

#[test]
fn two_listeners_never_share_an_address_but_may_both_take_a_free_port() {
    let message = error(&flags(&[("read-listen", "127.0.0.1:8080")]));
    assert!(
        message.ends_with("listen and read-listen are both 127.0.0.1:8080; give each its own"),
        "{message}"
    );
    assert!(load(&flags(&[("listen", "127.0.0.1:0"), ("read-listen", "127.0.0.1:0")])).is_ok());
}

#[test]
fn role_read_offers_the_read_and_ops_listeners_only() {
    let labels = |sources: &Sources| -> Vec<&'static str> {
        load(sources)
            .unwrap()
            .listeners
            .active()
            .map(|listener| listener.label)
            .collect()
    };
    assert_eq!(
        labels(&flags(&[PROXY, HEADERS, NETWORKS])),
        ["api", "read", "ops", "proxy"]
    );
    assert_eq!(
        labels(&bare(&[URI, ("role", "read"), PROXY, HEADERS, NETWORKS])),
        ["read", "ops"]
    );
}

#[test]
fn homes_and_shells_are_absolute() {
    for name in ["user-homedir-path", "posix-login-shell"] {
        for bad in ["home", "/a:b"] {
            assert!(error(&flags(&[(name, bad)])).contains("must be an absolute path without a colon"));
        }
    }
}

#[test]
fn sizes_and_times_are_in_order() {
    assert!(
        error(&flags(&[("scim-body-limit", "9000000")])).contains("scim-large-body-limit is below scim-body-limit")
    );
    assert!(error(&flags(&[("scim-max-results", "50")])).contains("scim-max-results is below"));
    assert!(error(&flags(&[("database-write-deadline", "1")])).contains("shorter than database-statement-timeout"));
}

#[test]
fn a_sign_in_switch_needs_its_provider() {
    assert!(error(&flags(&[("auth-openid", "1")])).ends_with("auth-openid = 1 needs auth-openid-issuer"));
    assert!(
        load(&flags(&[
            ("auth-openid", "1"),
            ("auth-openid-issuer", "https://login.example/")
        ]))
        .is_ok()
    );
    assert!(error(&flags(&[("auth-saml", "1")])).contains("needs auth-saml-metadata-url or auth-saml-metadata-path"));
    let both = flags(&[
        ("auth-saml-metadata-url", "https://x"),
        ("auth-saml-metadata-path", "/x"),
    ]);
    assert!(error(&both).contains("exclude each other"));
    for name in ["auth-openid-issuer", "auth-saml-metadata-url", "auth-proxy-sign-in-url"] {
        assert!(
            error(&flags(&[(name, "login.example")])).ends_with("expected an http or https URL"),
            "{name}"
        );
    }
    assert!(load(&flags(&[("auth-proxy-sign-in-url", "/sign-in")])).is_ok());
}

#[test]
fn header_sign_in_is_not_opened_to_everybody() {
    assert!(error(&flags(&[PROXY])).ends_with("proxy-listen needs auth-proxy = 1"));
    assert!(error(&flags(&[PROXY, HEADERS])).contains("proxy-listen needs auth-proxy-trusted-networks"));
    assert!(load(&flags(&[PROXY, HEADERS, NETWORKS])).is_ok());
    let twice = ("auth-proxy-groups-header", "x-rstudio-username");
    assert!(error(&flags(&[twice])).contains("can carry one thing only"));
}
