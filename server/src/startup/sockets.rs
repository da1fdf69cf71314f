//! The embedded broker's sockets: how many of them one client may have, and the connection that
//! each keeps.

use crate::http::listener::{ClientCounts, ConnectionPermit};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use vestibule::caps::{Client, Shares, Usage};
use vestibule_broker::{Broker, QuotaError, SocketPermit, SocketQuota, SocketUsage};

/// The routes of the broker's sockets. A client may have two for each sign-in that it may have
/// undecided, `of_client`: a page has one, and for a moment a second that replaces it.
///
/// A layer around them tells the [`Client`] by a request's extensions.
pub fn routes(broker: &Broker, of_client: u32) -> Router {
    limited(broker.socket_routes(), of_client.saturating_mul(2))
}

/// These routes for sockets, of which a client may have `of_client` at a time.
fn limited(sockets: Router, of_client: u32) -> Router {
    let limit = ClientSockets::new(of_client);
    sockets.layer(from_fn_with_state(limit, set_limits))
}

/// The middleware that tells the broker what a socket counts for, and what it holds.
async fn set_limits(
    State(limit): State<ClientSockets>,
    mut request: Request,
    next: Next,
) -> Response {
    let extensions = request.extensions_mut();
    if let Some(client) = extensions.get::<Client>().copied() {
        extensions.insert(SocketQuota::new(move |usage| limit.take(client, usage)));
    }
    // A socket outlives its request and its connection's task, and keeps the connection's place.
    if let Some(connection) = extensions.get::<ConnectionPermit>().cloned() {
        extensions.insert(SocketPermit::new(connection));
    }
    next.run(request).await
}

/// How many sockets each client has, and may have. Cheap to clone; clones are one.
#[derive(Clone)]
struct ClientSockets {
    counts: ClientCounts,
    shares: Shares,
}

impl ClientSockets {
    fn new(of_client: u32) -> Self {
        Self {
            counts: ClientCounts::default(),
            shares: Shares::new(of_client),
        }
    }

    /// Counts one more socket of `client`, until the permit is dropped. Of the last tenth of all
    /// sockets each client has one.
    fn take(&self, client: Client, sockets: SocketUsage) -> Result<SocketPermit, QuotaError> {
        let count = |sockets: usize| u32::try_from(sockets).unwrap_or(u32::MAX);
        let usage = Usage::of(count(sockets.open), count(sockets.max));
        match self.counts.take(client, self.shares.during(usage)) {
            Some(counted) => Ok(SocketPermit::new(counted)),
            None if self.counts.admits(client, self.shares) => Err(QuotaError::Capacity),
            None => Err(QuotaError::Client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::listener;
    use axum::{Extension, routing::get};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };
    use tokio_util::sync::CancellationToken;

    const FREE: SocketUsage = SocketUsage { open: 0, max: 100 };

    fn client(number: u8) -> Client {
        Client::from_bytes([number; 16])
    }

    #[tokio::test]
    async fn a_socket_counts_for_its_client_and_keeps_the_place_of_its_connection() {
        let socket = async |quota: Option<Extension<SocketQuota>>,
                            permit: Option<Extension<SocketPermit>>| {
            format!("{} {}", quota.is_some(), permit.is_some())
        };
        let routes = limited(Router::new().route("/", get(socket)), 1).layer(Extension(client(1)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(listener::serve(listener, routes, CancellationToken::new()));
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("true true"), "{answer}");
    }

    #[test]
    fn one_client_has_its_share_of_the_sockets_and_others_have_theirs() {
        let limit = ClientSockets::new(2);
        let usage = |open| SocketUsage { open, max: 4 };
        let take = |number, open| limit.take(client(number), usage(open));
        let first = take(1, 0).unwrap();
        let _more = [take(1, 1).unwrap(), take(2, 2).unwrap()];
        assert_eq!(
            take(1, 4).err(),
            Some(QuotaError::Client),
            "although all is full as well"
        );
        assert_eq!(take(2, 4).err(), Some(QuotaError::Capacity));
        drop(first);
        assert!(take(1, 3).is_ok());
    }

    #[test]
    fn of_the_last_tenth_of_the_sockets_each_client_has_one() {
        let limit = ClientSockets::new(19);
        let mut sockets = Vec::new();
        let usage = |open| SocketUsage { open, max: 20 };
        for open in 0..18 {
            sockets.push(limit.take(client(1), usage(open)).unwrap());
        }
        assert_eq!(
            limit.take(client(1), usage(18)).err(),
            Some(QuotaError::Capacity)
        );
        sockets.push(limit.take(client(2), usage(18)).unwrap());
        sockets.push(limit.take(client(3), usage(19)).unwrap());
        assert_eq!(
            limit.take(client(4), usage(20)).err(),
            Some(QuotaError::Capacity)
        );
    }

    #[test]
    fn the_networks_around_a_client_have_twice_and_four_times_its_sockets() {
        let limit = ClientSockets::new(2);
        let neighbour = |number: u8, place: u8| {
            Client::in_networks([[number; 16], [100 + place; 16], [200; 16]])
        };
        let mut sockets = Vec::new();
        // Each from a /64 of its own: first of one /56, then of others in the same /48.
        for (number, place) in [
            (1, 1),
            (2, 1),
            (3, 1),
            (4, 1),
            (5, 2),
            (6, 2),
            (7, 3),
            (8, 3),
        ] {
            sockets.push(limit.take(neighbour(number, place), FREE).unwrap());
        }
        for (number, place) in [(9, 1), (10, 4)] {
            assert_eq!(
                limit.take(neighbour(number, place), FREE).err(),
                Some(QuotaError::Client)
            );
        }
    }

    #[test]
    fn nothing_is_left_of_sockets_that_are_gone() {
        let limit = ClientSockets::new(2);
        for number in 0..100 {
            drop(limit.take(client(number % 2), FREE).unwrap());
        }
        assert!(limit.counts.is_empty());
    }
}
