//! Addresses of a provider that may be asked.

use openidconnect::url::Url;

use super::provider::is_acceptable;

#[test]
fn plain_http_is_for_loopback_addresses_of_a_loopback_provider_only() {
    let check = |url: &str, may_be_plain| is_acceptable(&Url::parse(url).unwrap(), may_be_plain);
    assert!(check("https://id.example.org/t", false));
    assert!(
        check("http://127.0.0.1:9400/t", true) && check("http://[::1]/t", true) && check("http://localhost/", true)
    );
    for (url, may_be_plain) in [
        ("http://127.0.0.1:9400/t", false),
        ("http://id.example.org/t", true),
        ("http://127.0.0.1.evil.org/", true),
        ("http://169.254.169.254/", true),
        ("file:///etc/passwd", true),
        ("ftp://127.0.0.1/", true),
    ] {
        assert!(!check(url, may_be_plain), "{url}");
    }
}
