//! What waits to be announced: for each channel the latest, and no more than is bounded.

use crate::{channel::Channel, publisher::Announcement};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// How many announcements wait, or are on their way. One more drops the oldest, whose page has had
/// the longest time to ask.
pub const MOST: usize = 10_000;
/// How long an announcement is worth sending. Pages ask every few seconds, but in the background
/// only once a minute.
pub const USEFUL_FOR: Duration = Duration::from_secs(30);
/// How far is looked for more that says the same.
const LOOK: usize = 256;

/// What waits to be announced.
#[derive(Default)]
pub struct Backlog {
    /// The channels that wait, mostly the longest first.
    order: VecDeque<Channel>,
    /// What waits for each of them, and since when.
    latest: HashMap<Channel, (Announcement, Instant)>,
    /// The channels for which something is on its way.
    flying: HashSet<Channel>,
    dropped: u64,
}

/// What goes into one request.
pub struct Batch {
    announcement: Announcement,
    channels: Vec<Channel>,
    since: Vec<Instant>,
}

impl Batch {
    pub fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    pub fn len(&self) -> usize {
        self.channels.len()
    }
}

impl Backlog {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// How many have been dropped so far.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Adds an announcement, in place of what may wait for its channel.
    pub fn push(&mut self, channel: Channel, announcement: Announcement, now: Instant) {
        if let Some(latest) = self.latest.get_mut(&channel) {
            *latest = (announcement, now);
            return;
        }
        while self.latest.len() + self.flying.len() >= MOST {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.latest.remove(&oldest);
            self.dropped += 1;
        }
        self.order.push_back(channel.clone());
        self.latest.insert(channel, (announcement, now));
    }

    /// Takes what has waited longest, and more that says the same, for up to `at_once` channels.
    /// What is too old is dropped.
    pub fn take(&mut self, at_once: usize, now: Instant) -> Option<Batch> {
        let mut batch: Option<Batch> = None;
        let mut passed = Vec::new();
        for _ in 0..LOOK {
            if batch.as_ref().is_some_and(|batch| batch.len() >= at_once) {
                break;
            }
            let Some(channel) = self.order.pop_front() else {
                break;
            };
            let Some((announcement, since)) = self.latest.get(&channel) else {
                continue;
            };
            if now.duration_since(*since) > USEFUL_FOR {
                self.latest.remove(&channel);
                self.dropped += 1;
                continue;
            }
            let same = batch
                .as_ref()
                .is_none_or(|batch| batch.announcement == *announcement);
            if !same || self.flying.contains(&channel) {
                passed.push(channel);
                continue;
            }
            if let Some((announcement, since)) = self.latest.remove(&channel) {
                self.flying.insert(channel.clone());
                let new = || Batch {
                    announcement,
                    channels: Vec::new(),
                    since: Vec::new(),
                };
                let batch = batch.get_or_insert_with(new);
                batch.channels.push(channel);
                batch.since.push(since);
            }
        }
        for channel in passed.into_iter().rev() {
            self.order.push_front(channel);
        }
        batch
    }

    /// What was taken has arrived.
    pub fn end(&mut self, batch: Batch) {
        for channel in batch.channels {
            self.flying.remove(&channel);
        }
    }

    /// What was taken is refused for good.
    pub fn refuse(&mut self, batch: Batch) {
        self.dropped += batch.channels.len() as u64;
        self.end(batch);
    }

    /// What was taken is to be taken again, but where there is something newer.
    pub fn put_back(&mut self, batch: Batch) {
        for (channel, since) in batch.channels.into_iter().zip(batch.since).rev() {
            self.flying.remove(&channel);
            if !self.latest.contains_key(&channel) {
                self.order.push_front(channel.clone());
                self.latest
                    .insert(channel, (batch.announcement.clone(), since));
            }
        }
    }
}
