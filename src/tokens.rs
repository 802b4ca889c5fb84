//! Bearer tokens as text: `rc_<public id>.<secret>`, what they may be used for, and how a secret is compared.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every token of ours begins with, so that secret scanners can know it.
pub const PREFIX: &str = "rc_";

/// Longest bearer value that is looked at, in bytes.
pub const MAX_LENGTH: usize = 512;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `/scim/v2`.
    Scim,
    /// Reading users and groups for NSS, without shadow.
    NssUser,
    /// The same with shadow.
    NssAdmin,
    /// Handing in assertions that a front end has verified.
    Login,
    /// Reading the audit log.
    Audit,
    /// Administration.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 6] = [
        Self::Scim,
        Self::NssUser,
        Self::NssAdmin,
        Self::Login,
        Self::Audit,
        Self::Admin,
    ];

    /// The scope's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scim => "scim",
            Self::NssUser => "nss-user",
            Self::NssAdmin => "nss-admin",
            Self::Login => "login",
            Self::Audit => "audit",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|scope| scope.as_str()).collect();
                format!("unknown scope; expected one of {}", names.join(", "))
            })
    }
}

/// The SHA-256 of a secret: all that is stored of it. 256 random bits need no slow hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// The hash of a secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Whether it is the hash of `secret`, in a time that does not depend on how much of it is right.
    pub fn matches(&self, secret: &str) -> bool {
        self.0.ct_eq(&Self::of(secret).0).into()
    }

    /// The hash of 64 hexadecimal digits; `None` for any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A token in clear: shown once to whoever asked for it, never stored.
pub struct NewToken {
    /// The part that names it in logs, lists and metrics.
    pub public_id: String,
    secret: String,
}

impl NewToken {
    /// Makes a token of 256 random bits.
    pub fn generate() -> Self {
        let public: [u8; 9] = rand::random();
        let secret: [u8; 32] = rand::random();
        Self {
            public_id: URL_SAFE_NO_PAD.encode(public),
            secret: URL_SAFE_NO_PAD.encode(secret),
        }
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.secret)
    }

    /// The secret alone, for OAuth 2.0 `client_secret`.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The whole token.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}.{}", self.public_id, self.secret)
    }
}

/// Splits a token of ours into public id and secret; `None` for any other bearer value.
pub fn split(token: &str) -> Option<(&str, &str)> {
    let (public_id, secret) = token.strip_prefix(PREFIX)?.split_once('.')?;
    (is_public_id(public_id) && !secret.is_empty() && is_plain(secret)).then_some((public_id, secret))
}

/// Whether a text may be a public id: 1 to 64 letters, digits, hyphens and underscores.
pub fn is_public_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && is_plain(text)
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_token_splits_into_what_its_hash_matches() {
        let token = NewToken::generate();
        let text = token.reveal();
        let (public_id, secret) = split(&text).unwrap();
        assert_eq!(public_id, token.public_id);
        assert!(token.hash().matches(secret));
        assert_eq!(SecretHash::from_hex(&token.hash().hex()), Some(token.hash()));
        assert!(!token.hash().matches(&secret[1..]));
        assert!(text.len() < MAX_LENGTH);
    }

    #[test]
    fn bearer_values_of_others_are_not_ours() {
        for text in [
            "",
            "rc_",
            "rc_a",
            "rc_.b",
            "rc_a.",
            "xx_a.b",
            "rc_a.b c",
            "rc_a\u{e9}.b",
        ] {
            assert!(split(text).is_none(), "{text}");
        }
    }

    #[test]
    fn scopes_print_what_they_parse() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse::<Scope>(), Ok(scope));
        }
        assert!("root".parse::<Scope>().is_err());
    }
}
