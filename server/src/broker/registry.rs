//! Who is subscribed to what.
//!
//! One mutex guards two maps that mirror each other. It is held for map operations and non-blocking
//! sends only, never across an await, and every entry goes when it is empty.

use super::{
    config::Limits,
    name::{ChannelName, SocketId},
    wire::Farewell,
};
use axum::extract::ws::Utf8Bytes;
use futures_channel::mpsc::{self, Receiver, Sender};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vestibule::caps::{Client, Shares, Tally, Usage};

/// What a broker holds at a moment and has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Open sockets.
    pub connections: usize,
    /// Channels with at least one subscriber.
    pub channels: usize,
    /// Subscriptions: pairs of a socket and a channel.
    pub subscriptions: usize,
    /// Events published, one for each channel that they went to.
    pub published: u64,
    /// Events put into a socket's queue.
    pub delivered: u64,
    /// Events not put into a subscribed socket's queue because the socket was too slow or just
    /// going.
    pub dropped: u64,
}

/// The open sockets and their subscriptions.
pub(super) struct Registry {
    state: Mutex<State>,
    max_connections: usize,
    of_client: Shares,
    max_subscriptions: usize,
    queue: usize,
}

#[derive(Default)]
struct State {
    closing: bool,
    sockets: HashMap<SocketId, Socket>,
    channels: HashMap<ChannelName, HashSet<SocketId>>,
    /// How many sockets each client has.
    clients: Tally,
    published: u64,
    delivered: u64,
    dropped: u64,
    farewells: BTreeMap<Farewell, u64>,
}

struct Socket {
    /// The only sender: dropping this entry is what tells the socket's task to end.
    queue: Sender<Utf8Bytes>,
    channels: Vec<ChannelName>,
    client: Option<Client>,
}

/// Why a socket gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    FullForClient,
    Full,
    Closing,
}

/// The socket has as many subscriptions as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManySubscriptions;

impl Registry {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            state: Mutex::default(),
            max_connections: limits.max_connections,
            of_client: Shares::new(limits.max_of_client),
            max_subscriptions: limits.max_subscriptions,
            // A channel has room for one more than it is told.
            queue: limits.queue.saturating_sub(1),
        }
    }

    /// Takes the socket in, which is `client`'s if that is known. Its events come out of the
    /// receiver, which ends when the registry has let go of the socket.
    pub(super) fn join(
        self: &Arc<Self>,
        id: SocketId,
        client: Option<Client>,
    ) -> Result<(Seat, Receiver<Utf8Bytes>), NoSeat> {
        let (queue, events) = mpsc::channel(self.queue);
        let mut state = self.state();
        if state.closing {
            return Err(NoSeat::Closing);
        }
        // Before the cap of all: it is the one that the client can do something about.
        if client.is_some_and(|client| !state.clients.admits(client, self.of_client)) {
            return Err(NoSeat::FullForClient);
        }
        if state.sockets.len() >= self.max_connections {
            return Err(NoSeat::Full);
        }
        // Of the last tenth there is one for each client.
        let used = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let shares = self.of_client.during(Usage::of(
            used(state.sockets.len()),
            used(self.max_connections),
        ));
        if client.is_some_and(|client| !state.clients.take(client, shares)) {
            return Err(NoSeat::Full);
        }
        state.sockets.insert(
            id,
            Socket {
                queue,
                channels: Vec::new(),
                client,
            },
        );
        Ok((
            Seat {
                registry: Arc::clone(self),
                id,
            },
            events,
        ))
    }

    /// Queues `frame` for every subscriber but one, and lets go of those that have no room for it.
    pub(super) fn publish(
        &self,
        channel: &ChannelName,
        frame: &Utf8Bytes,
        except: Option<SocketId>,
    ) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.published += 1;
        let Some(subscribers) = state.channels.get(channel) else {
            return;
        };
        let mut slow = Vec::new();
        for id in subscribers.iter().filter(|id| Some(**id) != except) {
            let Some(socket) = state.sockets.get_mut(id) else {
                continue;
            };
            match socket.queue.try_send(frame.clone()) {
                Ok(()) => state.delivered += 1,
                Err(error) => {
                    state.dropped += 1;
                    if error.is_full() {
                        slow.push(*id);
                    }
                }
            }
        }
        for id in slow {
            state.remove(id);
        }
    }

    /// The channels whose names begin with `prefix`, with their numbers of subscribers.
    pub(super) fn channels(&self, prefix: &str) -> Vec<(ChannelName, usize)> {
        let state = self.state();
        let chosen = state
            .channels
            .iter()
            .filter(|(name, _)| name.as_str().starts_with(prefix));
        chosen
            .map(|(name, subscribers)| (name.clone(), subscribers.len()))
            .collect()
    }

    pub(super) fn subscribers(&self, channel: &ChannelName) -> usize {
        self.state().channels.get(channel).map_or(0, HashSet::len)
    }

    /// Lets go of every socket and takes no more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.sockets.clear();
        state.channels.clear();
        state.clients = Tally::default();
    }

    /// Notes that the broker refuses or closes a socket.
    pub(super) fn note(&self, farewell: Farewell) {
        *self.state().farewells.entry(farewell).or_default() += 1;
    }

    /// How many sockets were refused or closed, by the reason for it.
    pub(super) fn farewells(&self) -> BTreeMap<Farewell, u64> {
        self.state().farewells.clone()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot {
            connections: state.sockets.len(),
            channels: state.channels.len(),
            subscriptions: state.channels.values().map(HashSet::len).sum(),
            published: state.published,
            delivered: state.delivered,
            dropped: state.dropped,
        }
    }

    /// Nothing in here panics halfway through a change, so a poisoned lock guards sound data.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else {
            return;
        };
        for channel in &socket.channels {
            self.leave(id, channel);
        }
        if let Some(client) = socket.client {
            self.clients.give_back(client);
        }
    }

    fn leave(&mut self, id: SocketId, channel: &ChannelName) {
        let Some(subscribers) = self.channels.get_mut(channel) else {
            return;
        };
        subscribers.remove(&id);
        if subscribers.is_empty() {
            self.channels.remove(channel);
        }
    }
}

/// Whether the registry still holds a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Kept,
    /// It has closed, and let go of all sockets.
    Closed,
    /// It has let go of this one.
    Lost,
}

/// A socket's place in the registry, given up when dropped, however its task ends.
pub(super) struct Seat {
    registry: Arc<Registry>,
    id: SocketId,
}

impl Seat {
    /// Subscribes the socket; again changes nothing. A socket that the registry has let go of is
    /// about to learn it from its queue, so its subscriptions need not fail.
    pub(super) fn subscribe(&self, channel: &ChannelName) -> Result<(), TooManySubscriptions> {
        let mut guard = self.registry.state();
        let state = &mut *guard;
        let Some(socket) = state.sockets.get_mut(&self.id) else {
            return Ok(());
        };
        if socket.channels.contains(channel) {
            return Ok(());
        }
        if socket.channels.len() >= self.registry.max_subscriptions {
            return Err(TooManySubscriptions);
        }
        socket.channels.push(channel.clone());
        state
            .channels
            .entry(channel.clone())
            .or_default()
            .insert(self.id);
        Ok(())
    }

    pub(super) fn unsubscribe(&self, channel: &ChannelName) {
        let mut state = self.registry.state();
        let Some(socket) = state.sockets.get_mut(&self.id) else {
            return;
        };
        socket.channels.retain(|subscribed| subscribed != channel);
        state.leave(self.id, channel);
    }

    pub(super) fn has_subscriptions(&self) -> bool {
        self.registry
            .state()
            .sockets
            .get(&self.id)
            .is_some_and(|socket| !socket.channels.is_empty())
    }

    /// Notes that the socket is closed.
    pub(super) fn note(&self, farewell: Farewell) {
        self.registry.note(farewell);
    }

    pub(super) fn place(&self) -> Place {
        let state = self.registry.state();
        match state.sockets.contains_key(&self.id) {
            true => Place::Kept,
            false if state.closing => Place::Closed,
            false => Place::Lost,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.registry.state().remove(self.id);
    }
}

#[cfg(test)]
mod tests;
