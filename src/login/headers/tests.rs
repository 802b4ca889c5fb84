//! Each rule about identity headers.

use super::*;

const TRUSTED: &str = "10.1.2.3";

fn headers(secret: Option<&str>, groups: Option<&str>) -> ProxyHeaders {
    ProxyHeaders {
        networks: Networks::parse(&["10.0.0.0/8".to_owned()]).unwrap(),
        user: "x-rstudio-username".into(),
        groups: groups.map(str::to_owned),
        separator: ",".into(),
        secret: secret.map(|secret| ("x-proxy-secret".into(), Secret::new(secret))),
    }
}

fn read(headers: &ProxyHeaders, peer: &str, fields: &[(&str, &[u8])]) -> Result<Assertion, Reason> {
    headers
        .assertion(Some(peer.parse().unwrap()), fields)
        .map_err(|refusal| refusal.reason)
}

#[test]
fn only_trusted_peers_name_people_whatever_the_request_says() {
    let headers = headers(None, None);
    let fields: &[(&str, &[u8])] = &[("X-RStudio-Username", b"jane"), ("x-forwarded-for", b"10.1.2.3")];
    assert_eq!(read(&headers, TRUSTED, fields).unwrap().user_name, "jane");
    assert_eq!(read(&headers, "::ffff:10.9.9.9", fields).unwrap().user_name, "jane");
    for stranger in ["192.0.2.1", "110.1.2.3", "::1"] {
        assert_eq!(
            read(&headers, stranger, fields),
            Err(Reason::UntrustedProxy),
            "{stranger}"
        );
    }
    let unix_socket = headers.assertion(None, fields);
    assert_eq!(unix_socket.unwrap_err().reason, Reason::UntrustedProxy);
}

#[test]
fn doubled_disguised_and_unreadable_headers_are_refused() {
    let headers = headers(None, Some("x-rstudio-groups"));
    let name: (&str, &[u8]) = ("x-rstudio-username", b"jane");
    for fields in [
        &[name, ("X-RStudio-Username", b"jane")][..],
        &[name, ("x_rstudio_username", b"eve")],
        &[name, ("x-rstudio_username", b"jane")],
        &[name, ("x-rstudio-groups", b"a"), ("x-rstudio-groups", b"b")],
        &[name, ("x_rstudio-groups", b"admins")],
        &[("x-rstudio-username", b"jane,eve")],
        &[("x-rstudio-username", b"jan\xff")],
        &[("x-rstudio-username", &[b'a'; 1025])],
    ] {
        assert_eq!(
            read(&headers, TRUSTED, fields),
            Err(Reason::MalformedHeaders),
            "{fields:?}"
        );
    }
}

#[test]
fn an_empty_or_absent_name_is_no_sign_in() {
    let headers = headers(None, None);
    assert_eq!(read(&headers, TRUSTED, &[]), Err(Reason::UserName));
    assert_eq!(
        read(&headers, TRUSTED, &[("x-rstudio-username", b"")]),
        Err(Reason::UserName)
    );
}

#[test]
fn groups_not_sent_are_unknown_and_an_empty_header_is_none() {
    let headers = headers(None, Some("x-rstudio-groups"));
    let groups = |value: Option<&'static [u8]>| {
        let mut fields: Vec<(&str, &[u8])> = vec![("x-rstudio-username", b"jane")];
        fields.extend(value.map(|value| ("x-rstudio-groups", value)));
        read(&headers, TRUSTED, &fields).unwrap().groups
    };
    assert_eq!(groups(None), Groups::Unknown);
    assert_eq!(groups(Some(b"")), Groups::Listed(vec![String::new()]));
    assert_eq!(groups(Some(b"a, b")), Groups::Listed(vec!["a".into(), " b".into()]));
}

#[test]
fn the_shared_secret_is_a_second_factor() {
    let headers = headers(Some("open sesame"), None);
    let name: (&str, &[u8]) = ("x-rstudio-username", b"jane");
    assert!(read(&headers, TRUSTED, &[name, ("x-proxy-secret", b"open sesame")]).is_ok());
    for fields in [
        &[name][..],
        &[name, ("x-proxy-secret", b"")],
        &[name, ("x-proxy-secret", b"open sesam")],
        &[name, ("x-proxy-secret", b"open sesame!")],
    ] {
        assert_eq!(
            read(&headers, TRUSTED, fields),
            Err(Reason::UntrustedProxy),
            "{fields:?}"
        );
    }
    let twice: &[(&str, &[u8])] = &[name, ("x-proxy-secret", b"open sesame"), ("x-proxy-secret", b"x")];
    assert_eq!(read(&headers, TRUSTED, twice), Err(Reason::MalformedHeaders));
}
