//! To copy the log back to the file beside the writer.
//!
//! `SQLite` does that in a commit that finds the log too long, and all writes wait for it. Most of the
//! copying is done here, in a thread of its own, so that they wait for less. The log begins anew only
//! after the writer's turn.

use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::mpsc;

/// After how many writes. A begin takes about six pages of the log, and the writer's own turn comes
/// after 16,000. More often, fewer writes would share a page that is copied.
const WRITES: usize = 1024;

/// Counts what is written, and has the log copied back.
pub(super) struct Checkpoints {
    due: mpsc::Sender<()>,
    writes: usize,
}

impl Checkpoints {
    /// Starts; ends when it is dropped.
    pub fn start(options: SqliteConnectOptions) -> Self {
        let (due, next) = mpsc::channel(1);
        tokio::spawn(copy_back(options, next));
        Self { due, writes: 0 }
    }

    /// So many more writes are in the log.
    pub fn count(&mut self, writes: usize) {
        self.writes += writes;
        if self.writes >= WRITES {
            self.writes = 0;
            let _ = self.due.try_send(());
        }
    }
}

/// Copies back each time that it is due. What fails is left to the writer.
async fn copy_back(options: SqliteConnectOptions, mut due: mpsc::Receiver<()>) {
    let mut kept = None;
    while due.recv().await.is_some() {
        let connection = match kept.take() {
            Some(connection) => Ok(connection),
            None => options.connect().await,
        };
        if let Ok(mut connection) = connection
            && checkpoint(&mut connection).await.is_ok()
        {
            kept = Some(connection);
        }
        // What became due meanwhile is not made up for: the writer needs a commit without us to have
        // its own turn, or the log would grow for as long as the load lasts.
        let _ = due.try_recv();
    }
}

/// Waits for no one that reads or writes, and they do not wait for it.
async fn checkpoint(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let checkpoint = sqlx::query("pragma wal_checkpoint(passive)");
    checkpoint.execute(connection).await.map(drop)
}
