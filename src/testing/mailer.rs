//! A mail server that a test answers for.

use crate::{
    email_address::Address,
    mail::{MailBody, MailError, MailId, Mailer},
};
use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc, oneshot};

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
    on_its_way: Mutex<mpsc::UnboundedReceiver<Sent>>,
}

impl Default for ScriptedMailer {
    fn default() -> Self {
        let (out, on_its_way) = mpsc::unbounded_channel();
        Self {
            out,
            on_its_way: Mutex::new(on_its_way),
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
