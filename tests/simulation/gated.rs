//! Stores, a validator and a publisher behind gates.

use crate::gate::{Fate, Gates, What, Who};
use async_trait::async_trait;
use std::sync::Arc;
use vestibule::{
    caps::Admission,
    channel::Channel,
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, Noted, Postponement,
        Wait, Which, WorkerId,
    },
    email_address::Address,
    publisher::{Announcement, PublishError, Publisher},
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationQueue, ConfirmationStore, SessionStore, SessionUserStore,
        SessionWithUser, Settlement, StoreError, Stores, UserStore,
    },
    token::Token,
    user::{Authority, Moved, User, UserId},
    validator::{ValidationError, Validator, Verdict},
};

/// One task's access to something that all share.
pub struct Gated<S: ?Sized> {
    pub inner: Arc<S>,
    pub gates: Arc<Gates>,
    pub who: Who,
}

/// The task's access to `stores`.
pub fn gated(stores: Stores, gates: &Arc<Gates>, who: Who) -> Stores {
    Stores {
        confirmations: Arc::new(Gated::new(stores.confirmations, gates, who)),
        queue: Arc::new(Gated::new(stores.queue, gates, who)),
        sessions: Arc::new(Gated::new(stores.sessions, gates, who)),
        session_users: Arc::new(Gated::new(stores.session_users, gates, who)),
        users: Arc::new(Gated::new(stores.users, gates, who)),
        // No task of the simulation uses these.
        links: stores.links,
        mails: stores.mails,
        notices: stores.notices,
        signing_keys: stores.signing_keys,
    }
}

/// How a call passes.
enum Gate {
    /// It never waits: what has been read grows old at the next gate.
    Read,
    /// It waits for its fate.
    Write(What),
}

const fn write(name: &'static str) -> Gate {
    Gate::Write(What::Write(name))
}

const fn fenced(name: &'static str, id: ConfirmationId, fence: u64) -> Gate {
    Gate::Write(What::Fenced { name, id, fence })
}

const fn decide_as(id: ConfirmationId, decider: Decider) -> Gate {
    match decider {
        Decider::Worker { fence } | Decider::Deadline { fence } => fenced("decide", id, fence),
        Decider::User => write("cancel"),
        Decider::Validator => write("decide by a call"),
    }
}

impl<S: ?Sized> Gated<S> {
    pub fn new(inner: Arc<S>, gates: &Arc<Gates>, who: Who) -> Self {
        let gates = gates.clone();
        Self { inner, gates, who }
    }

    async fn pass<T, E: From<StoreError>>(
        &self,
        gate: Gate,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let away = || StoreError::Unavailable("away".into()).into();
        let what = match gate {
            Gate::Read if self.gates.outage() => return Err(away()),
            Gate::Read => return call.await,
            Gate::Write(what) => what,
        };
        match self.gates.pass(self.who, what).await {
            Fate::Go => call.await,
            Fate::Lost => call.await.and(Err(away())),
            Fate::Fail | Fate::Answer(_) => Err(away()),
        }
    }
}

macro_rules! gates {
    ($store:ident { $($gate:expr => $method:ident($($name:ident: $type:ty),*) -> $result:ty;)* }) => {
        #[async_trait]
        impl $store for Gated<dyn $store> {
            $(async fn $method(&self, $($name: $type),*) -> $result {
                self.pass($gate, self.inner.$method($($name),*)).await
            })*
        }
    };
}

gates! {
    ConfirmationStore {
        write("begin") => begin(confirmation: &Confirmation, session: &Session, admission: Admission)
            -> Result<Confirmation, BeginError>;
        Gate::Read => confirmation_by_secret(secret: &SecretHash)
            -> Result<Option<Confirmation>, StoreError>;
        Gate::Read => confirmation(id: ConfirmationId)
            -> Result<Option<Confirmation>, StoreError>;
        write("wait") => wait(id: ConfirmationId, wait: Wait, now: Timestamp)
            -> Result<Noted, StoreError>;
        decide_as(id, decider) => decide(
            id: ConfirmationId, decider: Decider, decision: &Decision, settlement: Settlement
        ) -> Result<Option<Confirmation>, StoreError>;
        write("revoke") => revoke(id: ConfirmationId, session: SessionId) -> Result<(), StoreError>;
        Gate::Read => unsettled(before: Timestamp) -> Result<Vec<Confirmation>, StoreError>;
        write("mark settled") => mark_settled(id: ConfirmationId) -> Result<(), StoreError>;
    }
}

gates! {
    ConfirmationQueue {
        Gate::Read => undecided(at_most: u32) -> Result<u32, StoreError>;
        Gate::Read => answered_later(at_most: u32) -> Result<u32, StoreError>;
        write("claim") => claim(
            worker: WorkerId, which: Which, limits: &ClaimLimits, now: Timestamp, until: Timestamp
        ) -> Result<Vec<Claim>, StoreError>;
        Gate::Read => next_due() -> Result<Option<Timestamp>, StoreError>;
        Gate::Read => next_due_after(now: Timestamp) -> Result<Option<Timestamp>, StoreError>;
        Gate::Read => next_overdue() -> Result<Option<Timestamp>, StoreError>;
        fenced("postpone", claim.id, claim.fence)
            => postpone(claim: &Claim, due: Timestamp, why: Postponement)
            -> Result<Noted, StoreError>;
        Gate::Read => list_undecided(after: Option<&Confirmation>, limit: u32)
            -> Result<Vec<Confirmation>, StoreError>;
        write("ask again") => ask_again(id: ConfirmationId, now: Timestamp)
            -> Result<bool, StoreError>;
        write("sweep confirmations")
            => sweep_confirmations(before: Timestamp) -> Result<u64, StoreError>;
    }
}

gates! {
    SessionStore {
        Gate::Read => session_by_secret(secret: &SecretHash) -> Result<Option<Session>, StoreError>;
        Gate::Read => session(id: SessionId) -> Result<Option<Session>, StoreError>;
        write("insert session") => insert_session(session: &Session) -> Result<bool, StoreError>;
        write("replace session") => replace_session(next: &Session) -> Result<bool, StoreError>;
        write("delete session") => delete_session(id: SessionId) -> Result<(), StoreError>;
        Gate::Read => sessions_of(user: UserId) -> Result<Vec<Session>, StoreError>;
        write("delete the user's sessions")
            => delete_sessions_of(user: UserId, but: Option<SessionId>) -> Result<(), StoreError>;
        write("sweep sessions") => sweep_sessions(now: Timestamp) -> Result<u64, StoreError>;
    }
}

gates! {
    SessionUserStore {
        Gate::Read => session_with_user(secret: &SecretHash)
            -> Result<Option<SessionWithUser>, StoreError>;
    }
}

gates! {
    UserStore {
        Gate::Read => user(id: UserId) -> Result<Option<User>, StoreError>;
        Gate::Read => user_by_identity(issuer: &str, subject: &str)
            -> Result<Option<User>, StoreError>;
        Gate::Read => password(subject: &str) -> Result<Option<(User, String)>, StoreError>;
        write("put user")
            => put_user(user: &User, password: Option<&str>) -> Result<UserId, StoreError>;
        Gate::Read => users(after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError>;
        write("set password") => set_password(by: Authority, password: &str, now: Timestamp)
            -> Result<Option<Timestamp>, StoreError>;
        write("rehash password")
            => rehash_password(id: UserId, from: &str, to: &str) -> Result<(), StoreError>;
        write("move user")
            => move_user(by: Authority, from: &Address, to: &Address, now: Timestamp)
            -> Result<Moved, StoreError>;
        write("revoke sessions")
            => revoke_sessions(by: Authority, all: bool, now: Timestamp) -> Result<bool, StoreError>;
        write("count ended session") => count_ended_session(user: UserId) -> Result<(), StoreError>;
        write("disable user")
            => disable_user(id: UserId, disabled: bool, now: Timestamp) -> Result<bool, StoreError>;
        write("remove user") => remove_user(id: UserId) -> Result<bool, StoreError>;
    }
}

#[async_trait]
impl Validator for Gated<()> {
    async fn validate(
        &self,
        id: ConfirmationId,
        _: &Token,
        _: Timestamp,
    ) -> Result<Verdict, ValidationError> {
        match self.gates.pass(self.who, What::Validate(id)).await {
            Fate::Answer(answer) => answer,
            Fate::Go | Fate::Fail | Fate::Lost => Err(ValidationError::temporary("away")),
        }
    }
}

#[async_trait]
impl Publisher for Gated<()> {
    async fn announce(
        &self,
        channel: &Channel,
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        match self
            .gates
            .pass(
                self.who,
                What::Announce(channel.clone(), announcement.clone()),
            )
            .await
        {
            Fate::Go => Ok(()),
            _ => Err(PublishError {
                what: "away".into(),
                retry: true,
            }),
        }
    }
}
