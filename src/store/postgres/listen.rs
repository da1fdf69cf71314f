//! LISTEN and NOTIFY: the workers of other servers learn at once that something has begun. Only a
//! hint: they also poll.

use super::PostgresStore;
use sqlx::{
    PgExecutor, PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use std::{io, sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

const CHANNEL: &str = "vestibule";

/// How long to wait before listening again after the connection was lost.
const PAUSE: Duration = Duration::from_secs(1);

/// After this long without a hint, the connection is tested: otherwise we could listen for ever to
/// one that has gone silent.
const SILENCE: Duration = Duration::from_mins(1);

/// How long a connection may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Notifies the other servers that something has begun. Never waits.
#[derive(Clone, Debug)]
pub(super) struct Notifier(mpsc::Sender<()>);

impl Notifier {
    /// Starts sending notifications, until every clone is dropped.
    pub fn start(pool: PgPool) -> Self {
        let (notifier, mut notifications) = mpsc::channel(1);
        tokio::spawn(async move {
            // A statement of its own: within a transaction it would have all begins commit one
            // after the other.
            while notifications.recv().await.is_some() {
                notify(&pool).await;
            }
        });
        Self(notifier)
    }

    /// Something has begun. All calls while a notification is on its way make one more.
    pub fn notify(&self) {
        let _ = self.0.try_send(());
    }
}

/// Wakes the workers of all servers. A hint: where it fails, they poll.
pub(super) async fn notify(executor: impl PgExecutor<'_>) {
    let hint = sqlx::query("select pg_notify($1, '')")
        .bind(CHANNEL)
        .execute(executor);
    match tokio::time::timeout(ANSWER_WITHIN, hint).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "other servers were not notified"),
        Err(_) => tracing::debug!("other servers were not notified: no answer"),
    }
}

impl PostgresStore {
    /// Calls `wake` whenever a server on this database has begun something, until `shutdown`. Hints
    /// may be lost; after each time that the connection is made it wakes once, for those that were.
    pub async fn listen(&self, wake: Arc<Notify>, shutdown: CancellationToken) {
        let listening = async {
            loop {
                if let Err(error) = self.listen_until_lost(&wake).await {
                    tracing::warn!(%error, "notifications of other servers cannot be received; the worker polls");
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::select! {
            () = listening => {}
            () = shutdown.cancelled() => {}
        }
    }

    /// Listens until the connection is lost.
    async fn listen_until_lost(&self, wake: &Notify) -> Result<(), sqlx::Error> {
        // A connection beside those that work: whatever becomes of it, it takes none away from
        // them.
        let options = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ANSWER_WITHIN);
        let one = options
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with((*self.pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&one).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        wake.notify_one();
        loop {
            let Ok(notification) = tokio::time::timeout(SILENCE, listener.try_recv()).await else {
                let answer = sqlx::query("select 1").execute(&mut listener);
                let silent = |_| sqlx::Error::Io(io::ErrorKind::TimedOut.into());
                tokio::time::timeout(ANSWER_WITHIN, answer)
                    .await
                    .map_err(silent)??;
                continue;
            };
            if notification?.is_none() {
                return Ok(());
            }
            wake.notify_one();
        }
    }
}
