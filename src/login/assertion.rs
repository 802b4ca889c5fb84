//! What every way of signing in becomes: one assertion about one person.

use jiff::Timestamp;

/// The way a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Headers of a proxy.
    Headers,
    /// An ID token (OpenID Connect Core 1.0).
    OpenId,
    /// A response (SAML 2.0).
    Saml,
    /// `POST /api/v1/logins` of a trusted front end.
    Api,
}

impl Method {
    /// All methods.
    pub const ALL: &[Self] = &[Self::Headers, Self::OpenId, Self::Saml, Self::Api];

    /// The word in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::OpenId => "openid",
            Self::Saml => "saml",
            Self::Api => "api",
        }
    }
}

/// What an assertion says about groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// Nothing: memberships stay as they are.
    Unknown,
    /// That there are too many to list them (Entra's overage): unknown, never empty.
    Overage,
    /// These and no others; none at all is a statement too.
    Listed(Vec<String>),
}

/// Claimed fields as the provider sent them, unchecked. What is `None` was not configured or not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The full name.
    pub display_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The POSIX user id, in digits.
    pub posix_id: Option<String>,
    /// The POSIX user name.
    pub posix_name: Option<String>,
    /// The home directory.
    pub home: Option<String>,
}

/// A verified statement of a provider about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The way it came.
    pub method: Method,
    /// Who vouches, as `openid:https://id.example.org`; pins and hashes are kept under it.
    pub provider: String,
    /// The user name, before canonicalisation.
    pub user_name: String,
    /// The provider's stable name of the person (`sub`, NameID), when it has one.
    pub subject: Option<String>,
    /// When it was made; `None` is now, by the clock of the database.
    pub issued_at: Option<Timestamp>,
    /// The claimed fields.
    pub claims: Claims,
    /// The groups.
    pub groups: Groups,
}
