//! Stores, a validator and a publisher behind gates.

use crate::gate::{Fate, Gates, What, Who};
use async_trait::async_trait;
use std::sync::Arc;
use vestibule::{
    caps::Admission,
    channel::Channel,
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, Which, WorkerId,
    },
    email_address::Address,
    publisher::{Announcement, PublishError, Publisher},
    secret::SecretHash,
    session::{Session, SessionId},
    store::{BeginError, ConfirmationStore, SessionStore, Settlement, StoreError, UserStore},
    token::Token,
    user::{Authority, Moved, User, UserId},
    validator::{ValidationError, Validator, Verdict},
};

/// One task's access to something that all share.
#[derive(Clone)]
pub struct Gated<S> {
    pub inner: Arc<S>,
    pub gates: Arc<Gates>,
    pub who: Who,
}

fn away() -> StoreError {
    StoreError::Unavailable("away".into())
}

impl<S> Gated<S> {
    /// A read never waits: what has been read grows old at the next gate.
    fn read(&self) -> Result<(), StoreError> {
        if self.gates.outage() {
            Err(away())
        } else {
            Ok(())
        }
    }

    async fn write<T, E: From<StoreError>>(
        &self,
        what: What,
        write: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self.gates.pass(self.who, what).await {
            Fate::Go => write.await,
            Fate::Lost => write.await.and(Err(away().into())),
            Fate::Fail | Fate::Answer(_) => Err(away().into()),
        }
    }
}

#[async_trait]
impl<S: ConfirmationStore> ConfirmationStore for Gated<S> {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        self.write(
            What::Write("begin"),
            self.inner.begin(confirmation, session, admission),
        )
        .await
    }

    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        self.read()?;
        self.inner.undecided(at_most).await
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        self.read()?;
        self.inner.confirmation_by_secret(secret).await
    }

    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        self.write(
            What::Write("claim"),
            self.inner.claim(worker, which, limits, now, until),
        )
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read()?;
        self.inner.next_due().await
    }

    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read()?;
        self.inner.next_due_after(now).await
    }

    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read()?;
        self.inner.next_overdue().await
    }

    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        failed: bool,
    ) -> Result<bool, StoreError> {
        let what = What::Fenced {
            name: "postpone",
            id: claim.id,
            fence: claim.fence,
        };
        self.write(what, self.inner.postpone(claim, due, failed))
            .await
    }

    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError> {
        let what = match decider {
            Decider::Worker { fence } => What::Fenced {
                name: "decide",
                id,
                fence,
            },
            Decider::User => What::Write("cancel"),
        };
        self.write(what, self.inner.decide(id, decider, decision, settlement))
            .await
    }

    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError> {
        self.write(What::Write("revoke"), self.inner.revoke(id, session))
            .await
    }

    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        self.read()?;
        self.inner.unsettled(before).await
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        self.write(What::Write("mark settled"), self.inner.mark_settled(id))
            .await
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(
            What::Write("sweep confirmations"),
            self.inner.sweep_confirmations(before),
        )
        .await
    }
}

#[async_trait]
impl<S: SessionStore> SessionStore for Gated<S> {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        self.read()?;
        self.inner.session_by_secret(secret).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read()?;
        self.inner.session(id).await
    }

    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError> {
        self.write(
            What::Write("insert session"),
            self.inner.insert_session(session),
        )
        .await
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        self.write(
            What::Write("replace session"),
            self.inner.replace_session(next),
        )
        .await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.write(What::Write("delete session"), self.inner.delete_session(id))
            .await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.read()?;
        self.inner.sessions_of(user).await
    }

    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.write(
            What::Write("delete the user's sessions"),
            self.inner.delete_sessions_of(user, but),
        )
        .await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(
            What::Write("sweep sessions"),
            self.inner.sweep_sessions(now),
        )
        .await
    }
}

#[async_trait]
impl<S: UserStore> UserStore for Gated<S> {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read()?;
        self.inner.user(id).await
    }

    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        self.read()?;
        self.inner.user_by_identity(issuer, subject).await
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        self.read()?;
        self.inner.password(subject).await
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        self.write(What::Write("put user"), self.inner.put_user(user, password))
            .await
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.read()?;
        self.inner.users(after, limit).await
    }

    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.write(
            What::Write("set password"),
            self.inner.set_password(by, password, now),
        )
        .await
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        self.write(
            What::Write("rehash password"),
            self.inner.rehash_password(id, from, to),
        )
        .await
    }

    async fn move_user(
        &self,
        by: Authority,
        from: &Address,
        to: &Address,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        self.write(
            What::Write("move user"),
            self.inner.move_user(by, from, to, now),
        )
        .await
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(
            What::Write("revoke sessions"),
            self.inner.revoke_sessions(by, all, now),
        )
        .await
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        self.write(
            What::Write("count ended session"),
            self.inner.count_ended_session(user),
        )
        .await
    }

    async fn disable_user(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(
            What::Write("disable user"),
            self.inner.disable_user(id, disabled, now),
        )
        .await
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        self.write(What::Write("remove user"), self.inner.remove_user(id))
            .await
    }
}

#[async_trait]
impl Validator for Gated<()> {
    async fn validate(&self, id: ConfirmationId, _: &Token) -> Result<Verdict, ValidationError> {
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
