//! Limits on connections: so many in all, and a share of them for each client.

use super::counts::{ClientCounts, CountedClient};
use crate::{
    config::{Config, Proxies},
    http::listener::file_limit,
};
use std::{
    net::IpAddr,
    sync::{Arc, Once},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vestibule::{
    caps::{Client, Shares, Usage},
    secret::{Entropy, Keys, SystemEntropy, random},
};

/// The most connections at once, sockets that wait for an outcome among them.
const MAX_CONNECTIONS: u32 = 12_000;
/// How many connections one client may have besides its sockets. Browsers open six each.
const FOR_REQUESTS: u32 = 200;

/// The places for connections.
pub struct ConnectionLimits {
    all: Arc<Semaphore>,
    count: u32,
    clients: Option<Arc<ClientLimits>>,
}

impl Default for ConnectionLimits {
    /// Limits without shares, for a listener that only trusted clients can reach.
    fn default() -> Self {
        Self::new(MAX_CONNECTIONS)
    }
}

/// How many connections one client may have, or behind a proxy requests at once: one for each
/// socket that it may have, and 200 for requests.
pub fn of_client(begun: u32) -> Shares {
    Shares::new(begun.saturating_mul(2).saturating_add(FOR_REQUESTS))
}

impl ConnectionLimits {
    fn new(count: u32) -> Self {
        Self {
            all: Arc::new(Semaphore::new(
                usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            count,
            clients: None,
        }
    }

    /// As many places as this process may have files open for, with a [share](of_client) for each
    /// client of `config`.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let in_flight = if config.worker { config.in_flight } else { 0 };
        let count = file_limit::connections(MAX_CONNECTIONS, in_flight, file_limit::current());
        Self::new(count).shared(
            &SystemEntropy,
            config.proxies.clone(),
            of_client(config.caps.of_client),
        )
    }

    fn shared(self, entropy: &dyn Entropy, proxies: Proxies, shares: Shares) -> Self {
        // A key of its own: nothing that is hashed with it is kept.
        let keys = Keys::from_secret(&random(entropy));
        Self {
            clients: Some(Arc::new(ClientLimits {
                proxies,
                shares,
                keys,
                counts: ClientCounts::default(),
            })),
            ..self
        }
    }

    /// Says if there are fewer than there should be.
    pub(super) fn warn(&self) {
        if self.count < MAX_CONNECTIONS {
            tracing::warn!(
                "there can only be {} connections at once, not {MAX_CONNECTIONS}: this process may have too few files open \
                 (ulimit -Hn)",
                self.count
            );
        }
    }

    /// Waits until there is room for one more connection, whose it may be.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// The place of a connection from `peer`, in this `room`. `None`: its client has its share
    /// already.
    pub(super) fn take(&self, room: OwnedSemaphorePermit, peer: IpAddr) -> Option<ConnectionSlot> {
        let Some(clients) = self
            .clients
            .as_ref()
            .filter(|clients| !clients.proxies.trusts(peer.to_canonical()))
        else {
            return Some(ConnectionSlot {
                _room: room,
                _counted: None,
            });
        };
        let free = u32::try_from(self.all.available_permits()).unwrap_or(u32::MAX);
        let others = self.count.saturating_sub(free).saturating_sub(1);
        let shares = clients.shares.during(Usage::of(others, self.count));
        let counted = clients.counts.take(Client::at(&clients.keys, peer), shares);
        if counted.is_none() {
            static SAID: Once = Once::new();
            SAID.call_once(|| {
                tracing::warn!(
                    "an address has as many connections as it may have; more are closed. If it is a proxy of yours, name it \
                     in TRUSTED_PROXIES"
                );
            });
        }
        Some(ConnectionSlot {
            _room: room,
            _counted: Some(counted?),
        })
    }
}

/// What a connection's requests have in their extensions: what outlives the connection's task, such
/// as a socket, keeps its place with a clone of this.
#[derive(Clone)]
pub struct ConnectionPermit(#[expect(dead_code, reason = "held for its Drop")] Arc<ConnectionSlot>);

impl ConnectionPermit {
    pub(super) fn new(slot: ConnectionSlot) -> Self {
        Self(Arc::new(slot))
    }
}

/// The place of one connection, free again when this is dropped.
pub(super) struct ConnectionSlot {
    _room: OwnedSemaphorePermit,
    _counted: Option<CountedClient>,
}

/// How many connections each client has.
struct ClientLimits {
    proxies: Proxies,
    shares: Shares,
    keys: Keys,
    counts: ClientCounts,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many places, with a share of so many for each client; `10.0.0.0/8` is a trusted proxy.
    fn places(count: u32, share: u32) -> ConnectionLimits {
        ConnectionLimits::new(count).shared(
            &SystemEntropy,
            Proxies::parse("10.0.0.0/8").unwrap(),
            Shares::new(share),
        )
    }

    /// Takes a place for a connection from `peer`.
    async fn take(places: &ConnectionLimits, peer: &str) -> Option<ConnectionSlot> {
        places.take(places.room().await.unwrap(), peer.parse().unwrap())
    }

    #[tokio::test]
    async fn a_client_has_its_share_and_another_one_has_its_own() {
        let places = places(100, 2);
        let first = take(&places, "192.0.2.1").await.unwrap();
        let _second = take(&places, "::ffff:192.0.2.1").await.unwrap();
        assert!(take(&places, "192.0.2.1").await.is_none());
        let _other = take(&places, "192.0.2.2").await.unwrap();
        drop(first);
        assert!(
            take(&places, "192.0.2.1").await.is_some(),
            "a place that was left can be taken again"
        );
    }

    #[tokio::test]
    async fn a_48_of_ipv6_has_four_shares_however_many_64_it_has() {
        let places = places(1000, 2);
        let mut held = Vec::new();
        for network in 0..100 {
            held.extend(take(&places, &format!("2001:db8:0:{network:x}00::1")).await);
        }
        assert_eq!(held.len(), 8);
        held.clear();
        for network in 0..100 {
            held.extend(take(&places, &format!("2001:db8:0:{network:x}::1")).await);
        }
        assert_eq!(held.len(), 4, "all of them are in one /56");
        assert!(take(&places, "2001:db8:1::1").await.is_some());
    }

    #[tokio::test]
    async fn a_trusted_proxy_has_as_many_as_there_are() {
        let places = places(9, 2);
        let mut held = Vec::new();
        for _ in 0..9 {
            held.extend(take(&places, "10.1.2.3").await);
        }
        assert_eq!((held.len(), places.all.available_permits()), (9, 0));
    }

    #[tokio::test]
    async fn of_the_last_tenth_each_client_has_one() {
        let places = places(20, 18);
        let mut held = Vec::new();
        for _ in 0..20 {
            held.extend(take(&places, "192.0.2.1").await);
        }
        assert_eq!(held.len(), 18);
        assert!(take(&places, "192.0.2.1").await.is_none());
        let last = [
            take(&places, "192.0.2.2").await.unwrap(),
            take(&places, "192.0.2.3").await.unwrap(),
        ];
        assert_eq!(places.all.available_permits(), 0);
        drop(last);
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_client_that_has_gone() {
        let places = places(9, 9);
        let held = [
            take(&places, "192.0.2.1").await,
            take(&places, "2001:db8::1").await,
        ];
        drop(held);
        assert!(places.clients.unwrap().counts.is_empty());
    }
}
