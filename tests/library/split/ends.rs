//! Ending a session: a process killed half-way has already counted it, so the session can change
//! nothing any more.

use super::{BOUND, Split};
use crate::support::{Harness, at, authority, by_password, soon};
use async_trait::async_trait;
use std::sync::Arc;
use vestibule::{
    clock::Timestamp,
    entry::PresentedSecrets,
    secret::{SecretHash, SystemEntropy},
    session::{Session, SessionId},
    sign_ins::SignIns,
    store::{SessionStore, StoreError, Stores, UserStore as _, memory::MemorySessions},
    user::{Identity, PASSWORD_ISSUER, User, UserId},
    worker::Environment,
};

fn ada() -> User {
    let identity = Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: "ada@example.com".into(),
        name: None,
        email: None,
    };
    User::new(UserId::generate(&SystemEntropy), identity, at(0))
}

/// Sessions whose store deletes, and whose answer is lost.
struct AnswerLost(Arc<dyn SessionStore>);

#[async_trait]
impl SessionStore for AnswerLost {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        self.0.session_by_secret(secret).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.0.session(id).await
    }

    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError> {
        self.0.insert_session(session).await
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        self.0.replace_session(next).await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.0.delete_session(id).await?;
        Err(StoreError::Unavailable("the answer is lost".into()))
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.0.sessions_of(user).await
    }

    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.0.delete_sessions_of(user, but).await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.0.sweep_sessions(now).await
    }
}

#[tokio::test]
async fn a_session_whose_end_is_cut_short_changes_nothing_any_more() {
    for stores in Split::all().await {
        let user = stores.database.put_user(&ada(), None).await.unwrap();
        let ended = authority(&stores.both, user).await;
        let lost = Arc::new(AnswerLost(stores.sessions.clone()));
        let cut = stores
            .database
            .stores(lost.clone())
            .with_external_sessions(lost, BOUND);
        assert!(cut.sessions.delete_session(ended.session).await.is_err());
        // As a sign-out that is tried again.
        stores
            .both
            .sessions
            .delete_session(ended.session)
            .await
            .unwrap();
        assert_eq!(
            stores
                .both
                .users
                .set_password(ended, "$thiefs", at(1))
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_change_that_is_overtaken_again_and_again_is_given_up() {
    let harness = Harness::open().await;
    // A database that was not told that sessions are kept elsewhere: it looks for each among its
    // own and finds none.
    let sessions = Arc::<MemorySessions>::default();
    let stores = Stores::in_one(harness.store.clone()).with_external_sessions(sessions, BOUND);
    let sign_ins = SignIns::new(
        &Environment {
            stores,
            ..harness.environment.clone()
        },
        harness.dispatch.clone(),
    );
    let user = harness.store.put_user(&ada(), None).await.unwrap();
    let secret = by_password(&sign_ins, user, &PresentedSecrets::default()).await;
    let who = sign_ins.who(Some(&secret)).await.unwrap().unwrap();
    let from = "ada@example.com".parse().unwrap();
    let to = "lovelace@example.com".parse().unwrap();
    assert!(
        soon("change", sign_ins.set_password(&who, "$new"))
            .await
            .is_err()
    );
    assert!(
        soon("change", sign_ins.move_user(&who, &from, &to))
            .await
            .is_err()
    );
    assert!(soon("sign-out", sign_ins.end_others(&who)).await.is_err());
}
