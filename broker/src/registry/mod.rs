//! The open sockets and their subscriptions.
//!
//! One mutex guards two maps that mirror each other. It is held for map operations and non-blocking
//! sends only, never across an await. An entry is removed when it becomes empty.

mod registration;

pub(crate) use registration::SocketRegistration;

use crate::{
    config::{Limits, QuotaError, SocketPermit, SocketQuota, SocketUsage},
    protocol::{ChannelName, CloseReason, SocketId},
};
use axum::extract::ws::Utf8Bytes;
use futures_channel::mpsc::{self, Receiver, Sender};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What a broker holds at the moment, and has done since it was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Open sockets.
    pub connections: usize,
    /// Channels with at least one subscriber.
    pub channels: usize,
    /// Subscriptions: pairs of a socket and a channel.
    pub subscriptions: usize,
    /// Events published, counted once for each channel that they went to.
    pub published: u64,
    /// Events put into a socket's queue.
    pub delivered: u64,
    /// Events for a subscribed socket that were not put into its queue, because the queue was full
    /// or the socket was just closing.
    pub dropped: u64,
}

/// The open sockets and their subscriptions.
pub(crate) struct SocketRegistry {
    state: Mutex<RegistryState>,
    max_connections: usize,
    max_subscriptions: usize,
    queue: usize,
}

#[derive(Default)]
struct RegistryState {
    closing: bool,
    sockets: HashMap<SocketId, SocketEntry>,
    channels: HashMap<ChannelName, HashSet<SocketId>>,
    published: u64,
    delivered: u64,
    dropped: u64,
    close_counts: BTreeMap<CloseReason, u64>,
}

struct SocketEntry {
    /// The only sender. To drop this entry is what tells the socket's task to end.
    queue: Sender<Utf8Bytes>,
    channels: Vec<ChannelName>,
    /// What the client's quota has given for this socket.
    _permit: Option<SocketPermit>,
}

/// Whether the registry still holds a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketStatus {
    Registered,
    /// The broker is closing, and has removed all sockets.
    BrokerClosing,
    /// The registry has removed this socket, because it reads too slowly.
    Removed,
}

/// The socket has as many subscriptions as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManySubscriptions;

impl SocketRegistry {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            state: Mutex::default(),
            max_connections: limits.max_connections,
            max_subscriptions: limits.max_subscriptions,
            // A channel has room for one more than it is told.
            queue: limits.queue.saturating_sub(1),
        }
    }

    /// Adds a socket, if its client's `quota` allows it. Its events come out of the receiver, which
    /// ends when the registry has removed the socket.
    pub(crate) fn insert(
        &self,
        id: SocketId,
        quota: Option<&SocketQuota>,
    ) -> Result<Receiver<Utf8Bytes>, CloseReason> {
        let (queue, events) = mpsc::channel(self.queue);
        let mut state = self.state();
        if state.closing {
            return Err(CloseReason::ShuttingDown);
        }
        let usage = SocketUsage {
            open: state.sockets.len(),
            max: self.max_connections,
        };
        // Before the limit of all sockets: the client can do something about its own.
        let permit = quota
            .map(|quota| quota.acquire(usage))
            .transpose()
            .map_err(|error| match error {
                QuotaError::Client => CloseReason::TooManySockets,
                QuotaError::Capacity => CloseReason::OverCapacity,
            })?;
        if usage.open >= usage.max {
            return Err(CloseReason::OverCapacity);
        }
        state.sockets.insert(
            id,
            SocketEntry {
                queue,
                channels: Vec::new(),
                _permit: permit,
            },
        );
        Ok(events)
    }

    /// Removes a socket and its subscriptions, if they are there.
    pub(crate) fn remove(&self, id: SocketId) {
        self.state().remove(id);
    }

    /// Subscribes a socket; a second time changes nothing. A socket that the registry has removed
    /// is about to learn that from its queue, so its subscriptions need not fail.
    pub(crate) fn subscribe(
        &self,
        id: SocketId,
        channel: &ChannelName,
    ) -> Result<(), TooManySubscriptions> {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(socket) = state.sockets.get_mut(&id) else {
            return Ok(());
        };
        if socket.channels.contains(channel) {
            return Ok(());
        }
        if socket.channels.len() >= self.max_subscriptions {
            return Err(TooManySubscriptions);
        }
        socket.channels.push(channel.clone());
        state
            .channels
            .entry(channel.clone())
            .or_default()
            .insert(id);
        Ok(())
    }

    pub(crate) fn unsubscribe(&self, id: SocketId, channel: &ChannelName) {
        let mut state = self.state();
        let Some(socket) = state.sockets.get_mut(&id) else {
            return;
        };
        socket.channels.retain(|subscribed| subscribed != channel);
        state.unsubscribe(id, channel);
    }

    pub(crate) fn has_subscriptions(&self, id: SocketId) -> bool {
        self.state()
            .sockets
            .get(&id)
            .is_some_and(|socket| !socket.channels.is_empty())
    }

    pub(crate) fn status(&self, id: SocketId) -> SocketStatus {
        let state = self.state();
        if state.sockets.contains_key(&id) {
            SocketStatus::Registered
        } else if state.closing {
            SocketStatus::BrokerClosing
        } else {
            SocketStatus::Removed
        }
    }

    /// Queues `frame` for every subscriber but one, and removes the sockets whose queue is full.
    pub(crate) fn publish(
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
    pub(crate) fn channels(&self, prefix: &str) -> Vec<(ChannelName, usize)> {
        let state = self.state();
        let chosen = state
            .channels
            .iter()
            .filter(|(name, _)| name.as_str().starts_with(prefix));
        chosen
            .map(|(name, subscribers)| (name.clone(), subscribers.len()))
            .collect()
    }

    /// How many sockets are subscribed to `channel`.
    pub(crate) fn subscriber_count(&self, channel: &ChannelName) -> usize {
        self.state().channels.get(channel).map_or(0, HashSet::len)
    }

    /// Removes every socket, and accepts no more.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.sockets.clear();
        state.channels.clear();
    }

    /// Counts a socket that the broker refuses or closes.
    pub(crate) fn count_close(&self, reason: CloseReason) {
        *self.state().close_counts.entry(reason).or_default() += 1;
    }

    /// How many sockets the broker has refused or closed, by reason.
    pub(crate) fn close_counts(&self) -> BTreeMap<CloseReason, u64> {
        self.state().close_counts.clone()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
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

    /// Nothing panics halfway through a change, so a poisoned lock guards sound data. A quota of
    /// the embedder that panics does so before the first change.
    fn state(&self) -> MutexGuard<'_, RegistryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RegistryState {
    fn remove(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else {
            return;
        };
        for channel in &socket.channels {
            self.unsubscribe(id, channel);
        }
    }

    fn unsubscribe(&mut self, id: SocketId, channel: &ChannelName) {
        let Some(subscribers) = self.channels.get_mut(channel) else {
            return;
        };
        subscribers.remove(&id);
        if subscribers.is_empty() {
            self.channels.remove(channel);
        }
    }
}

#[cfg(test)]
mod tests;
