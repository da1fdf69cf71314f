//! Deletes expired links, codes and mails.

use super::{WINDOW, tries};
use crate::{
    clock::Clock,
    store::{LinkDatabase, StoreError},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often it runs.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Deletes links, and mails that were never sent, [`WINDOW`] after they expire. Runs until
/// `shutdown`.
pub async fn sweep(
    store: Arc<dyn LinkDatabase>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) {
    while !shutdown.is_cancelled() {
        if let Err(error) = sweep_once(&*store, &*clock).await {
            tracing::error!(%error, "links cannot be swept");
        }
        tokio::select! {
            () = clock.sleep_until(clock.now() + SWEEP_EVERY) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

async fn sweep_once(store: &dyn LinkDatabase, clock: &dyn Clock) -> Result<(), StoreError> {
    let before = clock.now() - WINDOW;
    store.sweep_links(before).await?;
    store.sweep_codes(tries::since(clock.now())).await?;
    let unsent = store.sweep_mails(before).await?;
    if unsent > 0 {
        tracing::error!(
            unsent,
            "mails have expired unsent; each process with a worker needs SMTP_URL"
        );
    }
    Ok(())
}
