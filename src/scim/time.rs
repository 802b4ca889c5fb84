//! Points in time as clients write them and as the service prints them (RFC 7643 §2.3.5).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Longest text taken for a point in time, in bytes.
const TIME_BYTES: usize = 64;

/// Reads an `xsd:dateTime`. Accepted beyond it: up to nine fractional digits (Entra sends seven), and no zone, which
/// Workbench's own samples have and which is taken as UTC.
pub fn parse(text: &str) -> Option<Timestamp> {
    if text.len() > TIME_BYTES || !text.starts_with(|c: char| c.is_ascii_digit()) || text.contains('[') {
        return None;
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if text.ends_with(['Z', 'z']) {
        return None;
    }
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Prints in RFC 3339 with `Z` and milliseconds, as in `meta.lastModified`.
pub fn print(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_client_read_alike() {
        let expected: Timestamp = "2024-04-23T18:57:43Z".parse().unwrap();
        for text in [
            "2024-04-23T18:57:43Z",
            "2024-04-23T18:57:43",
            "2024-04-23T18:57:43.0000000Z",
            "2024-04-23T20:57:43+02:00",
            "2024-04-23T18:57:43.000",
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "-5",
            "2024-13-01T00:00:00Z",
            "2024-04-23T18:57:43[Europe/Berlin]",
            "20 April",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"2".repeat(10_000)), None);
    }

    #[test]
    fn printed_times_have_milliseconds_and_a_z() {
        let time = parse("2024-04-23T18:57:43.1234567Z").unwrap();
        assert_eq!(print(time), "2024-04-23T18:57:43.123Z");
        assert_eq!(print(parse("2024-04-23T18:57:43").unwrap()), "2024-04-23T18:57:43.000Z");
    }
}
