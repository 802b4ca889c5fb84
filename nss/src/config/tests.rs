//! Tests of the configuration file.

use super::*;
use proptest::prelude::*;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

#[test]
fn workbenchs_four_keys_and_ours_are_read() {
    let text = "# generated\nserver-address = https://a.example:8443/prefix/, unix:/run/x.sock\nadmin-token-path=/s/admin\n\
                user-token-path=/s/user\nverify-ssl-certs=0\nca-file=/etc/ca.pem\nconnect-timeout-ms=100\nenumerate=0\ndirect-mode=never\n\
                minimum-id=5000\nmaximum-id=60000\n";
    let (config, findings) = parse(text);
    assert_eq!(findings, []);
    assert_eq!(config.addresses.len(), 2);
    assert_eq!(config.addresses[0].host_header(), "a.example:8443");
    assert_eq!(config.addresses[0].prefix, "/prefix");
    assert_eq!(config.addresses[1].scheme, Scheme::Unix);
    assert_eq!(
        (config.admin_token_path.as_str(), config.user_token_path.as_str()),
        ("/s/admin", "/s/user")
    );
    assert!(!config.verify && !config.enumerate && config.direct == DirectMode::Never);
    assert_eq!(config.ids, IdRange { min: 5000, max: 60_000 });
}

#[test]
fn what_cannot_be_used_keeps_its_default_and_is_told() {
    let (config, findings) =
        parse("server-address=http://h\nverify-ssl-certs=yes\nrequest-timeout-ms=0\nfoo=1\nnonsense\nca-file=rel\n");
    assert!(config.verify && config.request_timeout_ms == 900 && config.ca_file.is_none());
    assert_eq!(
        findings.iter().map(|finding| finding.line).collect::<Vec<_>>(),
        [2, 3, 4, 5, 6]
    );
    assert_eq!(parse("").1.len(), 1, "a missing address is told");
}

#[test]
fn addresses_that_are_none_are_refused() {
    for bad in [
        "",
        "ftp://h",
        "http://",
        "http://h:0",
        "http://h:99999",
        "unix:rel",
        "http://u@h",
        "https://h/?q",
        "http://h\r\nX: y",
        "http://[::1",
    ] {
        assert_eq!(Address::parse(bad), None, "{bad:?}");
    }
    let v6 = Address::parse("http://[::1]:81").unwrap();
    assert_eq!(
        (v6.host.as_str(), v6.port, v6.host_header()),
        ("::1", 81, "[::1]:81".to_owned())
    );
    assert!(v6.is_confidential() && !Address::parse("http://10.0.0.1").unwrap().is_confidential());
}

#[test]
fn a_file_that_others_could_have_written_is_not_read() {
    let folder = std::env::temp_dir().join(format!("safe-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("f");
    let text = path.to_str().unwrap();
    std::fs::write(&path, "secret").unwrap();
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o600);
    assert_eq!(read_safe(text, 100), Ok(b"secret".to_vec()));
    assert_eq!(read_safe(text, 5), Err(SafeFileError::Unsafe), "too large");
    mode(0o660);
    assert_eq!(
        read_safe(text, 100),
        Err(SafeFileError::Unsafe),
        "writable by the group"
    );
    mode(0o600);
    chown(&path, Some(12345), None).unwrap();
    assert_eq!(read_safe(text, 100), Err(SafeFileError::Unsafe), "somebody else's");
    let link = folder.join("l");
    symlink(&path, &link).unwrap();
    assert_eq!(
        read_safe(link.to_str().unwrap(), 100),
        Err(SafeFileError::Unsafe),
        "a link"
    );
    assert_eq!(read_safe("/nonexistent/x", 100), Err(SafeFileError::Missing));
    assert_eq!(read_safe("/dev/zero", 100), Err(SafeFileError::Unsafe), "a device");
    std::fs::remove_dir_all(folder).unwrap();
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_address_makes_the_reader_panic(text in "(https?://|unix:)?[a-z0-9:/@.%?\\[\\]-]{0,40}") {
        let _ = Address::parse(&text).map(|address| address.host_header());
    }
}
