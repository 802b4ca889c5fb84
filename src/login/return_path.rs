//! Where a browser goes after sign-in: a path of this host, never anything that leads elsewhere.

/// Longest return path, in bytes.
pub const BYTES: usize = 2_048;

/// `path` when it is a path of this host: begins with one slash, then neither a slash nor a backslash, visible ASCII only.
///
/// Browsers read `//host`, `/\host` and a tab or line break between the slashes as another host.
pub fn checked(path: &str) -> Option<&str> {
    let rest = path.strip_prefix('/')?;
    let is_plain = path.len() <= BYTES && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_plain && !rest.starts_with('/')).then_some(path)
}

/// The same, or `/`.
pub fn or_root(path: Option<&str>) -> &str {
    path.and_then(checked).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_host_are_kept() {
        for path in ["/", "/s/abc?x=1&y=//z", "/a%20b", "/~jane/#top", "/:80"] {
            assert_eq!(checked(path), Some(path));
        }
    }

    #[test]
    fn everything_that_could_lead_elsewhere_is_refused() {
        let long = format!("/{}", "a".repeat(BYTES));
        for path in [
            "",
            "//evil.org",
            "/\\evil.org",
            "\\/evil.org",
            "https://evil.org",
            "javascript:alert(1)",
            "/\t/evil.org",
            "/a\\b",
            "/a\r\nSet-Cookie: x",
            "evil",
            "/\u{e9}",
            " /a",
            "/a b",
            &long,
        ] {
            assert_eq!(checked(path), None, "{path:?}");
            assert_eq!(or_root(Some(path)), "/");
        }
    }
}
