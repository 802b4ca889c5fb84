//! The one error vocabulary of the layers below HTTP: what the database refused, and why a call could not be made.

use std::time::Duration;

/// What a call of the SQL contract can end in other than its answer.
///
/// `message` is written for an administrator and carries no internals; `subject` names the attribute it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A unique value is in use (`IDDUP`).
    #[error("{message}")]
    Taken {
        /// For a person.
        message: String,
        /// The attribute it is about; may be empty.
        subject: String,
    },
    /// A number or name belongs to the system (`IDRSV`).
    #[error("{message}")]
    Reserved {
        /// For a person.
        message: String,
        /// The attribute it is about; may be empty.
        subject: String,
    },
    /// Others still need the resource (`IDUSE`).
    #[error("{message}")]
    InUse {
        /// For a person.
        message: String,
    },
    /// The resource does not exist (`IDNOF`).
    #[error("{message}")]
    NotFound {
        /// For a person.
        message: String,
    },
    /// The resource has another version than the caller read (`IDVER`).
    #[error("{message}")]
    VersionMismatch {
        /// For a person.
        message: String,
    },
    /// Others changed the resource each time between reading and writing it, and the caller set no condition that failed.
    #[error("others are changing the resource at the same time; try again")]
    Contended,
    /// No number is left in the pool (`IDFUL`).
    #[error("{message}")]
    PoolExhausted {
        /// For a person.
        message: String,
    },
    /// A value that the contract does not take (`IDVAL`).
    #[error("{message}")]
    InvalidValue {
        /// For a person.
        message: String,
        /// The attribute it is about; may be empty.
        subject: String,
    },
    /// A cursor whose place is none in the order of its query: it was forged.
    #[error("the cursor does not belong to this order")]
    InvalidCursor,
    /// A reference to a resource that does not exist (`IDREF`).
    #[error("{message}")]
    DanglingReference {
        /// For a person.
        message: String,
        /// The attribute it is about; may be empty.
        subject: String,
    },
    /// The brake on deletions and deactivations has gripped (`IDBRK`).
    #[error("{message}")]
    Brake {
        /// For a person.
        message: String,
    },
    /// The statement took longer than it may (57014).
    #[error("the request needs more work than one request may cause")]
    TooMuchWork,
    /// No database answers, or it takes no writes, for now.
    #[error("the database does not answer at the moment")]
    Unavailable {
        /// When another try makes sense.
        retry_after: Duration,
    },
    /// A defect, or a database that is not as the binary expects. The text is for the log, never for a client.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// The answer while no database takes the call.
    pub fn unavailable() -> Self {
        Self::Unavailable {
            retry_after: Duration::from_secs(2),
        }
    }
}
