//! Certificates of identity providers and listeners: until when they hold.

use jiff::{SignedDuration, Timestamp};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A certificate that expires within this is worth a warning.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 14);

/// A certificate that expires within this is as good as expired: whoever replaces it needs as long.
const IMMINENT: SignedDuration = SignedDuration::from_hours(48);

/// How it is with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It is no certificate.
    Unreadable,
    /// It holds from then on only.
    NotBefore(Timestamp),
    /// It has held until then.
    Expired(Timestamp),
    /// It holds until then, which is within two days; with the hours that are left.
    Imminent(Timestamp, i64),
    /// It holds until then, which is within two weeks; with the days that are left.
    Soon(Timestamp, i64),
    /// It holds until then.
    Until(Timestamp),
}

impl Validity {
    /// Of a certificate (DER) at `now`.
    pub fn of(der: &[u8], now: Timestamp) -> Self {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return Self::Unreadable;
        };
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let validity = certificate.validity();
        let (begins, ends) = (at(validity.not_before.timestamp()), at(validity.not_after.timestamp()));
        if begins > now {
            return Self::NotBefore(begins);
        }
        match ends.duration_since(now) {
            left if left.is_negative() => Self::Expired(ends),
            left if left < IMMINENT => Self::Imminent(ends, left.as_hours()),
            left if left < SOON => Self::Soon(ends, left.as_hours() / 24),
            _ => Self::Until(ends),
        }
    }

    /// In words that complete the name of a certificate, as `is valid until 2030-01-31`.
    pub fn words(self) -> String {
        let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
        match self {
            Self::Unreadable => "cannot be read".to_owned(),
            Self::NotBefore(at) => format!("is not valid before {}", day(at)),
            Self::Expired(at) => format!("has expired on {}", day(at)),
            Self::Imminent(at, hours) => format!("expires in {hours} hours, on {}", day(at)),
            Self::Soon(at, days) => format!("expires in {days} days, on {}", day(at)),
            Self::Until(at) => format!("is valid until {}", day(at)),
        }
    }
}
