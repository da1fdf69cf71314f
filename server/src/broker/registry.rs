//! Who is subscribed to what.
//!
//! One mutex guards two maps that mirror each other. It is held for map operations and non-blocking sends only, never
//! across an await, and every entry goes when it is empty.

use super::{
    config::Limits,
    name::{ChannelName, SocketId},
};
use axum::extract::ws::Utf8Bytes;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc::{self, error::TrySendError};

/// What a broker holds at a moment and has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Open sockets.
    pub connections: usize,
    /// Channels with at least one subscriber.
    pub channels: usize,
    /// Subscriptions: pairs of a socket and a channel.
    pub subscriptions: usize,
    /// Events put into a socket's queue.
    pub delivered: u64,
    /// Events not put into a subscribed socket's queue because the socket was too slow or just going.
    pub dropped: u64,
}

/// The open sockets and their subscriptions.
pub(super) struct Registry {
    state: Mutex<State>,
    max_connections: usize,
    max_subscriptions: usize,
    queue: usize,
}

#[derive(Default)]
struct State {
    closing: bool,
    sockets: HashMap<SocketId, Socket>,
    channels: HashMap<ChannelName, HashSet<SocketId>>,
    delivered: u64,
    dropped: u64,
}

struct Socket {
    /// The only sender: dropping this entry is what tells the socket's task to end.
    queue: mpsc::Sender<Utf8Bytes>,
    channels: Vec<ChannelName>,
}

/// Why a socket gets no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    Full,
    Closing,
}

/// The socket has as many subscriptions as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many subscriptions on one connection")]
pub(super) struct TooManySubscriptions;

impl Registry {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            state: Mutex::default(),
            max_connections: limits.max_connections,
            max_subscriptions: limits.max_subscriptions,
            // A queue without room cannot exist.
            queue: limits.queue.max(1),
        }
    }

    /// Takes the socket in. Its events come out of the receiver, which ends when the registry has let go of the socket.
    pub(super) fn join(self: &Arc<Self>, id: SocketId) -> Result<(Seat, mpsc::Receiver<Utf8Bytes>), NoSeat> {
        let (queue, events) = mpsc::channel(self.queue);
        let mut state = self.state();
        if state.closing {
            return Err(NoSeat::Closing);
        }
        if state.sockets.len() >= self.max_connections {
            return Err(NoSeat::Full);
        }
        state.sockets.insert(id, Socket { queue, channels: Vec::new() });
        Ok((Seat { registry: Arc::clone(self), id }, events))
    }

    /// Queues `frame` for every subscriber but one, and lets go of those that have no room for it.
    pub(super) fn publish(&self, channel: &ChannelName, frame: &Utf8Bytes, except: Option<SocketId>) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(subscribers) = state.channels.get(channel) else { return };
        let mut slow = Vec::new();
        for id in subscribers.iter().filter(|id| Some(**id) != except) {
            let Some(socket) = state.sockets.get(id) else { continue };
            match socket.queue.try_send(frame.clone()) {
                Ok(()) => state.delivered += 1,
                Err(TrySendError::Closed(_)) => state.dropped += 1,
                Err(TrySendError::Full(_)) => {
                    state.dropped += 1;
                    slow.push(*id);
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
        let chosen = state.channels.iter().filter(|(name, _)| name.as_str().starts_with(prefix));
        chosen.map(|(name, subscribers)| (name.clone(), subscribers.len())).collect()
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
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot {
            connections: state.sockets.len(),
            channels: state.channels.len(),
            subscriptions: state.channels.values().map(HashSet::len).sum(),
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
        let Some(socket) = self.sockets.remove(&id) else { return };
        for channel in &socket.channels {
            self.leave(id, channel);
        }
    }

    fn leave(&mut self, id: SocketId, channel: &ChannelName) {
        let Some(subscribers) = self.channels.get_mut(channel) else { return };
        subscribers.remove(&id);
        if subscribers.is_empty() {
            self.channels.remove(channel);
        }
    }
}

/// A socket's place in the registry, given up when dropped, however its task ends.
pub(super) struct Seat {
    registry: Arc<Registry>,
    id: SocketId,
}

impl Seat {
    /// Subscribes the socket; again changes nothing. A socket that the registry has let go of is about to learn it
    /// from its queue, so its subscriptions need not fail.
    pub(super) fn subscribe(&self, channel: &ChannelName) -> Result<(), TooManySubscriptions> {
        let mut guard = self.registry.state();
        let state = &mut *guard;
        let Some(socket) = state.sockets.get_mut(&self.id) else { return Ok(()) };
        if socket.channels.contains(channel) {
            return Ok(());
        }
        if socket.channels.len() >= self.registry.max_subscriptions {
            return Err(TooManySubscriptions);
        }
        socket.channels.push(channel.clone());
        state.channels.entry(channel.clone()).or_default().insert(self.id);
        Ok(())
    }

    pub(super) fn unsubscribe(&self, channel: &ChannelName) {
        let mut state = self.registry.state();
        let Some(socket) = state.sockets.get_mut(&self.id) else { return };
        socket.channels.retain(|subscribed| subscribed != channel);
        state.leave(self.id, channel);
    }

    pub(super) fn has_subscriptions(&self) -> bool {
        self.registry.state().sockets.get(&self.id).is_some_and(|socket| !socket.channels.is_empty())
    }

    /// Whether everybody is being let go of, rather than this socket alone.
    pub(super) fn broker_is_closing(&self) -> bool {
        self.registry.state().closing
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.registry.state().remove(self.id);
    }
}

#[cfg(test)]
mod tests;
