//! Until when a request that changes something is tried: its reads and its writes share the time for one write.

use std::time::{Duration, Instant};

tokio::task_local! {
    /// The end of the request at hand; absent outside of such requests.
    static END: Instant;
}

/// Runs `work`, whose calls are not tried again after `limit` from now, and are until then: also its reads, which give up
/// sooner elsewhere. A request that is within a limit already keeps it.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> T {
    until(end(limit), work).await
}

/// The same with an instant.
pub(super) async fn until<T>(end: Instant, work: impl Future<Output = T>) -> T {
    END.scope(end, work).await
}

/// When to give up trying again: the end of the request at hand, else `usual` from now.
pub(super) fn end(usual: Duration) -> Instant {
    END.try_with(|end| *end).unwrap_or_else(|_| Instant::now() + usual)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{end, within};

    const SHORT: Duration = Duration::from_secs(8);
    const LONG: Duration = Duration::from_secs(25);

    #[tokio::test]
    async fn within_a_change_every_call_ends_with_it_and_elsewhere_by_itself() {
        let begin = Instant::now();
        let (first, inner) = within(LONG, async { (end(SHORT), within(SHORT, async { end(SHORT) }).await) }).await;
        assert_eq!(first, inner, "a change within a change has no time of its own");
        assert!(
            first >= begin + LONG,
            "a read of a change is tried as long as the change"
        );
        assert!(end(SHORT) < begin + LONG);
    }
}
