//! Bearer tokens as text: `rc_<public id>.<secret>`, what they may be used for, and how a secret is compared.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What every token of ours begins with, so that secret scanners can know it.
pub const PREFIX: &str = "rc_";

/// Longest bearer value that is looked at, in bytes.
pub const MAX_LENGTH: usize = 512;

/// Shortest secret that may be given rather than made: 256 random bits in base64url, as made ones have.
pub const MIN_SECRET_LENGTH: usize = 43;

/// Random bytes of a public id.
const PUBLIC_BYTES: usize = 9;

/// Longest name of a token, in characters.
const NAME_CHARACTERS: usize = 255;

/// Days for which a token is valid when nothing else is said.
const DEFAULT_DAYS: i64 = 365;

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
        let mut public: [u8; PUBLIC_BYTES] = rand::random();
        // Begins with a letter: one that began with a hyphen would be an option on the command line.
        public[0] &= 0x7f;
        let secret: [u8; 32] = rand::random();
        Self {
            public_id: URL_SAFE_NO_PAD.encode(public),
            secret: URL_SAFE_NO_PAD.encode(secret),
        }
    }

    /// The same under a public id that was made before, so that what is sent twice makes one token. `None` when the id does not
    /// look like one of ours.
    pub fn generate_as(public_id: &str) -> Option<Self> {
        let is_ours = URL_SAFE_NO_PAD
            .decode(public_id)
            .is_ok_and(|bytes| bytes.len() == PUBLIC_BYTES);
        is_ours.then(|| Self {
            public_id: public_id.to_owned(),
            ..Self::generate()
        })
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

/// Whether a token may be called so: 1 to 255 characters, not only white space, no control characters.
pub fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_CHARACTERS && !name.chars().any(char::is_control)
}

/// When a token of these scopes that is made at `now` expires: after `days`, which is 365 unless said otherwise. Tokens of nodes
/// do not unless told to: a fleet must not go stale on one day. Raises days beyond the end of the calendar.
pub fn expiry(scopes: &[Scope], days: Option<i64>, now: Timestamp) -> Result<Option<Timestamp>, jiff::Error> {
    let for_nodes = scopes
        .iter()
        .all(|scope| matches!(scope, Scope::NssUser | Scope::NssAdmin));
    let days = match days {
        None if for_nodes => return Ok(None),
        given => given.unwrap_or(DEFAULT_DAYS),
    };
    now.checked_add(SignedDuration::from_secs(days.saturating_mul(86_400)))
        .map(Some)
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
    fn a_public_id_is_no_option_of_the_command_line() {
        for _ in 0..1_000 {
            let id = NewToken::generate().public_id;
            assert!(id.starts_with(|first: char| first.is_ascii_alphabetic()), "{id}");
        }
    }

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
    fn a_token_is_made_under_a_public_id_of_ours_only() {
        let id = NewToken::generate().public_id;
        let token = NewToken::generate_as(&id).unwrap();
        assert_eq!(split(&token.reveal()).unwrap().0, id);
        for id in ["", "abc", "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAA.A", "AAAAAAAAAA A"] {
            assert!(NewToken::generate_as(id).is_none(), "{id}");
        }
    }

    #[test]
    fn tokens_of_nodes_do_not_expire_by_themselves() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |scopes: &[Scope], days| {
            let at = expiry(scopes, days, now).unwrap();
            at.map(|at| at.as_second() / 86_400)
        };
        assert_eq!(after(&[Scope::NssUser, Scope::NssAdmin], None), None);
        assert_eq!(after(&[Scope::NssUser], Some(7)), Some(7));
        assert_eq!(after(&[Scope::Scim], None), Some(365));
        assert_eq!(after(&[Scope::NssUser, Scope::Scim], None), Some(365));
        assert!(expiry(&[Scope::Scim], Some(i64::MAX), now).is_err());
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
