//! Mails that are about no link.

use super::{Mail, MailBody, MailClass, MailId, NOTICES, SealedMailBody};
use crate::{
    clock::Clock,
    email_address::Address,
    secret::{Entropy, Keys},
    store::{MailStore, StoreError, UserStore},
    worker::Environment,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Takes mails that are about no link. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    pub(super) store: Arc<dyn MailStore>,
    pub(super) users: Arc<dyn UserStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) keys: Arc<Keys>,
    pub(super) mail_wake: Arc<Notify>,
}

impl Outbox {
    /// An outbox. It wakes the mail worker through `mail_wake`.
    #[must_use]
    pub fn new(environment: &Environment, mail_wake: Arc<Notify>) -> Self {
        let Environment {
            stores,
            clock,
            entropy,
            keys,
            ..
        } = environment.clone();
        Self {
            store: stores.mails,
            users: stores.users,
            clock,
            entropy,
            keys,
            mail_wake,
        }
    }

    /// Has `body` sent to `to`, unless that takes longer than it `lives`. `false`: too many of
    /// its class wait.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn send(
        &self,
        to: &Address,
        body: &MailBody,
        lives: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let id = MailId::generate(&*self.entropy);
        let mail = Mail {
            id,
            to: to.clone(),
            class: MailClass::of(body),
            body: SealedMailBody::seal(&self.keys, &*self.entropy, id, body),
            failed: 0,
            due_at: now,
            expires_at: now + lives,
        };
        let taken = self.store.add_mail(&mail, NOTICES).await?;
        self.mail_wake.notify_one();
        Ok(taken)
    }
}
