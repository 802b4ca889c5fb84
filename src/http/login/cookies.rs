//! The cookies of the service: opaque ids, for this host and its scripts' eyes never (RFC 6265bis).

use std::time::Duration;

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};

/// A cookie.
#[derive(Debug, Clone, Copy)]
pub struct Cookie {
    /// Its name without the prefix that browsers enforce.
    name: &'static str,
    /// Whether another site's POST must carry it: the SAML response comes that way.
    cross_site: bool,
}

/// The session.
pub const SESSION: Cookie = Cookie {
    name: "rollcall-session",
    cross_site: false,
};

/// What binds a sign-in by OpenID Connect to the browser that began it.
pub const OPENID: Cookie = Cookie {
    name: "rollcall-openid",
    cross_site: false,
};

/// The same for SAML.
#[cfg(feature = "saml")]
pub const SAML: Cookie = Cookie {
    name: "rollcall-saml",
    cross_site: true,
};

impl Cookie {
    /// `__Host-` makes browsers refuse the cookie from other hosts and over plain HTTP; without TLS there is no such thing.
    fn full_name(self, is_https: bool) -> String {
        if is_https {
            format!("__Host-{}", self.name)
        } else {
            self.name.to_owned()
        }
    }

    /// Its value; `None` also when it comes twice, because one of them is somebody else's.
    pub fn read(self, headers: &HeaderMap, is_https: bool) -> Option<String> {
        let name = self.full_name(is_https);
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value.to_owned()),
            _ => None,
        }
    }

    /// Sets it for `lifetime`.
    pub fn set(self, headers: &mut HeaderMap, value: &str, lifetime: Duration, is_https: bool) {
        let name = self.full_name(is_https);
        let same_site = if self.cross_site && is_https { "None" } else { "Lax" };
        let secure = if is_https { "; Secure" } else { "" };
        let age = lifetime.as_secs();
        let text = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite={same_site}{secure}");
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.append(SET_COOKIE, value);
        }
    }

    /// Removes it.
    pub fn clear(self, headers: &mut HeaderMap, is_https: bool) {
        self.set(headers, "", Duration::ZERO, is_https);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "saml")]
    #[test]
    fn cookies_are_bound_to_the_host_and_hidden_from_scripts() {
        let mut headers = HeaderMap::new();
        SESSION.set(&mut headers, "v", Duration::from_mins(1), true);
        SAML.set(&mut headers, "v", Duration::from_mins(1), true);
        let texts: Vec<&str> = headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        assert_eq!(
            texts[0],
            "__Host-rollcall-session=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            texts[1],
            "__Host-rollcall-saml=v; Path=/; Max-Age=60; HttpOnly; SameSite=None; Secure"
        );
    }

    #[test]
    fn a_cookie_is_read_by_its_exact_name_and_only_once() {
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(text).unwrap())]);
            SESSION.read(&headers, true)
        };
        assert_eq!(read("a=b; __Host-rollcall-session=v; c=d").as_deref(), Some("v"));
        assert_eq!(read("rollcall-session=v"), None);
        assert_eq!(read("__Host-rollcall-session=v; __Host-rollcall-session=w"), None);
    }
}
