//! Doubles for tests: a clock driven by hand, entropy from a seed, a validator that a test answers
//! for, a publisher that remembers. Nothing here sleeps.

mod database;
mod no_links;

pub use database::MemoryDatabase;

use no_links::NoLinks;

use crate::{
    channel::Channel,
    clock::{Clock, Timestamp},
    confirmation::ConfirmationId,
    email_address::Address,
    mail::{MailBody, MailError, MailId, Mailer},
    publisher::{Announcement, PublishError, Publisher},
    secret::Entropy,
    token::Token,
    validator::{ValidationError, Validator, Verdict},
};
use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot};

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
    moved: Notify,
}

impl Default for ManualClock {
    /// A clock at 2026-01-01 00:00 UTC.
    fn default() -> Self {
        Self::at(Timestamp::from_millis(1_767_225_600_000))
    }
}

impl ManualClock {
    /// A clock at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            millis: AtomicI64::new(now.as_millis()),
            moved: Notify::new(),
        }
    }

    /// Moves the clock on and wakes who waited for that.
    pub fn advance(&self, by: Duration) {
        self.millis.fetch_add(
            (self.now() + by).as_millis() - self.now().as_millis(),
            Ordering::SeqCst,
        );
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.now() >= at {
                return;
            }
            moved.await;
        }
    }
}

/// Bytes that follow from a seed: the same in every run.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// The bytes that follow from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.drawn.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(count.to_be_bytes())
                .finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// A validation that waits for the test's answer. Dropped, it counts as a lost connection.
#[derive(Debug)]
pub struct Question {
    /// The confirmation's id.
    pub id: ConfirmationId,
    /// The token.
    pub token: Token,
    /// By when the confirmation has to be decided.
    pub deadline: Timestamp,
    reply: oneshot::Sender<Result<Verdict, ValidationError>>,
}

impl Question {
    /// Answers. A worker that has given up meanwhile does not hear it.
    pub fn answer(self, answer: Result<Verdict, ValidationError>) {
        let _ = self.reply.send(answer);
    }
}

/// A validator that a test answers for.
#[derive(Debug)]
pub struct ScriptedValidator {
    ask: mpsc::UnboundedSender<Question>,
    asked: AsyncMutex<mpsc::UnboundedReceiver<Question>>,
}

impl Default for ScriptedValidator {
    fn default() -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        Self {
            ask,
            asked: AsyncMutex::new(asked),
        }
    }
}

impl ScriptedValidator {
    /// Waits for the next question.
    ///
    /// # Panics
    /// Never: the validator itself keeps the queue open.
    pub async fn next(&self) -> Question {
        self.asked
            .lock()
            .await
            .recv()
            .await
            .expect("the validator keeps its own queue open")
    }

    /// The next question, if there is one already.
    pub async fn try_next(&self) -> Option<Question> {
        self.asked.lock().await.try_recv().ok()
    }
}

#[async_trait]
impl Validator for ScriptedValidator {
    async fn validate(
        &self,
        id: ConfirmationId,
        token: &Token,
        deadline: Timestamp,
    ) -> Result<Verdict, ValidationError> {
        let lost = |()| ValidationError::temporary("the connection to it broke");
        let (reply, answer) = oneshot::channel();
        self.ask
            .send(Question {
                id,
                token: token.clone(),
                deadline,
                reply,
            })
            .map_err(|_| lost(()))?;
        answer.await.map_err(|_| lost(()))?
    }
}

/// A publisher that remembers.
#[derive(Debug)]
pub struct RecordingPublisher {
    said: mpsc::UnboundedSender<(Channel, Announcement)>,
    heard: AsyncMutex<mpsc::UnboundedReceiver<(Channel, Announcement)>>,
    broken: Mutex<Option<PublishError>>,
}

impl Default for RecordingPublisher {
    fn default() -> Self {
        let (said, heard) = mpsc::unbounded_channel();
        Self {
            said,
            heard: AsyncMutex::new(heard),
            broken: Mutex::new(None),
        }
    }
}

impl RecordingPublisher {
    /// Waits for the next announcement.
    ///
    /// # Panics
    /// Never: the publisher itself keeps the queue open.
    pub async fn next(&self) -> (Channel, Announcement) {
        self.heard
            .lock()
            .await
            .recv()
            .await
            .expect("the publisher keeps its own queue open")
    }

    /// Fails every announcement with `error` from now on, or with `None` no more.
    pub fn fail(&self, error: Option<PublishError>) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

#[async_trait]
impl Publisher for RecordingPublisher {
    async fn announce(
        &self,
        channel: &Channel,
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        let broken = self
            .broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(error) = broken {
            return Err(error);
        }
        let _ = self.said.send((channel.clone(), announcement.clone()));
        Ok(())
    }
}

/// A mail that was sent.
#[derive(Debug)]
pub struct Sent {
    /// The mail's id.
    pub id: MailId,
    /// The recipient.
    pub to: Address,
    /// What it says.
    pub body: MailBody,
    reply: oneshot::Sender<Result<(), MailError>>,
}

impl Sent {
    /// Takes it, or not. Dropped, it counts as a lost connection.
    pub fn answer(self, answer: Result<(), MailError>) {
        let _ = self.reply.send(answer);
    }
}

/// A mail server that a test answers for.
#[derive(Debug)]
pub struct ScriptedMailer {
    out: mpsc::UnboundedSender<Sent>,
    on_its_way: AsyncMutex<mpsc::UnboundedReceiver<Sent>>,
}

impl Default for ScriptedMailer {
    fn default() -> Self {
        let (out, on_its_way) = mpsc::unbounded_channel();
        Self {
            out,
            on_its_way: AsyncMutex::new(on_its_way),
        }
    }
}

impl ScriptedMailer {
    /// Waits for the next mail.
    ///
    /// # Panics
    /// Never: the mailer itself keeps the queue open.
    pub async fn next(&self) -> Sent {
        self.on_its_way
            .lock()
            .await
            .recv()
            .await
            .expect("the mailer keeps its own queue open")
    }
}

#[async_trait]
impl Mailer for ScriptedMailer {
    async fn send(&self, id: MailId, to: &Address, body: &MailBody) -> Result<(), MailError> {
        let lost = |()| MailError::Temporary("the connection broke".into());
        let (reply, answer) = oneshot::channel();
        self.out
            .send(Sent {
                id,
                to: to.clone(),
                body: body.clone(),
                reply,
            })
            .map_err(|_| lost(()))?;
        answer.await.map_err(|_| lost(()))?
    }
}
