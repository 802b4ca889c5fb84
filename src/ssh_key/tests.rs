//! Keys that `ssh-keygen` has made, and lines that are none.

use super::{KeyFault, LINE_BYTES, PublicKey};

const ECDSA_256: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBATiehSTJWT3L1DQXZ/tb9zPXICaZ8jVSo+LUxC/fyJocshJ0FLB/YYzUBft9SzQUdudnEoc3NgfBDVkkw91734= jane@laptop";
const ECDSA_384: &str = "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBLA5m5xtVVuXF6U3MwDSKBC0rs2TNGHmdIyOA4ITpySx8RxqEYSebVXg6nN1J//vy1B/A4tw72b7UWVRgRcxn59p/agmBd5KMIrEapdsYJFlV3aAWQixqut2x1m1lcLtCg== jane@laptop";
const ECDSA_521: &str = "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAAK398TOugi4rMFN3g7gd/mTsPJASGSMko8W7N6A8Rqhe3EqPdLh1aoX/VWcgZwtjwApsIhq0DNhL7SAw32X2OUswAu8irgp2h9h0tEzPK5h6zLjDg9f4Jph2vxUiKQCXS/esTG0ArCtsJ8gf8KaMR221GrSp+TvzTxLgwRf1KC2FtFdA== jane@laptop";
const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdOOuI7Mq1Ri7aadduQLc1AMyuDbTTa1C1+8rM+Z40J jane@laptop";
const RSA_2048: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC38d6p3KG4o6Tfr8+Cz4JNdMMTLTwwv85Ozzr4hfJJM+lMhvmJK/tKH6oiBeq353fESXTEoAF/I2/Q6z+CtTpZX+KK0pkuy0mHxYW9tRTqsKT61mMrYydqYS6xsctLsUjeu9dEyLcNIOEwuhCBHQqe1R4QLMpUkWN/HY/LiLxjgeiCippXWHhFTwrLo6avtLMQXLZ8r2SqSDO7o9/S6n8k6yFhwr0s4WBwe/YBU8lZU5H72h7PLHtZsuBvBk+pPd7OeTpJocVzAyiDiYUsLSxh7U9qoQtDTCRoSaiM3baXokz6sxySyOab6EYUXdO6I3dsoJBN6elF6HEGlIs7GhEV jane@laptop";
const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDMQaWHSvPN/+bsrtFUcXYnbpClozKVO/lUPkoajN0BAUHr7E2NLSnGuGFreozHlortqym0gvOpefmAdutS6+7ImdMwkw3y7kGxFC6YxrvB1ttcmnj34NF5QkuajVKOgNdeXR75UzbkofRc3lnVyfvU+5G7gS7XhwcCveZWfWApVw== jane@laptop";

#[test]
fn keys_and_their_fingerprints_are_those_of_ssh_keygen() {
    let keys = [
        (ECDSA_256, "SHA256:jGmVaKqp31oupqDzfcEJ39wx2ginpDy6tvbTFvAgdeE"),
        (ECDSA_384, "SHA256:e9i+krw8t7OWmX+gVgA3Uii2rparPvyxGUmYNeYr4CQ"),
        (ECDSA_521, "SHA256:3Okdm2JeGNToXTyKI5/0fK/TZfA37V9WOrCTP0lnQbc"),
        (ED25519, "SHA256:TbP+c3ShIp8Hq80LZT4Ek2JOgjgi6wiY1BCC8Uvc+rM"),
        (RSA_2048, "SHA256:qGZ4AGBtCubAipmffOCpG4yNPTK0QMKH4X8jVghb9Cg"),
    ];
    for (line, fingerprint) in keys {
        let key = PublicKey::parse(line).unwrap();
        assert_eq!((key.options, key.comment), (None, "jane@laptop"));
        assert_eq!(key.fingerprint(), fingerprint, "{line}");
        let (kind, body) = (key.kind, key.body);
        assert_eq!(PublicKey::parse(&format!("{kind}\t{body}")).unwrap().body, body);
    }
}

#[test]
fn options_are_told_from_the_key() {
    let options = r#"from="10.0.0.0/8,*.example.org",command="echo \"a b\" c",no-pty"#;
    let line = format!("{options} {ED25519}");
    let key = PublicKey::parse(&line).unwrap();
    assert_eq!((key.options, key.kind), (Some(options), "ssh-ed25519"));
    for bad in [
        format!("command=\"unclosed {ED25519}"),
        format!("no-pty,{ED25519}"),
        "no-pty".to_owned(),
    ] {
        assert_eq!(PublicKey::parse(&bad), Err(KeyFault::Type), "{bad}");
    }
}

#[test]
fn what_is_no_key_is_refused_with_its_reason() {
    let (_, body) = ED25519.split_once(' ').unwrap();
    let cut = ED25519.split_at(40).0;
    let cases = [
        (String::new(), KeyFault::Type),
        ("ssh-dss AAAAB3NzaC1kc3M=".to_owned(), KeyFault::Type),
        (format!("ssh-ed25519-cert-v01@openssh.com {body}"), KeyFault::Type),
        ("ssh-ed25519".to_owned(), KeyFault::Body),
        ("ssh-ed25519 !!!!".to_owned(), KeyFault::Body),
        (format!("ssh-rsa {body}"), KeyFault::Body),
        (cut.to_owned(), KeyFault::Body),
        (RSA_1024.to_owned(), KeyFault::Weak),
        (format!("{ED25519}\n{ED25519}"), KeyFault::Control),
        (format!("{ED25519}\r"), KeyFault::Control),
        (format!("{ED25519} {}", "x".repeat(LINE_BYTES)), KeyFault::Long),
    ];
    for (line, fault) in cases {
        assert_eq!(PublicKey::parse(&line), Err(fault), "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn no_line_makes_it_panic(line in "\\PC{0,200}") {
        let _ = PublicKey::parse(&line);
        let _ = PublicKey::parse(&format!("ssh-rsa {line}"));
    }

    #[test]
    fn no_key_of_random_bytes_makes_it_panic(blob in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        use base64::Engine as _;
        let body = base64::engine::general_purpose::STANDARD.encode(blob);
        let line = format!("ssh-ed25519 {body}");
        proptest::prop_assert!(PublicKey::parse(&line).is_err());
    }
}
