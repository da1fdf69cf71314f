//! A stream that does not wait for ever for a peer that reads nothing.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// How long a write may wait for a peer that takes no bytes. Longer than the broker waits for one message, so that its own
/// rule for slow readers comes first.
pub const PROGRESS_WITHIN: Duration = Duration::from_secs(10);

/// A connection that can be given up.
pub trait Reset {
    /// Drops what was written and not yet sent, as soon as the stream is dropped. The system would keep it for minutes
    /// otherwise, for a peer that does not want it.
    fn reset(&self);
}

impl Reset for TcpStream {
    fn reset(&self) {
        let _ = self.set_zero_linger();
    }
}

/// A stream whose writes fail once the peer has taken no bytes for [`PROGRESS_WITHIN`].
pub struct WriteTimeout<S> {
    stream: S,
    /// Runs while a write waits. Allocated only then: most connections never need it.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S: Reset> WriteTimeout<S> {
    /// Bounds the writes of `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream, waiting: None }
    }

    /// Passes `written` on, or fails if the peer has taken no bytes for too long.
    fn watch(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(PROGRESS_WITHIN)));
        ready!(waiting.as_mut().poll(cx));
        self.stream.reset();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

// Flushing and shutting down a TCP stream waits for nobody.
impl<S: AsyncWrite + Reset + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::memory::Memory, *};
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::{Instant, advance},
    };

    /// A stream that takes 64 bytes more than its peer reads.
    fn pair() -> (WriteTimeout<Memory>, DuplexStream, Arc<AtomicBool>) {
        let (ours, peer) = duplex(64);
        let reset = Arc::new(AtomicBool::new(false));
        (WriteTimeout::new(Memory { stream: ours, reset: reset.clone() }), peer, reset)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_makes_no_progress_for_ten_seconds_fails_and_resets_the_connection() {
        let (mut stream, _peer, reset) = pair();
        let start = Instant::now();
        let error = stream.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 10);
        assert!(reset.load(Ordering::SeqCst));
    }

    #[tokio::test(start_paused = true)]
    async fn each_byte_that_the_peer_takes_starts_the_time_again() {
        let (mut stream, mut peer, reset) = pair();
        let reading = async {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                peer.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&[0; 68]), reading);
        written.unwrap();
        assert!(!reset.load(Ordering::SeqCst));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_goes_on_for_a_writer_that_gave_up_and_tries_again() {
        let (mut stream, _peer, _) = pair();
        assert!(tokio::time::timeout(Duration::from_secs(6), stream.write_all(&[0; 65])).await.is_err());
        let start = Instant::now();
        assert!(stream.write_all(&[0; 1]).await.is_err());
        assert_eq!(start.elapsed().as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_writes_nothing_has_no_time_limit() {
        let (mut stream, mut peer, _) = pair();
        advance(Duration::from_hours(1)).await;
        stream.write_all(b"x").await.unwrap();
        assert_eq!(peer.read_u8().await.unwrap(), b'x');
    }
}
