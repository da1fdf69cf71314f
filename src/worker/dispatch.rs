//! How what is begun reaches the worker of the same process.
//!
//! A worker that has room, and behind whose queue no one waits, offers its places to those who
//! begin: such a confirmation is stored under the worker's lease from the start, so that it needs
//! no claim of its own and is asked about as soon as it is stored. All others are queued, and wake
//! the worker.

use super::{
    circuit::{Circuit, HeldPlace},
    slot::Slot,
};
use crate::{
    caps::Client,
    clock::Timestamp,
    confirmation::{Claim, Confirmation, WorkerId},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore, mpsc};

/// Wakes the worker of this process, and gives it what is begun where it has room. Cheap to clone;
/// all clones are one.
#[derive(Clone, Default)]
pub struct Dispatch {
    wake: Arc<Notify>,
    desk: Arc<Mutex<Option<Desk>>>,
}

/// What a running worker offers.
pub(super) struct Desk {
    pub worker: WorkerId,
    pub lease: Duration,
    pub circuit: Circuit,
    pub slots: Arc<Semaphore>,
    pub claims: mpsc::UnboundedSender<DirectClaim>,
}

/// A confirmation that was begun under the worker's lease, with the places that it takes.
pub(super) struct DirectClaim {
    pub claim: Claim,
    pub slot: Slot,
    pub place: HeldPlace,
}

/// A place that a worker offers to what is about to be begun. Given back when it is dropped.
pub(crate) struct Offer {
    confirmation: Confirmation,
    claim: Claim,
    slot: Slot,
    place: HeldPlace,
    claims: mpsc::UnboundedSender<DirectClaim>,
}

impl Dispatch {
    /// Has the worker look for what is due.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// What wakes the worker.
    #[must_use]
    pub fn waker(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// A place for what this client is about to begin, if it is due and a worker has one for it.
    pub(crate) fn offer(
        &self,
        client: Client,
        confirmation: &Confirmation,
        now: Timestamp,
    ) -> Option<Offer> {
        let desk = self.lock();
        let desk = desk.as_ref()?;
        let network = client.networks()[2];
        let confirmation = confirmation.clone();
        let (confirmation, claim) =
            confirmation.claim(desk.worker, network, now, now + desk.lease)?;
        let (permit, place) = desk.circuit.offer(network, &desk.slots)?;
        Some(Offer {
            confirmation,
            claim,
            slot: Slot::taken(permit, &self.wake),
            place,
            claims: desk.claims.clone(),
        })
    }

    /// Offers places from now on. A worker that has offered some before does so no more.
    pub(super) fn open(&self, desk: Desk) {
        *self.lock() = Some(desk);
    }

    /// Offers no more places of this worker.
    pub(super) fn close(&self, worker: WorkerId) {
        self.lock().take_if(|desk| desk.worker == worker);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Desk>> {
        // Nothing in there panics half-way through a change.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch").finish_non_exhaustive()
    }
}

impl Offer {
    /// What is to be stored: the confirmation under the lease of the worker that offers the place.
    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    /// Whether this is what was to be stored, under the lease of the offer.
    pub fn is_for(&self, stored: &Confirmation) -> bool {
        stored.id == self.confirmation.id && stored.state == self.confirmation.state
    }

    /// Takes the place, once the confirmation is stored. If the worker has stopped meanwhile,
    /// returns the claim.
    pub fn take(self) -> Option<Claim> {
        let direct = DirectClaim {
            claim: self.claim,
            slot: self.slot,
            place: self.place,
        };
        let unsent = self.claims.send(direct).err()?;
        Some(unsent.0.claim)
    }

    /// Gives the place back, for the claim.
    pub fn decline(self) -> Claim {
        self.claim
    }
}
