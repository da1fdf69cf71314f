//! A validator that a test answers for.

use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    token::Token,
    validator::{ValidationError, Validator, Verdict},
};
use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc, oneshot};

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
    asked: Mutex<mpsc::UnboundedReceiver<Question>>,
}

impl Default for ScriptedValidator {
    fn default() -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        Self {
            ask,
            asked: Mutex::new(asked),
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
