//! Connection strings are taken apart as libpq does.

use std::time::Duration;

use tokio_postgres::config::SslMode;

use super::*;

fn address(text: &str) -> anyhow::Result<Address> {
    Address::parse(text, None, Duration::from_secs(3))
}

#[test]
fn a_loopback_database_needs_no_tls_and_a_remote_one_does() {
    assert_eq!(
        address("host=127.0.0.1 user=a").unwrap().config.get_ssl_mode(),
        SslMode::Disable
    );
    assert_eq!(
        address("postgres://a@/db?host=/run/x").unwrap().config.get_ssl_mode(),
        SslMode::Disable
    );
    assert_eq!(
        address("postgres://a@db.example/db").unwrap().config.get_ssl_mode(),
        SslMode::Require
    );
}

#[test]
fn an_unknown_sslmode_is_refused() {
    assert!(address("postgres://a@db.example/db?sslmode=verify-ful").is_err());
}

#[test]
fn quotes_and_escapes_in_passwords_survive() {
    let parsed = address(r"host=127.0.0.1 password='it\'s; 100%' sslmode=disable user = b").unwrap();
    assert_eq!(parsed.config.get_password(), Some(b"it's; 100%".as_slice()));
    assert_eq!(parsed.config.get_user(), Some("b"));
}

#[test]
fn several_hosts_and_session_attributes_are_kept() {
    let parsed =
        address("postgres://a@10.0.0.1:1,10.0.0.2:2/db?target_session_attrs=read-write&sslmode=prefer").unwrap();
    assert_eq!(parsed.config.get_hosts().len(), 2);
    assert_eq!(parsed.config.get_ssl_mode(), SslMode::Prefer);
}

#[test]
fn no_part_of_a_bad_string_is_repeated() {
    let Err(error) = address("postgres://a:s3cret@[bad") else {
        panic!("accepted")
    };
    assert!(!format!("{error:#}").contains("s3cret"));
}

#[test]
fn a_password_given_apart_is_taken_as_it_is_and_yields_to_one_in_the_string() {
    let secret = Secret::new(r"it's; 100% \ $(HOME)");
    let apart = address("host=127.0.0.1 user=a").unwrap().with_password(Some(&secret));
    assert_eq!(apart.config.get_password(), Some(secret.expose().as_bytes()));
    let within = address("host=127.0.0.1 user=a password=b")
        .unwrap()
        .with_password(Some(&secret));
    assert_eq!(within.config.get_password(), Some(b"b".as_slice()));
}
