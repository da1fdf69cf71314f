//! The background task that has mail sent.

use super::{Mail, MailBody, MailError, Mailer};
use crate::{
    backoff::{Backoff, Jitter},
    clock::{Clock, Timestamp, until},
    secret::{Entropy, Keys},
    session::SessionState,
    store::{MailStore, SessionStore, StoreError},
    worker::Environment,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// How many mails are sent at once.
const AT_ONCE: u32 = 8;
/// How long a mail server may take with one.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long no other process may take a mail that was taken: longer than sending may take.
const LEASE: Duration = Duration::from_secs(30);
/// How often it looks without having been told.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The waits after a mail server has put a mail off: greylisting wants minutes. Half of each is
/// drawn at random, so that a mail server that comes back is not met by all at once.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(5),
    longest: Duration::from_mins(2),
    jitter: Jitter::Half,
};

/// Has mail sent, as often as it takes.
#[derive(Clone)]
pub struct MailWorker {
    store: Arc<dyn MailStore>,
    sessions: Arc<dyn SessionStore>,
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keys: Arc<Keys>,
    wake: Arc<Notify>,
}

impl MailWorker {
    /// A mail worker, told through `wake` that there is mail.
    #[must_use]
    pub fn new(mailer: Arc<dyn Mailer>, environment: &Environment, wake: Arc<Notify>) -> Self {
        let Environment {
            stores,
            clock,
            entropy,
            keys,
            ..
        } = environment.clone();
        Self {
            store: stores.mails,
            sessions: stores.sessions,
            mailer,
            clock,
            entropy,
            keys,
            wake,
        }
    }

    /// Works until `shutdown`. What is being sent then is finished; what waits is sent after the
    /// next start.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut sending = JoinSet::new();
        while !shutdown.is_cancelled() {
            // Registered before the look, so that mail which comes between the look and the wait is
            // not missed.
            let woken = self.wake.notified();
            let again = self.look(&mut sending).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the mail worker cannot use the store");
                self.clock.now() + LOOK_EVERY
            });
            tokio::select! {
                biased;
                Some(delivered) = sending.join_next() => report(delivered),
                () = woken => {}
                () = self.clock.sleep_until(again) => {}
                () = shutdown.cancelled() => {}
            }
        }
        while let Some(delivered) = sending.join_next().await {
            report(delivered);
        }
    }

    /// Begins to send as many as there is room for of those that are due, and says when to look
    /// again.
    async fn look(
        &self,
        sending: &mut JoinSet<Result<(), StoreError>>,
    ) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        let at_latest = now + LOOK_EVERY;
        let room = AT_ONCE - u32::try_from(sending.len()).unwrap_or(AT_ONCE).min(AT_ONCE);
        if room > 0 {
            for mail in self.store.take_mail(room, now, now + LEASE).await? {
                let mail_worker = self.clone();
                sending.spawn(async move { mail_worker.deliver(mail).await });
            }
        }
        // As soon as one of them is sent, there is room for the next.
        if sending.len() >= AT_ONCE as usize {
            return Ok(at_latest);
        }
        Ok(self
            .store
            .next_mail()
            .await?
            .map_or(at_latest, |due| due.min(at_latest)))
    }

    async fn deliver(&self, mail: Mail) -> Result<(), StoreError> {
        let now = self.clock.now();
        if now >= mail.expires_at {
            tracing::error!(mail = %mail.id, failed = mail.failed, "a mail has expired before a mail server took it");
            return self.store.remove_mail(mail.id).await;
        }
        let Ok(body) = mail.body.open(&self.keys, mail.id) else {
            tracing::error!(mail = %mail.id, "a mail was sealed under a key that this server does not have");
            return self.store.remove_mail(mail.id).await;
        };
        if !self.is_wanted(&body).await? {
            return self.store.remove_mail(mail.id).await;
        }
        let sent = until(
            &*self.clock,
            now + PATIENCE,
            self.mailer.send(mail.id, &mail.to, &body),
        )
        .await;
        match sent.unwrap_or_else(|_| {
            Err(MailError::Temporary(format!(
                "the mail server took over {PATIENCE:?}"
            )))
        }) {
            Ok(()) => self.store.remove_mail(mail.id).await,
            Err(MailError::Permanent(what)) => {
                tracing::error!(mail = %mail.id, %what, "a mail cannot be sent");
                self.store.remove_mail(mail.id).await
            }
            Err(MailError::Temporary(what)) => {
                let pause = BACKOFF.wait(mail.failed + 1, &*self.entropy);
                tracing::warn!(mail = %mail.id, %what, ?pause, "a mail was not taken; it is sent again");
                self.store
                    .put_mail_off(mail.id, self.clock.now() + pause)
                    .await
            }
        }
    }
}

impl MailWorker {
    /// Whether the mail still tells something: a browser that has gone on by itself, or was signed
    /// out meanwhile, needs no mail to do so.
    async fn is_wanted(&self, body: &MailBody) -> Result<bool, StoreError> {
        let MailBody::Confirmed(body) = body else {
            return Ok(true);
        };
        let session = self.sessions.session(body.session).await?;
        Ok(session.is_some_and(|session| matches!(session.state, SessionState::Bound { .. })))
    }
}

fn report(delivered: Result<Result<(), StoreError>, JoinError>) {
    match delivered {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, "it could not be written down what became of a mail");
        }
        Err(error) => tracing::error!(%error, "a mail could not be sent"),
    }
}
