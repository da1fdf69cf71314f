//! Confirmations and users in memory, changed by their own transitions alone.

use crate::{
    caps::{Admission, Client, Shares, in_networks},
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, Ending, Noted,
        Postponement, Rejection, State, Wait, Which, WorkerId,
    },
    email_address::Address,
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationQueue, ConfirmationStore, SessionStore, Settlement,
        SigningKeyStore, StoreError, StoredSigningKeys, Stores, UserStore,
    },
    testing::NoLinks,
    user::{Authority, Moved, PASSWORD_ISSUER, User, UserId, key_after},
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    ops::Bound,
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

/// When a worker may claim a confirmation.
fn claimable(confirmation: &Confirmation) -> Option<Timestamp> {
    let State::Queued(queued) = &confirmation.state else {
        return None;
    };
    Some(
        queued
            .lease
            .map_or(queued.due_at, |lease| lease.until.max(queued.due_at)),
    )
}

/// When it is past its deadline, and under no lease.
fn overdue(confirmation: &Confirmation) -> Option<Timestamp> {
    let State::Queued(queued) = &confirmation.state else {
        return None;
    };
    Some(queued.lease.map_or(confirmation.deadline, |lease| {
        lease.until.max(confirmation.deadline)
    }))
}

#[async_trait]
impl ConfirmationStore for MemoryDatabase {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        _: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        let mut tables = self.lock();
        if let Some(known) = tables.by_secret(&confirmation.secret) {
            return Ok(known.clone());
        }
        let client = admission.client;
        if let Some(cap) = admission.capped(in_networks(
            client,
            tables.undecided().map(|(client, _)| client),
        )) {
            return Err(cap.into());
        }
        let is_due = confirmation.is_due(confirmation.created_at);
        let turn = if is_due {
            tables.next_turn(client)
        } else {
            LAST_TURN
        };
        tables
            .confirmations
            .insert(confirmation.id, confirmation.clone());
        tables.begun.insert(confirmation.id, (client, turn));
        Ok(confirmation.clone())
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        Ok(self.lock().by_secret(secret).cloned())
    }

    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
        Ok(self.lock().confirmations.get(&id).cloned())
    }

    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get(&id).cloned() else {
            return Ok(Noted::TooLate);
        };
        let has_room = tables.has_room(&confirmation, wait.room);
        let Ok(next) = confirmation.wait(wait, now) else {
            return Ok(Noted::TooLate);
        };
        if !has_room {
            return Ok(Noted::NoRoom);
        }
        tables.confirmations.insert(id, next);
        Ok(Noted::Stored)
    }

    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get(&id).cloned() else {
            return Ok(None);
        };
        if confirmation
            .clone()
            .decide(decider, Ending::Unavailable, settlement.now)
            .is_err()
        {
            return Ok(Some(confirmation));
        }
        let ending = match decision {
            Decision::Valid(identity, _) => {
                let id = settlement.new_user;
                let since = settlement.now;
                let id = tables.put_user(&User::new(id, identity.clone(), since), None);
                if tables.is_disabled(id) {
                    Ending::Rejected(Rejection::Invalid)
                } else {
                    Ending::Confirmed(id)
                }
            }
            Decision::Known(id, _) => {
                let is_there = tables
                    .users
                    .values()
                    .any(|(user, _)| user.id == *id && !user.disabled);
                if is_there {
                    Ending::Confirmed(*id)
                } else {
                    Ending::Rejected(Rejection::Expired)
                }
            }
            Decision::Rejected(reason) => Ending::Rejected(*reason),
            Decision::Unavailable => Ending::Unavailable,
        };
        let next = confirmation
            .clone()
            .decide(decider, ending, settlement.now)
            .map_or(confirmation, |decided| decided.leading_to(decision.next()));
        tables.confirmations.insert(id, next.clone());
        Ok(Some(next))
    }

    async fn revoke(&self, id: ConfirmationId, _: SessionId) -> Result<(), StoreError> {
        if let Some(confirmation) = self.lock().confirmations.get_mut(&id) {
            *confirmation = confirmation.clone().revoke();
        }
        Ok(())
    }

    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        let abandoned = |confirmation: &&Confirmation| matches!(&confirmation.state, State::Decided(decided) if decided.at < before);
        Ok(self
            .lock()
            .confirmations
            .values()
            .filter(abandoned)
            .cloned()
            .collect())
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        if let Some(confirmation) = self.lock().confirmations.get_mut(&id) {
            *confirmation = confirmation.clone().settle();
        }
        Ok(())
    }
}

#[async_trait]
impl ConfirmationQueue for MemoryDatabase {
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        let tables = self.lock();
        let undecided = tables
            .confirmations
            .values()
            .filter(|confirmation| confirmation.ending().is_none());
        Ok(undecided.take(at_most as usize).map(|_| 1).sum())
    }

    async fn answered_later(&self, at_most: u32) -> Result<u32, StoreError> {
        let tables = self.lock();
        let later = tables
            .confirmations
            .values()
            .filter(|confirmation| confirmation.later().is_some());
        Ok(later.take(at_most as usize).map(|_| 1).sum())
    }

    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        let mut tables = self.lock();
        let deadlines = which.deadlines(now);
        let meant = |confirmation: &&Confirmation| {
            confirmation.is_due(now) && deadlines.contains(&confirmation.deadline)
        };
        let mut due: Vec<_> = tables.confirmations.values().filter(meant).collect();
        let begun = |confirmation: &Confirmation| tables.begun.get(&confirmation.id).copied();
        let turn = |confirmation: &Confirmation| match which {
            Which::Overdue => None,
            Which::Any | Which::WithTime(_) => begun(confirmation).map(|(_, turn)| turn),
        };
        due.sort_by_key(|confirmation| {
            (
                turn(confirmation),
                overdue(confirmation),
                claimable(confirmation),
            )
        });
        let mut counts = BTreeMap::new();
        let mut claimed = Vec::new();
        for confirmation in due {
            let network = begun(confirmation)
                .map(|(client, _)| client.networks()[2])
                .unwrap_or_default();
            let count = counts.entry(network).or_insert(0);
            if claimed.len() < limits.in_all as usize
                && (which == Which::Overdue || *count < limits.of(&network))
            {
                *count += 1;
                claimed.extend(confirmation.clone().claim(worker, network, now, until));
            }
        }
        Ok(claimed
            .into_iter()
            .map(|(confirmation, claim)| {
                tables.confirmations.insert(confirmation.id, confirmation);
                claim
            })
            .collect())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .lock()
            .confirmations
            .values()
            .filter_map(claimable)
            .min())
    }

    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .lock()
            .confirmations
            .values()
            .filter_map(claimable)
            .filter(|due| *due > now)
            .min())
    }

    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lock().confirmations.values().filter_map(overdue).min())
    }

    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        why: Postponement,
    ) -> Result<Noted, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get(&claim.id).cloned() else {
            return Ok(Noted::TooLate);
        };
        let (why, noted) = match why {
            Postponement::Later(wait) if !tables.has_room(&confirmation, wait.room) => {
                (Postponement::HandedBack, Noted::NoRoom)
            }
            why => (why, Noted::Stored),
        };
        let Ok(next) = confirmation.postpone(claim.fence, due, why) else {
            return Ok(Noted::TooLate);
        };
        tables.confirmations.insert(claim.id, next);
        Ok(noted)
    }

    async fn list_undecided(
        &self,
        after: Option<&Confirmation>,
        limit: u32,
    ) -> Result<Vec<Confirmation>, StoreError> {
        let key = |confirmation: &Confirmation| (confirmation.created_at, confirmation.id);
        let tables = self.lock();
        let mut undecided: Vec<_> = tables
            .confirmations
            .values()
            .filter(|confirmation| confirmation.ending().is_none())
            .filter(|confirmation| after.is_none_or(|after| key(confirmation) > key(after)))
            .cloned()
            .collect();
        undecided.sort_by_key(key);
        undecided.truncate(limit as usize);
        Ok(undecided)
    }

    async fn ask_again(&self, id: ConfirmationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get_mut(&id) else {
            return Ok(false);
        };
        let Ok(next) = confirmation.clone().ask_again(now) else {
            return Ok(false);
        };
        *confirmation = next;
        Ok(true)
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = |confirmation: &Confirmation| matches!(&confirmation.state, State::Settled(decided) if decided.at < before);
        let mut tables = self.lock();
        let count = tables.confirmations.len();
        tables
            .confirmations
            .retain(|_, confirmation| !old(confirmation));
        let Tables {
            confirmations,
            begun,
            ..
        } = &mut *tables;
        begun.retain(|id, _| confirmations.contains_key(id));
        Ok((count - confirmations.len()) as u64)
    }
}

#[async_trait]
impl UserStore for MemoryDatabase {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self
            .lock()
            .users
            .values()
            .find(|(user, _)| user.id == id)
            .map(|(user, _)| user.clone()))
    }

    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        let tables = self.lock();
        Ok(tables
            .users
            .get(&(issuer.to_owned(), subject.to_owned()))
            .map(|(user, _)| user.clone()))
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        let tables = self.lock();
        let known = tables
            .users
            .get(&(PASSWORD_ISSUER.to_owned(), subject.to_owned()));
        let known = known.filter(|(user, _)| !user.disabled);
        Ok(known.and_then(|(user, password)| Some((user.clone(), password.clone()?))))
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        Ok(self.lock().put_user(user, password))
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        let tables = self.lock();
        let following = tables
            .users
            .range((Bound::Excluded(key_after(after)), Bound::Unbounded));
        Ok(following
            .take(limit as usize)
            .map(|(_, (user, _))| user.clone())
            .collect())
    }

    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut tables = self.lock();
        let set = |(user, kept): &mut (User, Option<String>)| {
            *kept = Some(password.to_owned());
            changed(user, now)
        };
        Ok(tables.by(by).map(set))
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        let mut tables = self.lock();
        let kept = tables
            .users
            .values_mut()
            .filter(|(user, _)| user.id == id)
            .map(|(_, password)| password);
        kept.filter(|password| password.as_deref() == Some(from))
            .for_each(|password| *password = Some(to.to_owned()));
        Ok(())
    }

    async fn move_user(
        &self,
        by: Authority,
        from: &Address,
        to: &Address,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let mut tables = self.lock();
        let key = |address: &Address| (PASSWORD_ISSUER.to_owned(), address.as_str().to_owned());
        if let Some((user, _)) = tables.users.get(&key(to)) {
            return Ok(if user.id == by.user {
                Moved::Gone
            } else {
                Moved::Taken
            });
        }
        if tables
            .users
            .get(&key(from))
            .is_none_or(|(user, _)| user.id != by.user)
        {
            return Ok(Moved::Gone);
        }
        let Some((user, _)) = tables.by(by) else {
            return Ok(Moved::Revoked);
        };
        let valid_from = changed(user, now);
        to.as_str().clone_into(&mut user.identity.subject);
        user.identity.email = Some(to.typed().to_owned());
        if let Some(moved) = tables.users.remove(&key(from)) {
            tables.users.insert(key(to), moved);
        }
        Ok(Moved::Done(valid_from))
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let Some((user, _)) = tables.by(by) else {
            return Ok(false);
        };
        let last = user.known_from.max(user.valid_from);
        user.known_from = now.max(last + Duration::from_millis(1));
        if all {
            changed(user, now);
        } else {
            user.revision += 1;
        }
        Ok(true)
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        let mut tables = self.lock();
        tables
            .users
            .values_mut()
            .filter(|(known, _)| known.id == user)
            .for_each(|(user, _)| user.revision += 1);
        Ok(())
    }

    async fn disable_user(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let user = tables
            .users
            .values_mut()
            .map(|(user, _)| user)
            .find(|user| user.id == id);
        let set = |user: &mut User| {
            user.disabled = disabled;
            if disabled {
                changed(user, now);
            } else {
                user.valid_from = now.max(user.valid_from);
                user.revision += 1;
            }
        };
        Ok(user.map(set).is_some())
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let count = tables.users.len();
        tables.users.retain(|_, (user, _)| user.id != id);
        Ok(tables.users.len() < count)
    }
}

#[async_trait]
impl SigningKeyStore for MemoryDatabase {
    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StoreError> {
        Ok(self.lock().signing_keys.clone())
    }

    async fn replace_signing_keys(
        &self,
        from: Option<&StoredSigningKeys>,
        to: &StoredSigningKeys,
    ) -> Result<bool, StoreError> {
        let stored = &mut self.lock().signing_keys;
        let is_expected = stored.as_ref() == from;
        if is_expected {
            *stored = Some(to.clone());
        }
        Ok(is_expected)
    }
}
