//! Requests whose reads may come from the standby while no primary answers, and how old what they were told may be.

use std::cell::Cell;
use std::time::Duration;

tokio::task_local! {
    /// The greatest age of what this request was told by a standby; absent outside of such requests.
    static AGE: Cell<Option<Duration>>;
}

/// Runs `work` so that its strong reads come from the standby while no primary answers. Returns, beside what `work` returns,
/// how old the answer may be; `None` when the primary gave it all.
pub async fn may_trail<T>(work: impl Future<Output = T>) -> (T, Option<Duration>) {
    AGE.scope(Cell::new(None), async {
        let outcome = work.await;
        (outcome, AGE.with(Cell::get))
    })
    .await
}

/// Whether the request at hand may be answered by a standby.
pub(super) fn is_allowed() -> bool {
    AGE.try_with(|_| ()).is_ok()
}

/// Notes that a standby of this age has answered.
pub(super) fn note(age: Duration) {
    let _ = AGE.try_with(|noted| noted.set(noted.get().max(Some(age))));
}
