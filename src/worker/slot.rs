//! A place among the validations that are in flight at once.

use std::sync::Arc;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// A place. When dropped, it is free again and the worker looks for the next confirmation.
pub(super) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
}

impl Slot {
    /// Takes a place. Only the worker takes places while it claims and it counts them before, so one
    /// is free; were it not, the attempt would go on without.
    pub(super) fn take(places: &Arc<Semaphore>, freed: &Arc<Notify>) -> Self {
        Self {
            permit: Arc::clone(places).try_acquire_owned().ok(),
            freed: Arc::clone(freed),
        }
    }

    /// A place that was taken before.
    pub(super) fn taken(permit: OwnedSemaphorePermit, freed: &Arc<Notify>) -> Self {
        Self {
            permit: Some(permit),
            freed: Arc::clone(freed),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.freed.notify_one();
    }
}
