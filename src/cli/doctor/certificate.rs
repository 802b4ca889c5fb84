//! Certificates: until when they hold.

use jiff::Timestamp;
use rollcall::login::certificate::Validity;

use super::{Finding, fine, warning, wrong};

/// What is to be said of a certificate (DER). `fix` is the command or step that replaces it.
pub(super) fn judge(check: &'static str, what: &str, der: &[u8], fix: &str) -> Finding {
    let validity = Validity::of(der, Timestamp::now());
    let evidence = format!("{what} {}", validity.words());
    match validity {
        Validity::Until(_) => fine(check, evidence),
        Validity::Soon(..) => warning(check, evidence, fix),
        Validity::Unreadable | Validity::NotBefore(_) | Validity::Expired(_) | Validity::Imminent(..) => {
            wrong(check, evidence, fix)
        }
    }
}
