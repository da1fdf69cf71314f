//! Sessions with their users. Every request that asks who is signed in reads them, so those that
//! ask at one time share a statement: most of what one costs is handing it over to the driver's
//! thread.

use super::{
    SqliteStore,
    json::{hex, rows},
};
use crate::{
    secret::SecretHash,
    store::{
        SessionUserStore, SessionWithUser, StoreError,
        row::{self, Reading},
        statements::session_user_columns,
    },
};
use async_trait::async_trait;
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};

/// The most questions in one statement.
const BATCH: usize = 128;

/// `$1`: the hashes of secrets, as JSON. `asked` tells which of them found the row.
const SESSIONS_WITH_USERS: &str = concat!(
    "select asked.key as asked, ",
    session_user_columns!(),
    " from json_each($1) as asked
      cross join sessions on secret = unhex(asked.value) or former = unhex(asked.value)
      left join users on users.id = user_id"
);

type Answer = Result<Option<SessionWithUser>, StoreError>;

/// A secret, and who waits for what it belongs to.
type Question = (SecretHash, oneshot::Sender<Answer>);

/// Asks for sessions with their users. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct SessionUserReader(mpsc::Sender<Question>);

impl SessionUserReader {
    /// Starts answering with what `readers` read, until every clone is dropped.
    pub(super) fn start(readers: SqlitePool) -> Self {
        let (questions, queue) = mpsc::channel(BATCH);
        tokio::spawn(answer(readers, queue));
        Self(questions)
    }
}

async fn answer(readers: SqlitePool, mut queue: mpsc::Receiver<Question>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let secrets: Vec<_> = batch.iter().map(|(secret, _)| *secret).collect();
        match read(&readers, &secrets).await {
            Ok(answers) => {
                for ((_, reply), answer) in batch.drain(..).zip(answers) {
                    // The caller may have gone.
                    let _ = reply.send(answer);
                }
            }
            // One of them may have failed the statement for all: each alone, so that it fails
            // alone, and those that ask later do not wait for it.
            Err(_) => batch.drain(..).for_each(|question| {
                tokio::spawn(answer_alone(readers.clone(), question));
            }),
        }
    }
}

async fn answer_alone(readers: SqlitePool, (secret, reply): Question) {
    let alone = read(&readers, &[secret]).await;
    let _ = reply.send(alone.and_then(|mut alone| alone.pop().unwrap_or(Ok(None))));
}

/// What each of `secrets` belongs to, in their order. A row that fits no state is an error for the
/// one who asked for it.
async fn read(readers: &SqlitePool, secrets: &[SecretHash]) -> Result<Vec<Answer>, StoreError> {
    let asked = rows(secrets.iter().map(|secret| hex(secret.as_bytes())));
    let select = sqlx::query(SESSIONS_WITH_USERS).bind(asked);
    let mut answers: Vec<_> = secrets.iter().map(|_| Ok(None)).collect();
    for row in select.fetch_all(readers).await? {
        let place = Reading::new("sessions", &row).number::<usize>("asked")?;
        if let Some(answer) = answers.get_mut(place) {
            *answer = row::session_with_user(&row).map(Some);
        }
    }
    Ok(answers)
}

#[async_trait]
impl SessionUserStore for SqliteStore {
    async fn session_with_user(&self, secret: &SecretHash) -> Answer {
        let closed = || StoreError::Unavailable("the store has been closed".into());
        let (reply, answer) = oneshot::channel();
        let questions = &self.session_users.0;
        questions
            .send((*secret, reply))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}
