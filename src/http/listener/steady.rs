//! A connection whose peer must take what it is sent: one that does not read, or reads a few bytes now and then, is closed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Bytes that earn a peer a second of waiting: whoever takes less than that for long is too slow.
const SLOWEST: u32 = 1024;

/// See the module. What fits into the buffers of the kernel waits for nobody and is not looked at.
pub(super) struct Steady<S> {
    stream: S,
    patience: Duration,
    /// How long may still be waited.
    left: Duration,
    /// The waiting under way: since when, and the alarm at its end.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> Steady<S> {
    /// `stream`, whose peer is waited for `patience` at once at most, and no longer on the whole than what it takes earns.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            left: patience,
            waiting: None,
        }
    }

    /// What becomes of an attempt to write that ended as `written`: when it has to wait, the alarm is set; when bytes went out, they
    /// count for what was waited.
    fn judge(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some((since, _)) = self.waiting.take() {
                    let earned = Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / SLOWEST;
                    let left = self.left.saturating_sub(since.elapsed());
                    self.left = left.saturating_add(earned).min(self.patience);
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let left = self.left;
                let (_, alarm) = self
                    .waiting
                    .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
                ready!(alarm.as_mut().poll(context));
                Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the peer does not take what it is sent",
                )))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Steady<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Steady<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::{Duration, Instant};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::Steady;

    const PATIENCE: Duration = Duration::from_millis(200);

    /// What a peer is sent, through a buffer of a tenth of it.
    static MUCH: [u8; 100_000] = [0; 100_000];

    fn pair() -> (Steady<DuplexStream>, DuplexStream) {
        let (stream, peer) = duplex(MUCH.len() / 10);
        (Steady::new(stream, PATIENCE), peer)
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (mut steady, _peer) = pair();
        let error = steady.write_all(&MUCH).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_reads_a_few_bytes_now_and_then_is_given_up() {
        let (mut steady, mut peer) = pair();
        let began = Instant::now();
        let trickle = tokio::spawn(async move {
            let mut byte = [0];
            while peer.read_exact(&mut byte).await.is_ok() {
                tokio::time::sleep(PATIENCE / 10).await;
            }
        });
        let error = steady.write_all(&MUCH).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < PATIENCE * 10, "each byte earns little");
        trickle.abort();
    }

    #[tokio::test]
    async fn a_peer_that_reads_steadily_may_take_longer_than_the_patience() {
        let (mut steady, mut peer) = pair();
        let began = Instant::now();
        let reader = tokio::spawn(async move {
            let mut some = vec![0; MUCH.len() / 20];
            for _ in 0..20 {
                tokio::time::sleep(PATIENCE / 8).await;
                peer.read_exact(&mut some).await.unwrap();
            }
        });
        steady.write_all(&MUCH).await.unwrap();
        reader.await.unwrap();
        assert!(began.elapsed() > PATIENCE);
    }
}
