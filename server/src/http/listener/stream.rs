//! The stream of a client: it does not wait for ever for one that reads nothing, and hears out one
//! that is still sending.

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

/// How long a write may wait for a peer that takes no bytes. Longer than the broker waits for one
/// message, so that its own rule for slow readers comes first.
pub const PROGRESS_WITHIN: Duration = Duration::from_secs(10);

/// How long, and how many bytes, a client may still send once we have said our last. To close at
/// once would reset the connection, and it would never read why its request was refused (RFC 9112,
/// section 9.6).
const HEARD_WITHIN: Duration = Duration::from_secs(2);
const HEARD_OUT: usize = 1024 * 1024;

/// A connection that can be given up.
pub trait Reset {
    /// Drops what was written and not yet sent, as soon as the stream is dropped. Otherwise the
    /// system would keep it for minutes, for a peer that does not read it.
    fn reset(&self);
}

impl Reset for TcpStream {
    fn reset(&self) {
        let _ = self.set_zero_linger();
    }
}

/// A stream whose writes fail once the peer has taken no bytes for [`PROGRESS_WITHIN`], and whose
/// shutdown waits a little for the peer's.
pub struct ClientStream<S> {
    stream: S,
    /// Runs while a write waits. Allocated only then: most connections never need it.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Runs once our half is closed.
    closing: Option<Pin<Box<Sleep>>>,
    /// How many bytes came since then.
    heard: usize,
}

impl<S: Reset> ClientStream<S> {
    /// Bounds the writes of `stream`.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            waiting: None,
            closing: None,
            heard: 0,
        }
    }

    /// Passes `written` on, or fails if the peer has taken no bytes for too long.
    fn watch(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(sleep(PROGRESS_WITHIN)));
        ready!(waiting.as_mut().poll(cx));
        self.stream.reset();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

// Flushing a TCP stream never waits.
impl<S: AsyncRead + AsyncWrite + Reset + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
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
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let closing = this
            .closing
            .get_or_insert_with(|| Box::pin(sleep(HEARD_WITHIN)));
        let mut bytes = [0; 4096];
        while this.heard < HEARD_OUT {
            let mut read = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    this.heard += read.filled().len();
                }
                Poll::Ready(_) => break,
                Poll::Pending => return closing.as_mut().poll(cx).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::memory::MemoryStream, *};
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::{Instant, advance},
    };

    /// A stream that takes 64 bytes more than its peer reads.
    fn pair() -> (ClientStream<MemoryStream>, DuplexStream, Arc<AtomicBool>) {
        let (ours, peer) = duplex(64);
        let reset = Arc::new(AtomicBool::new(false));
        (
            ClientStream::new(MemoryStream {
                stream: ours,
                reset: reset.clone(),
            }),
            peer,
            reset,
        )
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
        assert!(
            tokio::time::timeout(Duration::from_secs(6), stream.write_all(&[0; 65]))
                .await
                .is_err()
        );
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

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_still_sending_is_heard_out_before_the_connection_is_closed() {
        let (mut stream, mut peer, _) = pair();
        stream.write_all(b"too long").await.unwrap();
        let sending = async {
            peer.write_all(&[0; 4096]).await.unwrap();
            let mut said = Vec::new();
            peer.read_to_end(&mut said).await.unwrap();
            drop(peer);
            said
        };
        let start = Instant::now();
        let (closed, said) = tokio::join!(stream.shutdown(), sending);
        closed.unwrap();
        assert_eq!((said, start.elapsed().as_secs()), (b"too long".to_vec(), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_closes_or_never_stops_is_left() {
        let (mut stream, peer, _) = pair();
        let start = Instant::now();
        stream.shutdown().await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 2);
        drop(peer);

        let (mut stream, mut peer, _) = pair();
        let endless = async {
            let mut sent = 0;
            while peer.write_all(&[0; 64]).await.is_ok() {
                sent += 64;
            }
            sent
        };
        let close = async {
            stream.shutdown().await.unwrap();
            drop(stream);
        };
        let ((), sent) = tokio::join!(close, endless);
        assert!((HEARD_OUT..HEARD_OUT + 8192).contains(&sent), "{sent}");
    }
}
