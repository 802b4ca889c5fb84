//! Certificates: until when they hold.

use jiff::{SignedDuration, Timestamp};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Finding, fine, warning, wrong};

/// A certificate that expires within this is worth a warning.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 14);

/// What is to be said of a certificate (DER). `fix` is the command or step that replaces it.
pub(super) fn judge(check: &'static str, what: &str, der: &[u8], fix: &str) -> Finding {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return wrong(check, format!("{what} cannot be read"), fix);
    };
    let at = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let validity = certificate.validity();
    let (begins, ends) = (at(validity.not_before.timestamp()), at(validity.not_after.timestamp()));
    let now = Timestamp::now();
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    if begins > now {
        return wrong(check, format!("{what} is not valid before {}", day(begins)), fix);
    }
    match ends.duration_since(now) {
        left if left.is_negative() => wrong(check, format!("{what} has expired on {}", day(ends)), fix),
        left if left < SOON => {
            let days = left.as_hours() / 24;
            warning(check, format!("{what} expires in {days} days, on {}", day(ends)), fix)
        }
        _ => fine(check, format!("{what} is valid until {}", day(ends))),
    }
}
