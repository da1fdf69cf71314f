//! The background task that has notices taken.

use super::{Notice, OnConfirmed};
use crate::{
    clock::{Clock, Timestamp, until},
    failpoint,
    store::{NoticeStore, StoreError, UserStore},
    worker::Environment,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// How many notices are being taken at once.
const AT_ONCE: u32 = 64;
/// How long the application may take with one.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long no other process may give it one that was given: longer than it may take. Then it is
/// given again, if it has not been taken.
const LEASE: Duration = Duration::from_mins(1);
/// How often it looks without having been told.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After how long one that is never taken is given up.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Gives the application its notices, as often as it takes.
#[derive(Clone)]
pub struct NoticeWorker {
    notices: Arc<dyn NoticeStore>,
    users: Arc<dyn UserStore>,
    application: Arc<dyn OnConfirmed>,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
}

impl NoticeWorker {
    /// A worker that gives `application` its notices, told through `wake` that there are some.
    #[must_use]
    pub fn new(
        application: Arc<dyn OnConfirmed>,
        environment: &Environment,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            notices: environment.stores.notices.clone(),
            users: environment.stores.users.clone(),
            application,
            clock: environment.clock.clone(),
            wake,
        }
    }

    /// Works until `shutdown`. What is being taken then is finished; the rest is given after the next
    /// start.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut giving = JoinSet::new();
        while !shutdown.is_cancelled() {
            // Registered before the look, so that a notice which comes between the look and the wait
            // is not missed.
            let woken = self.wake.notified();
            let again = self.look(&mut giving).await.unwrap_or_else(|error| {
                tracing::error!(%error, "notices cannot be read");
                self.clock.now() + LOOK_EVERY
            });
            tokio::select! {
                biased;
                Some(given) = giving.join_next() => report(given),
                () = woken => {}
                () = self.clock.sleep_until(again) => {}
                () = shutdown.cancelled() => {}
            }
        }
        while let Some(given) = giving.join_next().await {
            report(given);
        }
    }

    /// Begins to give as many as there is room for of those that are due, and says when to look
    /// again.
    async fn look(
        &self,
        giving: &mut JoinSet<Result<(), StoreError>>,
    ) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        let room = AT_ONCE.saturating_sub(u32::try_from(giving.len()).unwrap_or(AT_ONCE));
        if room > 0 {
            failpoint::reach("telling");
            for notice in self.notices.take_notices(room, now, now + LEASE).await? {
                let worker = self.clone();
                giving.spawn(async move { worker.give(notice).await });
            }
        }
        Ok(now + LOOK_EVERY)
    }

    async fn give(&self, notice: Notice) -> Result<(), StoreError> {
        let now = self.clock.now();
        let id = notice.confirmation;
        // Of a user who has been removed since, there is nothing to tell.
        let Some(user) = self.users.user(notice.user).await? else {
            return self.notices.remove_notice(id).await;
        };
        if now.since(notice.created_at) > GIVE_UP_AFTER {
            tracing::error!(confirmation = %id, user = %notice.user, "the application has not taken a notice for a day; it is given up");
            return self.notices.remove_notice(id).await;
        }
        let taken = self.application.confirmed(user, notice.is_new);
        match until(&*self.clock, now + PATIENCE, taken).await {
            Ok(Ok(())) => self.notices.remove_notice(id).await,
            Ok(Err(error)) => {
                tracing::error!(confirmation = %id, %error, "the application has not taken a notice; it is given again");
                Ok(())
            }
            Err(_) => {
                tracing::error!(confirmation = %id, "the application took over {PATIENCE:?} with a notice; it is given again");
                Ok(())
            }
        }
    }
}

fn report(given: Result<Result<(), StoreError>, JoinError>) {
    match given {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "a notice is given again"),
        // Not with what it says: that is the application's.
        Err(_) => tracing::error!("the application panicked at a notice; it is given again"),
    }
}
