//! Serving routes to browsers.
//!
//! `axum::serve` has no time limit for reading a request's head or for writing an answer, and no
//! bound on connections, so a few slow clients could take all there is. This drives hyper itself,
//! with all of them.

mod counts;
pub mod file_limit;
mod limits;
#[cfg(test)]
mod memory;
mod stream;

pub use counts::ClientCounts;
pub use limits::{ConnectionLimits, ConnectionPermit, of_client};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use limits::ConnectionSlot;
use std::{io, net::SocketAddr, pin::pin, time::Duration};
use stream::{ClientStream, Reset};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// How long a client may take to send a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// The longest head of a request, in bytes. It may have a hundred lines, which is what hyper
/// allows.
const MAX_HEAD: usize = 64 * 1024;
/// How long a request may take, its body included: nothing here waits for a slow service.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long a connection that is no socket may last, however many requests it brings and however
/// slowly it reads. The request that is under way then is still answered.
const LIFETIME: Duration = Duration::from_mins(5);
/// How many connections may wait to be accepted, as far as the system lets us
/// (`net.core.somaxconn`). After a restart all pages come back within 1.5 s, and a client that
/// finds no room only tries again a second later.
const BACKLOG: u32 = 8_192;
/// How long requests in flight may take once a shutdown has begun.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait after the system could not accept, mostly because it is out of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens at `addr`, with room for many clients that connect at the same time.
///
/// # Errors
/// The system's reason why the address cannot be listened at.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // Connections of a server that has just ended do not keep the next one from listening.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves `routes` on `listener` until `shutdown`, then lets requests in flight finish for 5 s. One
/// client may take all connections that there are.
pub async fn serve(listener: TcpListener, routes: Router, shutdown: CancellationToken) {
    serve_in(ConnectionLimits::default(), listener, routes, shutdown).await;
}

/// The same, with these places for connections.
pub async fn serve_in(
    places: ConnectionLimits,
    listener: TcpListener,
    routes: Router,
    shutdown: CancellationToken,
) {
    places.warn();
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = shutdown.cancelled() => break,
        };
        if let Some((stream, peer, place)) = accepted {
            connections.spawn(converse(
                stream,
                peer,
                place,
                routes.clone(),
                shutdown.clone(),
            ));
        }
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN_WITHIN, connections.wait()).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

/// One connection's requests, until it is closed, is upgraded, or has answered its last one after
/// `shutdown` or at the end of its lifetime.
async fn converse<S>(
    stream: S,
    peer: SocketAddr,
    place: ConnectionSlot,
    routes: Router,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Reset + Unpin + Send + 'static,
{
    let permit = ConnectionPermit::new(place);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // A socket outlives its request and this connection's task, and keeps the place.
        request.extensions_mut().insert(permit.clone());
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    // A longer head is answered with 431, or 414 where it is the address that is too long.
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD);
    let stream = TokioIo::new(ClientStream::new(stream));
    let mut connection = pin!(http.serve_connection(stream, service).with_upgrades());
    tokio::select! {
        // How a connection ends does not matter to the server.
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => {}
        () = sleep(LIFETIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(ANSWER_WITHIN, connection).await;
}

async fn accept(
    listener: &TcpListener,
    places: &ConnectionLimits,
) -> Option<(TcpStream, SocketAddr, ConnectionSlot)> {
    let room = places.room().await?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let place = places.take(room, peer.ip())?;
            // Answers are small: waiting to fill a packet only makes the user wait longer.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

#[cfg(test)]
mod tests;
