//! A connection to a Pusher server, with TLS or without, and why there is none.
//!
//! The crate `pusher` takes any connector of hyper 0.14, and panics if it cannot connect. So the
//! connector remembers why, for the code that catches the panic.

use super::{ConnectError, Trust};
use futures_util::future::BoxFuture;
use hyper::{
    Uri,
    client::{
        HttpConnector,
        connect::{Connected, Connection},
    },
};
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tower_service::Service;

/// How long a connection may take, its TLS included.
const CONNECT_WITHIN: Duration = Duration::from_secs(4);
/// The largest answer to one request that is read. The crate itself would read on for ever.
const MAX_ANSWER: usize = 64 * 1024;

/// Opens connections. Cheap to clone; clones remember together.
#[derive(Clone)]
pub struct Connector {
    tcp: HttpConnector,
    trust: Option<Trust>,
    why: Arc<Mutex<Option<ConnectError>>>,
}

impl Connector {
    /// Opens connections with TLS if `trust` is given, else without.
    #[must_use]
    pub fn new(trust: Option<Trust>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // Messages are small, and a user waits for them.
        tcp.set_nodelay(true);
        Self {
            tcp,
            trust,
            why: Arc::default(),
        }
    }

    /// Opens a connection to the host and the port of `address`.
    ///
    /// # Errors
    /// [`ConnectError`] says why there is none.
    pub async fn open(self, address: &str) -> Result<PusherStream, ConnectError> {
        self.to(address.parse().map_err(|_| ConnectError::Unresolved)?)
            .await
    }

    async fn to(mut self, uri: Uri) -> Result<PusherStream, ConnectError> {
        let host = uri
            .host()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        let opening = async {
            let stream = self
                .tcp
                .call(uri)
                .await
                .map_err(|error| ConnectError::of_tcp(&error))?;
            let Some(trust) = &self.trust else {
                return Ok(PusherStream::new(stream));
            };
            let name = host.try_into().map_err(|_| ConnectError::Unresolved)?;
            let stream = TlsConnector::from(trust.config())
                .connect(name, stream)
                .await;
            stream
                .map(PusherStream::new)
                .map_err(|error| ConnectError::of_tls(&error))
        };
        timeout(CONNECT_WITHIN, opening)
            .await
            .unwrap_or(Err(ConnectError::TooSlow))
    }

    /// Why the last attempt to connect failed. Each reason is returned once.
    pub(super) fn why(&self) -> Option<ConnectError> {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Service<Uri> for Connector {
    type Response = PusherStream;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<PusherStream, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opening = self.clone().to(uri);
        let why = Arc::clone(&self.why);
        Box::pin(async move {
            let opened = opening.await;
            *why.lock().unwrap_or_else(PoisonError::into_inner) = opened.as_ref().err().cloned();
            opened
        })
    }
}

/// A connection.
pub struct PusherStream {
    stream: Box<dyn Transport>,
    /// What has been read since something was written.
    read: usize,
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Transport for S {}

impl PusherStream {
    fn new(stream: impl Transport + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            read: 0,
        }
    }
}

impl Connection for PusherStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for PusherStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read > MAX_ANSWER {
            return Poll::Ready(Err(io::Error::other("the answer is too large")));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.read += buf.filled().len() - before;
        polled
    }
}

impl AsyncWrite for PusherStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
