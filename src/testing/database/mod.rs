//! A database in memory, whose rows are changed by their own transitions alone. A file for each
//! part of the store.

mod confirmations;
mod no_links;
mod queue;
mod signing_keys;
mod users;

use crate::{
    caps::{Client, Shares, in_networks},
    clock::Timestamp,
    confirmation::{Confirmation, ConfirmationId},
    secret::SecretHash,
    store::{SessionStore, StoredSigningKeys, Stores},
    user::{Authority, User, UserId},
};
use no_links::NoLinks;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A database in memory, for sessions that are stored elsewhere.
#[derive(Debug, Default)]
pub struct MemoryDatabase(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    confirmations: BTreeMap<ConfirmationId, Confirmation>,
    /// Who began them, and what turn each has.
    begun: BTreeMap<ConfirmationId, (Client, u64)>,
    users: BTreeMap<(String, String), (User, Option<String>)>,
    signing_keys: Option<StoredSigningKeys>,
}

impl Tables {
    fn put_user(&mut self, user: &User, password: Option<&str>) -> UserId {
        let key = (user.identity.issuer.clone(), user.identity.subject.clone());
        let password = password.map(str::to_owned);
        let Some((known, known_password)) = self.users.get_mut(&key) else {
            self.users.insert(key, (user.clone(), password));
            return user.id;
        };
        known.identity = user.identity.clone();
        if password.is_some() {
            *known_password = password;
            changed(known, user.created_at);
        }
        known.id
    }

    /// The user of an authority that holds. Whether the session is still there is not known here.
    fn by(&mut self, by: Authority) -> Option<&mut (User, Option<String>)> {
        let holds =
            |user: &User| user.id == by.user && user.revision == by.revision && !user.disabled;
        self.users.values_mut().find(|(user, _)| holds(user))
    }

    fn is_disabled(&self, id: UserId) -> bool {
        self.users
            .values()
            .any(|(user, _)| user.id == id && user.disabled)
    }

    /// Who has begun what is undecided, and what turns those have.
    fn undecided(&self) -> impl Iterator<Item = (Client, u64)> {
        let undecided = self
            .confirmations
            .values()
            .filter(|confirmation| confirmation.ending().is_none());
        undecided.filter_map(|confirmation| self.begun.get(&confirmation.id).copied())
    }

    /// Whether one more may wait for a validator that answers later among those of the same client, or
    /// this one does.
    fn has_room(&self, confirmation: &Confirmation, room: Shares) -> bool {
        let client = |id| self.begun.get(&id).map(|(client, _)| *client);
        let Some(own) = client(confirmation.id) else {
            return true;
        };
        let waiting = self
            .confirmations
            .values()
            .filter(|other| other.later().is_some());
        let clients = waiting.filter_map(|other| client(other.id));
        confirmation.later().is_some() || room.admit(in_networks(own, clients))
    }

    /// The turn of one more of this client.
    fn next_turn(&self, client: Client) -> u64 {
        let turns = || self.undecided().filter(|(_, turn)| *turn < LAST_TURN);
        let same_network = |(other, _): &(Client, u64)| other.networks()[2] == client.networks()[2];
        let own = turns().filter(same_network).map(|(_, turn)| turn + 1).max();
        let first = turns().map(|(_, turn)| turn).min();
        own.max(first).unwrap_or_default()
    }

    fn by_secret(&self, secret: &SecretHash) -> Option<&Confirmation> {
        self.confirmations
            .values()
            .find(|confirmation| confirmation.secret == *secret)
    }
}

impl MemoryDatabase {
    /// All confirmations.
    #[must_use]
    pub fn confirmations(&self) -> Vec<Confirmation> {
        self.lock().confirmations.values().cloned().collect()
    }

    /// This database, with `sessions`. It has no links.
    #[must_use]
    pub fn stores(self: &Arc<Self>, sessions: Arc<dyn SessionStore>) -> Stores {
        Stores {
            confirmations: self.clone(),
            queue: self.clone(),
            session_users: Stores::session_users_of(sessions.clone(), self.clone()),
            sessions,
            users: self.clone(),
            links: Arc::new(NoLinks),
            mails: Arc::new(NoLinks),
            notices: Arc::new(NoLinks),
            signing_keys: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the user valid from `now` on, later than before, and revokes what their sessions were
/// allowed.
fn changed(user: &mut User, now: Timestamp) -> Timestamp {
    user.valid_from = now.max(user.valid_from + Duration::from_millis(1));
    user.revision += 1;
    user.valid_from
}

/// The turn of what is not due when it begins.
const LAST_TURN: u64 = u64::MAX;
