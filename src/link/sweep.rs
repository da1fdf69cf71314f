//! Deletes expired links, codes and mails.

use super::{WINDOW, tries};
use crate::{
    clock::Clock,
    store::{StoreError, Stores},
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often it runs.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Deletes links, and mails that were never sent, [`WINDOW`] after they expire. Runs until
/// `shutdown`.
pub async fn sweep(stores: Stores, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = sweep_once(&stores, &*clock).await {
            tracing::error!(%error, "links cannot be swept");
        }
        tokio::select! {
            () = clock.sleep_until(clock.now() + SWEEP_EVERY) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

async fn sweep_once(stores: &Stores, clock: &dyn Clock) -> Result<(), StoreError> {
    let before = clock.now() - WINDOW;
    stores.links.sweep_links(before).await?;
    stores.links.sweep_codes(tries::since(clock.now())).await?;
    let unsent = stores.mails.sweep_mails(before).await?;
    if unsent > 0 {
        tracing::error!(
            unsent,
            "mails have expired unsent; each process with a worker needs SMTP_URL"
        );
    }
    Ok(())
}
