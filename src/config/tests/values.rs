//! What each kind of value takes and refuses.

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::config::{Collision, PublicUrl, Role};

#[test]
fn the_defaults_are_the_documented_ones() {
    let config = load(&sources()).unwrap();
    assert_eq!(config.listeners.role, Role::All);
    assert_eq!(config.listeners.listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert_eq!(config.listeners.read_listen.port(), 8081);
    assert_eq!(config.listeners.ops_listen.port(), 9090);
    assert_eq!(config.listeners.proxy_listen, None);
    assert!(config.provisioning.enabled);
    assert_eq!(
        (config.provisioning.start_uid, config.provisioning.max_uid),
        (1000, 60000)
    );
    assert_eq!(
        (config.provisioning.start_gid, config.provisioning.max_gid),
        (1000, 60000)
    );
    assert_eq!(config.provisioning.collision, Collision::Reject);
    assert!(!config.provisioning.register_on_first_login);
    assert!(config.provisioning.protected_names.iter().any(|name| name == "root"));
    let database = config.database.settings();
    assert_eq!((database.pool_size, database.read_pool_size), (16, 16));
    assert_eq!(database.write_deadline, Duration::from_secs(25));
    assert_eq!(config.openid.username_claim, "preferred_username");
    assert_eq!(config.saml.username_attribute, "Username");
    assert_eq!(config.scim.body_limit, 1 << 20);
    assert_eq!(config.scim.large_body_limit, 8 << 20);
    assert_eq!(config.limits.header_timeout, Duration::from_secs(10));
}

#[test]
fn a_bad_value_is_refused_with_its_place_and_what_was_expected() {
    let (file, sources) = with_file("user-provisioning-start-uid=500\n");
    let expected = format!(
        "{}:1: user-provisioning-start-uid = \"500\": expected a whole number from 1000 to 2147352575",
        file.text()
    );
    assert_eq!(error(&sources), expected);
    assert_eq!(
        error(&variables(&[("ROLLCALL_ROLE", "primary")])),
        "environment ROLLCALL_ROLE: role = \"primary\": expected one of all, read"
    );
    assert_eq!(
        error(&flags(&[("listen", "8080")])),
        "flag --listen: listen = \"8080\": expected an address and port, as 127.0.0.1:8080 or [::1]:8080"
    );
}

#[test]
fn numbers_are_digits_within_bounds() {
    for bad in [
        "",
        "+5",
        "-1",
        "1e3",
        "5.0",
        "0x10",
        "99999999999999999999",
        "999",
        "2147352576",
    ] {
        for name in ["user-provisioning-start-uid", "group-provisioning-start-gid"] {
            assert!(load(&flags(&[(name, bad)])).is_err(), "{name} = {bad}");
        }
    }
    assert!(load(&flags(&[("user-provisioning-start-uid", "1000")])).is_ok());
}

#[test]
fn every_bounded_setting_refuses_what_lies_outside() {
    for setting in crate::config::settings() {
        let Some((least, most)) = setting.bounds else { continue };
        assert!(error(&flags(&[(setting.name, &(most + 1).to_string())])).contains(setting.name));
        if least > 0 {
            assert!(error(&flags(&[(setting.name, &(least - 1).to_string())])).contains(setting.name));
        }
    }
}

#[test]
fn seconds_take_decimals() {
    let config = load(&flags(&[("header-timeout", "2.5")])).unwrap();
    assert_eq!(config.limits.header_timeout, Duration::from_millis(2500));
    for bad in ["2s", "-1", ".5", "5.", "1e2", "inf", "NaN", ""] {
        assert!(load(&flags(&[("header-timeout", bad)])).is_err(), "{bad}");
    }
}

#[test]
fn switches_take_the_usual_words() {
    for (word, value) in [
        ("1", true),
        ("0", false),
        ("true", true),
        ("No", false),
        ("on", true),
        ("OFF", false),
    ] {
        assert_eq!(
            load(&flags(&[("user-provisioning-enabled", word)]))
                .unwrap()
                .provisioning
                .enabled,
            value
        );
    }
    for bad in ["", "2", "ja"] {
        assert!(load(&flags(&[("user-provisioning-enabled", bad)])).is_err());
    }
}

#[test]
fn lists_drop_blanks_and_refuse_empty_items() {
    let config = load(&flags(&[("auth-required-user-group", " a , b")])).unwrap();
    assert_eq!(config.access.required_user_groups, ["a", "b"]);
    assert!(load(&flags(&[("auth-required-user-group", "a,,b")])).is_err());
    assert!(
        load(&flags(&[("posix-protected-names", "")]))
            .unwrap()
            .provisioning
            .protected_names
            .is_empty()
    );
}

#[test]
fn control_characters_are_refused_everywhere() {
    for name in [
        "user-homedir-path",
        "posix-login-shell",
        "log-level",
        "admin-posix-group",
        "data-dir",
    ] {
        assert!(load(&flags(&[(name, "/a\nb")])).is_err(), "{name}");
    }
}

#[test]
fn localhost_is_the_loopback_address() {
    assert_eq!(
        load(&flags(&[("listen", "localhost:0")]))
            .unwrap()
            .listeners
            .listen
            .to_string(),
        "127.0.0.1:0"
    );
}

#[test]
fn public_url_is_http_with_a_host_and_nothing_more() {
    for good in [
        "https://id.example.com",
        "http://localhost:8080",
        "https://x.example/rollcall",
        "http://[::1]:80",
        "HTTPS://x",
    ] {
        assert!(PublicUrl::parse(good).is_some(), "{good}");
    }
    let bad = [
        "",
        "id.example.com",
        "ftp://x",
        "https://",
        "https://x/",
        "https://x/a/",
        "https://x?a",
        "https://x#a",
        "https://u@x",
        "https://x:0",
        "https://x:70000",
        "https://x:",
        "https://[::1",
        "https://[x]",
        "https://x y",
        "https://x//a",
        "https://é.example",
        "https://[::1]80",
    ];
    for bad in bad {
        assert!(PublicUrl::parse(bad).is_none(), "{bad}");
    }
    assert_eq!(PublicUrl::parse("HTTPS://x").unwrap().as_str(), "https://x");
    let message = error(&flags(&[("public-url", "https://x/")]));
    assert_eq!(
        message,
        "flag --public-url: public-url = \"https://x/\": expected an http or https URL without query, fragment and trailing slash"
    );
}
