//! Why a person is not let in: a closed list of reasons for logs and metrics, a neutral text for the person.

use std::time::Duration;

use super::Method;
use crate::error::Error;
use crate::scim::error::ScimError;
use crate::telemetry::metrics::METRICS;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// Why, for logs, metrics and the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[doc = $doc])+ $variant,)+ }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

reasons! {
    /// No such user, and sign-in does not create users.
    UnknownUser = "unknown_user",
    /// The user is locked.
    Locked = "locked",
    /// The name is pinned to another subject of this provider.
    SubjectMismatch = "subject_mismatch",
    /// A later assertion has been applied already.
    Stale = "stale",
    /// Not a member of a required group.
    RequiredGroup = "required_group",
    /// The uid is below `auth-minimum-user-id`.
    MinimumUid = "minimum_uid",
    /// The user name is missing, empty, too long or deceptive.
    UserName = "user_name",
    /// A claimed field is not what it must be.
    Attribute = "attribute",
    /// The groups are not a list of names.
    MalformedGroups = "malformed_groups",
    /// The provider did not list the groups, and the site refuses that.
    Overage = "overage",
    /// A claimed name or id belongs to somebody else or to the system.
    Taken = "taken",
    /// No number is left to give.
    PoolExhausted = "pool_exhausted",
    /// The database does not answer.
    Unavailable = "unavailable",
    /// A defect.
    Internal = "internal",
    /// The identity headers come from a stranger or without the shared secret.
    UntrustedProxy = "untrusted_proxy",
    /// The identity headers are doubled, disguised or unreadable.
    MalformedHeaders = "malformed_headers",
    /// The sign-in was begun by another browser, is over, or never was.
    UnknownTransaction = "unknown_transaction",
    /// The provider refused, or the person did.
    ProviderRefused = "provider_refused",
    /// The provider does not answer, or not in time.
    ProviderUnavailable = "provider_unavailable",
    /// The provider's token or response is not valid.
    InvalidAssertion = "invalid_assertion",
    /// The response was used before.
    Replayed = "replayed",
}

/// A refused sign-in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", reason.as_str())]
pub struct Refusal {
    /// Why, in one word.
    pub reason: Reason,
    /// Why, for the log: no names, tokens or claims in it.
    pub detail: String,
    /// When another try makes sense, for what passes by itself.
    pub retry_after: Option<Duration>,
}

/// Lets every count of refusals begin at 0: what first appears with its first refusal hides that one from `rate`.
pub fn count_from_zero() {
    for method in Method::ALL {
        for reason in Reason::ALL {
            METRICS
                .jit_logins
                .with_label_values(&[method.as_str(), "refused", reason.as_str()]);
        }
    }
}

impl Refusal {
    /// A refusal for good.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// What the person is told: nothing that would help a stranger guess.
    pub fn text(&self) -> &'static str {
        match self.reason {
            Reason::Unavailable | Reason::ProviderUnavailable => {
                "Sign-in is not possible at the moment. Please try again in a minute."
            }
            Reason::UnknownTransaction | Reason::Replayed | Reason::Stale => {
                "This sign-in has expired or was used already. Please sign in again."
            }
            Reason::ProviderRefused => "The sign-in was cancelled. You can sign in again.",
            _ => {
                "You are not allowed to sign in. If you think that you should be, tell your administrator the number below."
            }
        }
    }

    /// Writes the log line and counts it.
    pub fn note(&self, method: &str, request_id: &str) {
        METRICS
            .jit_logins
            .with_label_values(&[method, "refused", self.reason.as_str()])
            .inc();
        tracing::warn!(
            request_id,
            method,
            reason = self.reason.as_str(),
            detail = self.detail,
            "sign-in refused"
        );
    }
}

/// What the database refuses about a sign-in. Its messages name ids and POSIX names at most.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let reason = match &error {
            Error::Unavailable { retry_after } => {
                return Self {
                    reason: Reason::Unavailable,
                    detail,
                    retry_after: Some(*retry_after),
                };
            }
            Error::Taken { .. } | Error::Reserved { .. } | Error::InUse { .. } => Reason::Taken,
            Error::PoolExhausted { .. } => Reason::PoolExhausted,
            Error::InvalidValue { .. } | Error::DanglingReference { .. } => Reason::Attribute,
            Error::NotFound { .. } => Reason::UnknownUser,
            Error::VersionMismatch { .. } | Error::Contended | Error::TooMuchWork => {
                return Self {
                    reason: Reason::Unavailable,
                    detail,
                    retry_after: Some(Duration::from_secs(1)),
                };
            }
            Error::Brake { .. } | Error::InvalidCursor | Error::Internal(_) => Reason::Internal,
        };
        Self::new(reason, detail)
    }
}

/// What the user schema refuses about claimed fields. Its texts quote values, so they stay out of the log.
impl From<ScimError> for Refusal {
    fn from(_: ScimError) -> Self {
        Self::new(Reason::Attribute, "a claimed field does not fit the user schema")
    }
}
