//! The header `traceparent` (W3C Trace Context, level 1): which trace a request belongs to, and whether it is recorded.

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";

/// Bytes of a header of version 00; later versions may say more behind them.
const LENGTH: usize = 55;

/// What a caller says of the trace that his request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace, never 0.
    pub trace_id: u128,
    /// The caller's span, never 0.
    pub span_id: u64,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

impl TraceParent {
    /// What `text` says; nothing when it is malformed, which §4.3 treats as absent.
    pub fn parse(text: &str) -> Option<Self> {
        let head = text.get(..LENGTH)?;
        let more = &text[LENGTH..];
        let mut parts = head.split('-');
        let [version, trace_id, span_id, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let lengths = [version, trace_id, span_id, flags].map(str::len);
        let is_lower_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_sound = lengths == [2, 32, 16, 2]
            && parts.next().is_none()
            && [version, trace_id, span_id, flags].into_iter().all(is_lower_hex)
            && version != "ff"
            && (more.is_empty() || (version != "00" && more.starts_with('-')));
        if !is_sound {
            return None;
        }
        let parent = Self {
            trace_id: u128::from_str_radix(trace_id, 16).ok()?,
            span_id: u64::from_str_radix(span_id, 16).ok()?,
            sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        (parent.trace_id != 0 && parent.span_id != 0).then_some(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceParent;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn trace_span_and_decision_are_read() {
        let read = TraceParent::parse(&format!("00-{TRACE}-00f067aa0ba902b7-01")).unwrap();
        assert_eq!(format!("{:032x}", read.trace_id), TRACE);
        assert_eq!((read.span_id, read.sampled), (0x00f0_67aa_0ba9_02b7, true));
        let read = TraceParent::parse(&format!("00-{TRACE}-00f067aa0ba902b7-02")).unwrap();
        assert!(!read.sampled, "only the last bit decides");
    }

    #[test]
    fn a_later_version_may_say_more() {
        assert!(TraceParent::parse(&format!("01-{TRACE}-00f067aa0ba902b7-01-more")).is_some());
        assert!(TraceParent::parse(&format!("01-{TRACE}-00f067aa0ba902b7-01more")).is_none());
    }

    #[test]
    fn what_is_malformed_counts_as_absent() {
        for text in [
            "",
            "00",
            &format!("00-{TRACE}-00f067aa0ba902b7"),
            &format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            &format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            &format!("00-{TRACE}-0000000000000000-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            &format!("00-{}-00f067aa0ba902b7-01", "é".repeat(16)),
            &format!("00-{}--00f067aa0ba902b7-01", &TRACE[1..]),
            &format!("00_{TRACE}_00f067aa0ba902b7_01"),
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }
}
