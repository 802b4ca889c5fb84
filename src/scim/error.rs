//! The one error vocabulary of the SCIM language: status, `scimType` and a detail for a person.

use std::borrow::Cow;

use serde_json::{Value, json};

/// Longest piece of a client's input, in characters, that an error detail repeats.
pub const QUOTED_CHARACTERS: usize = 100;

/// URN of the Error message (RFC 7644 §3.12).
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The detail keyword of an error (RFC 7644 §3.12 table 9, RFC 9865 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter is malformed, or the operator is not allowed for the attribute.
    InvalidFilter,
    /// More results than the server is willing to compute.
    TooMany,
    /// The value is in use or reserved.
    Uniqueness,
    /// A readOnly or immutable attribute would change, or a required one would go.
    Mutability,
    /// The body is malformed or not of the request's structure.
    InvalidSyntax,
    /// A PATCH path is malformed or names an unknown attribute.
    InvalidPath,
    /// A PATCH path selects nothing that could be worked on.
    NoTarget,
    /// A required value is missing, or a value does not fit its attribute.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// Personal data in a request URI.
    Sensitive,
    /// RFC 9865: the cursor is malformed or belongs to another query.
    InvalidCursor,
    /// RFC 9865: the cursor is older than the announced timeout.
    ExpiredCursor,
    /// RFC 9865: the count is malformed or differs from the one the cursor was issued for.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it goes over the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// An answer other than success (RFC 7644 §3.12). `detail` is shown to the administrator of the identity provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {detail}")]
pub struct ScimError {
    /// HTTP status code.
    pub status: u16,
    /// The keyword, where the RFCs define one for the case.
    pub scim_type: Option<ScimType>,
    /// What is wrong and what to do, for a person.
    pub detail: String,
}

macro_rules! bad_request {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => {
        $($(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> Self {
            Self::new(400, Some(ScimType::$kind), detail)
        })*
    };
}

impl ScimError {
    /// An error from its parts.
    pub fn new(status: u16, scim_type: Option<ScimType>, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type,
            detail: detail.into(),
        }
    }

    bad_request! {
        /// 400 `invalidFilter`.
        invalid_filter => InvalidFilter,
        /// 400 `tooMany`.
        too_many => TooMany,
        /// 400 `mutability`.
        mutability => Mutability,
        /// 400 `invalidSyntax`.
        invalid_syntax => InvalidSyntax,
        /// 400 `invalidPath`.
        invalid_path => InvalidPath,
        /// 400 `noTarget`.
        no_target => NoTarget,
        /// 400 `invalidValue`.
        invalid_value => InvalidValue,
        /// 400 `invalidVers`.
        invalid_vers => InvalidVers,
        /// 400 `invalidCursor` (RFC 9865).
        invalid_cursor => InvalidCursor,
        /// 400 `expiredCursor` (RFC 9865).
        expired_cursor => ExpiredCursor,
        /// 400 `invalidCount` (RFC 9865).
        invalid_count => InvalidCount,
    }

    /// 409 `uniqueness`: the value is in use or reserved.
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::new(409, Some(ScimType::Uniqueness), detail)
    }

    /// 409 without a keyword: a bulkId that cannot be resolved (RFC 7644 §3.7.2).
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, None, detail)
    }

    /// 404: no such resource or endpoint.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, None, detail)
    }

    /// 412: the version in `If-Match` is not the current one (RFC 7644 §3.14).
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(412, None, detail)
    }

    /// 413: the request is larger than the server takes.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, None, detail)
    }

    /// The same error with `prefix` and a colon before the detail, to say where in a larger request it happened.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.detail = format!("{prefix}: {}", self.detail);
        self
    }

    /// The Error message (RFC 7644 §3.12); `status` is a string there.
    pub fn body(&self) -> Value {
        let mut body = json!({"schemas": [ERROR_URN], "status": self.status.to_string()});
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.as_str().into();
        }
        body["detail"] = self.detail.as_str().into();
        body
    }
}

/// A client's input as an error detail may repeat it: at most [`QUOTED_CHARACTERS`] characters, controls blanked.
pub fn quoted(input: &str) -> Cow<'_, str> {
    let cut = input
        .char_indices()
        .nth(QUOTED_CHARACTERS)
        .map_or(input.len(), |(index, _)| index);
    let head = &input[..cut];
    if cut == input.len() && !head.contains(char::is_control) {
        return Cow::Borrowed(input);
    }
    let mut text: String = head.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if cut < input.len() {
        text.push('…');
    }
    Cow::Owned(text)
}

/// A filter or path with the contents of its quotes left out: they are names and addresses of people, which neither an
/// error nor a log repeats.
pub fn without_strings(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            '"' if !escaped => {
                shown.push_str(if inside { "…\"" } else { "\"" });
                inside = !inside;
            }
            _ if !inside => shown.push(c),
            _ => {}
        }
        escaped = inside && c == '\\' && !escaped;
    }
    shown
}

#[cfg(test)]
mod tests;
