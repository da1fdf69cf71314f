//! The database's time, by which leases are measured: servers whose own clocks differ would take
//! each other's leases for passed.

use super::{PostgresStore, connection::lend};
use crate::clock::{Clock, Timestamp, ToldTime};
use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often it is asked again: steady clocks drift apart by milliseconds within this time.
const ASK_EVERY: Duration = Duration::from_secs(30);

/// The database's clock, to within a round trip. Reading the time never waits for the database.
#[derive(Clone, Debug)]
pub struct DatabaseClock {
    time: Arc<ToldTime>,
    /// Ends the asking with the last clone.
    _asking: Arc<DropGuard>,
}

impl PostgresStore {
    /// The time by which all servers on this database can measure leases alike.
    #[must_use]
    pub fn clock(&self) -> DatabaseClock {
        self.clock.clone()
    }
}

impl DatabaseClock {
    /// Asks through `connection`, and goes on asking through `pool`.
    pub(super) async fn start(
        connection: &mut PgConnection,
        pool: PgPool,
    ) -> Result<Self, sqlx::Error> {
        let asked = Instant::now();
        let time = Arc::new(ToldTime::new(ask(connection).await?, asked));
        let end = CancellationToken::new();
        let asking = keep_asking(Arc::downgrade(&time), pool);
        tokio::spawn(end.clone().run_until_cancelled_owned(asking));
        Ok(Self {
            time,
            _asking: Arc::new(end.drop_guard()),
        })
    }
}

#[async_trait]
impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        self.time.now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        while self.now() < at {
            tokio::time::sleep(at.since(self.now())).await;
        }
    }
}

async fn keep_asking(time: Weak<ToldTime>, pool: PgPool) {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        let told = lend(&pool, |connection| {
            Box::pin(async move {
                let asked = Instant::now();
                Ok((ask(connection).await?, asked))
            })
        });
        // While the database is away, the time goes on.
        if let (Ok((told, asked)), Some(time)) = (told.await, time.upgrade()) {
            time.correct(told, asked);
        }
    }
}

async fn ask(connection: &mut PgConnection) -> Result<Timestamp, sqlx::Error> {
    let millis =
        sqlx::query_scalar("select (extract(epoch from clock_timestamp()) * 1000)::bigint");
    millis
        .fetch_one(connection)
        .await
        .map(Timestamp::from_millis)
}
