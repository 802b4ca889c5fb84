//! Work that is finished although nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;

/// A future that goes on in a task of its own when it is dropped before its end. Until then it costs no task: nearly every
/// request is waited for.
pub(super) struct Outliving<F>(Option<Pin<Box<F>>>)
where
    F: Future + Send + 'static,
    F::Output: Send;

impl<F> Outliving<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    pub(super) fn new(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<F> Future for Outliving<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Output = F::Output;

    /// Nothing comes after the end.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(work) = &mut self.0 else {
            return Poll::Pending;
        };
        let output = ready!(work.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<F> Drop for Outliving<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the work with it.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn work_that_is_given_up_goes_on_and_ends() {
        let (go, gone) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel();
        let work = Outliving::new(async move {
            gone.await.unwrap();
            done.send(7).unwrap();
        });
        assert!(timeout(Duration::from_millis(5), work).await.is_err());
        go.send(()).unwrap();
        assert_eq!(ended.await, Ok(7));
    }

    #[tokio::test]
    async fn work_that_was_never_begun_is_done_too() {
        let (done, ended) = oneshot::channel();
        drop(Outliving::new(async move { done.send(()).unwrap() }));
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn work_that_is_waited_for_is_done_once_and_gives_what_it_gives() {
        let mut work = Outliving::new(async { 7 });
        assert_eq!((&mut work).await, 7);
        assert!(work.0.is_none(), "nothing is left to be done again");
    }
}
