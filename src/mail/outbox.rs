//! Mails that are about no link.

use super::{Mail, MailBody, MailClass, MailId, NOTICES, SealedMailBody};
use crate::{
    clock::Clock,
    email_address::Address,
    secret::{Entropy, Keys},
    store::{MailStore, StoreError, UserStore},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Takes mails that are about no link. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    pub(crate) store: Arc<dyn MailStore>,
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) mail_wake: Arc<Notify>,
}

impl Outbox {
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
