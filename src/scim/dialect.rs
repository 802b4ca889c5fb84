//! The client profile of a token: where the RFCs and a real client disagree, and which of the two holds.

use std::fmt;
use std::str::FromStr;

/// Which client a token belongs to. Everything that is harmless to accept is accepted from every client;
/// a dialect settles only the cases in which a client needs an answer that the RFCs forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// The RFCs to the letter.
    #[default]
    Strict,
    /// Microsoft Entra ID.
    Entra,
    /// Okta.
    Okta,
    /// `OneLogin`.
    OneLogin,
    /// `JumpCloud`.
    JumpCloud,
    /// authentik.
    Authentik,
    /// `PingOne` and `PingFederate`.
    Ping,
    /// Clients that know the schemas of RFC 7643 alone and take no resource with anything else in it.
    Core,
}

impl Dialect {
    /// Every dialect, in the order in which help texts list them.
    pub const ALL: [Self; 8] = [
        Self::Strict,
        Self::Entra,
        Self::Okta,
        Self::OneLogin,
        Self::JumpCloud,
        Self::Authentik,
        Self::Ping,
        Self::Core,
    ];

    /// The name used in settings, on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Entra => "entra",
            Self::Okta => "okta",
            Self::OneLogin => "onelogin",
            Self::JumpCloud => "jumpcloud",
            Self::Authentik => "authentik",
            Self::Ping => "ping",
            Self::Core => "core",
        }
    }

    /// Whether `emails` may be one object instead of an array.
    pub const fn wraps_emails_object(self) -> bool {
        matches!(self, Self::OneLogin)
    }

    /// Whether `replace` at a valuePath without a match creates the element; RFC 7644 §3.5.2.3 says 400 `noTarget`.
    pub const fn upserts_unmatched_replace(self) -> bool {
        matches!(self, Self::Entra)
    }

    /// Whether answers and discovery leave out every extension (RFC 7643 §3.3) that the RFC does not define itself.
    pub const fn hides_other_schemas(self) -> bool {
        matches!(self, Self::Core)
    }

    /// Whether a PATCH without operations is a success that changes nothing instead of 400 `invalidSyntax`.
    pub const fn accepts_empty_operations(self) -> bool {
        matches!(self, Self::Entra)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is not the name of a dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a dialect: use strict, entra, okta, onelogin, jumpcloud, authentik, ping or core")]
pub struct UnknownDialect;

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownDialect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_dialect() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert_eq!("azure".parse::<Dialect>(), Err(UnknownDialect));
    }

    #[test]
    fn strict_grants_nothing_beyond_the_rfcs() {
        let strict = Dialect::default();
        assert!(!strict.wraps_emails_object());
        assert!(!strict.upserts_unmatched_replace());
        assert!(!strict.accepts_empty_operations());
        assert!(!strict.hides_other_schemas());
    }
}
