//! The rows of the administrators' pages.

use jiff::Timestamp;
use uuid::Uuid;

/// Whose session it is, at this moment.
#[derive(Debug, Clone)]
pub struct SessionUser {
    /// The user's SCIM id.
    pub id: Uuid,
    /// His userName.
    pub user_name: String,
    /// His POSIX name.
    pub posix_name: String,
    /// Whether he is an administrator.
    pub admin: bool,
}

/// Where a page of a search begins: behind a key of one of its stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which attribute is being gone through, from 1.
    pub stage: i32,
    /// The last value that was looked at.
    pub key: String,
    /// Whose it was.
    pub id: Uuid,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            stage: 1,
            key: String::new(),
            id: Uuid::nil(),
        }
    }
}

/// What somebody looks for: the beginning of a name, an address or a number.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// As typed.
    pub text: String,
    /// Folded.
    pub key: String,
}

/// A page of a search.
#[derive(Debug)]
pub struct Found<T> {
    /// What was found.
    pub rows: Vec<T>,
    /// Where the next page begins, if there may be more.
    pub next: Option<Place>,
}

/// A user in a list.
#[derive(Debug)]
pub struct UserLine {
    /// The SCIM id.
    pub id: Uuid,
    /// userName.
    pub user_name: String,
    /// displayName.
    pub display_name: Option<String>,
    /// The POSIX name.
    pub posix_name: String,
    /// The POSIX user id.
    pub uid: i64,
    /// Whether he is an administrator.
    pub admin: bool,
    /// Whether he is locked.
    pub locked: bool,
}

/// A group in a list.
#[derive(Debug)]
pub struct GroupLine {
    /// The SCIM id.
    pub id: Uuid,
    /// displayName.
    pub display_name: String,
    /// The POSIX name.
    pub posix_name: String,
    /// The POSIX group id.
    pub gid: i64,
}

/// Where a membership came from: a set of ways, as `store.provenance` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance(pub i16);

impl Provenance {
    /// The words for it, as `SCIM, sign-in`.
    pub fn words(self) -> String {
        let ways = [
            (1, "SCIM"),
            (2, "sign-in"),
            (4, "command line"),
            (8, "import"),
            (16, "bootstrap file"),
            (32, "administrator"),
        ];
        let words: Vec<&str> = ways
            .iter()
            .filter(|(bit, _)| self.0 & bit != 0)
            .map(|(_, word)| *word)
            .collect();
        words.join(", ")
    }
}

/// A group that somebody is in.
#[derive(Debug)]
pub struct Membership {
    /// The group.
    pub group: GroupLine,
    /// Where the membership came from.
    pub provenance: Provenance,
}

/// A member of a group.
#[derive(Debug)]
pub struct MemberLine {
    /// The SCIM id.
    pub id: Uuid,
    /// Whether it is a group.
    pub is_group: bool,
    /// userName, or the displayName of a group.
    pub name: String,
    /// The POSIX name.
    pub posix_name: String,
    /// uid or gid.
    pub number: i64,
    /// Whether it is a locked user.
    pub locked: bool,
    /// Where the membership came from.
    pub provenance: Provenance,
}

/// A token in a list; nothing of its secret.
#[derive(Debug)]
pub struct TokenLine {
    /// The part that names it.
    pub public_id: String,
    /// The name its maker gave it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// The client's dialect of SCIM.
    pub dialect: String,
    /// When it was made.
    pub created: Timestamp,
    /// By whom, as the audit log says it.
    pub created_by: String,
    /// When it stops to be valid.
    pub expires_at: Option<Timestamp>,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// From where.
    pub last_used_from: Option<String>,
    /// How many of its last requests, as many as are kept, were refused.
    pub failed: i64,
}

/// A refused request of a token.
#[derive(Debug)]
pub struct FailedPush {
    /// The token's public id.
    pub token: String,
    /// Its name, as far as it is still known.
    pub token_name: Option<String>,
    /// When it was answered.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and redacted query.
    pub target: String,
    /// HTTP status.
    pub status: i16,
    /// `scimType` of the error.
    pub scim_type: Option<String>,
    /// The exact detail given to the client.
    pub detail: Option<String>,
    /// The request's id.
    pub request_id: String,
}
