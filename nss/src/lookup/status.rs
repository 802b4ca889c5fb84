//! What an outcome is to glibc: status and errno by the table of README §3.

use super::Outcome;
use libc::c_int;

/// `NSS_STATUS_TRYAGAIN` of `enum nss_status`.
pub const TRYAGAIN: c_int = -2;
/// `NSS_STATUS_UNAVAIL`.
pub const UNAVAIL: c_int = -1;
/// `NSS_STATUS_NOTFOUND`.
pub const NOTFOUND: c_int = 0;
/// `NSS_STATUS_SUCCESS`.
pub const SUCCESS: c_int = 1;

impl Outcome {
    /// `enum nss_status`, and the errno that goes with it; None = leave errno as it was.
    pub fn status_and_errno(self) -> (c_int, Option<c_int>) {
        match self {
            Self::Found => (SUCCESS, None),
            Self::NotFound => (NOTFOUND, Some(libc::ENOENT)),
            Self::TooSmall => (TRYAGAIN, Some(libc::ERANGE)),
            Self::CannotKnow | Self::Broken => (TRYAGAIN, Some(libc::EAGAIN)),
            Self::Unconfigured => (UNAVAIL, Some(libc::ENOENT)),
            Self::Denied => (UNAVAIL, Some(libc::EACCES)),
            Self::NoMemory => (TRYAGAIN, Some(libc::ENOMEM)),
        }
    }
}
