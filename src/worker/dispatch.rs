//! How what is begun reaches the worker of the same process.
//!
//! A worker that has room, and behind whose queue no one waits, offers its places to those who
//! begin: such a confirmation is stored under the worker's lease from the start, so that it needs
//! no claim of its own and is asked about as soon as it is stored. All others are queued, and wake
//! the worker.

use super::{
    Environment,
    attempt::{self, Judge},
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
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Wakes the worker of this process, and gives it what is begun where it has room. Cheap to clone;
/// all clones are one.
#[derive(Clone, Default)]
pub struct Dispatch {
    wake: Arc<Notify>,
    worker: Arc<Mutex<Option<RunningWorker>>>,
}

/// What a running worker offers.
pub(super) struct RunningWorker {
    pub id: WorkerId,
    pub lease: Duration,
    pub circuit: Circuit,
    pub slots: Arc<Semaphore>,
    pub claims: mpsc::UnboundedSender<DirectClaim>,
}

/// A claim to what was begun under the worker's lease, with the places that it takes.
pub(super) struct DirectClaim {
    claim: Claim,
    /// When the lease passes.
    until: Timestamp,
    /// Whether what was begun is known to be stored.
    is_stored: bool,
    slot: Slot,
    place: HeldPlace,
}

/// A place that a worker offers to what is about to be begun. Given back when it is dropped.
pub(crate) struct Offer {
    confirmation: Confirmation,
    direct: DirectClaim,
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
        let worker = self.lock();
        let worker = worker.as_ref()?;
        let network = client.networks()[2];
        let until = now + worker.lease;
        let leased = confirmation.clone().claim(worker.id, network, now, until);
        let (confirmation, claim) = leased?;
        let (permit, place) = worker.circuit.offer(network, &worker.slots)?;
        let direct = DirectClaim {
            claim,
            until,
            is_stored: false,
            slot: Slot::taken(permit, &self.wake),
            place,
        };
        Some(Offer {
            confirmation,
            direct,
            claims: worker.claims.clone(),
        })
    }

    /// Offers places from now on. A worker that has offered some before does so no more.
    pub(super) fn open(&self, worker: RunningWorker) {
        *self.lock() = Some(worker);
    }

    /// Offers no more places of this worker.
    pub(super) fn close(&self, id: WorkerId) {
        self.lock().take_if(|worker| worker.id == id);
    }

    fn lock(&self) -> MutexGuard<'_, Option<RunningWorker>> {
        // Nothing in there panics half-way through a change.
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Takes the place, now that the confirmation is stored. If the worker has stopped meanwhile,
    /// returns the claim.
    pub fn take(mut self) -> Option<Claim> {
        self.direct.is_stored = true;
        self.hand_back()
    }

    /// Has the worker hand the claim back, if there is one: the confirmation may be stored or not.
    /// If the worker has stopped meanwhile, returns the claim.
    pub fn hand_back(self) -> Option<Claim> {
        let unsent = self.claims.send(self.direct).err()?;
        Some(unsent.0.claim)
    }
}

/// Starts an attempt at each of these claims, until no more can come. One that may not be stored,
/// or whose lease is too short for an attempt by now, is handed back.
pub(super) async fn work_off(
    environment: Environment,
    circuit: Circuit,
    mut claims: mpsc::UnboundedReceiver<DirectClaim>,
    hand_back: CancellationToken,
) {
    let mut attempts = JoinSet::new();
    loop {
        let direct = tokio::select! {
            direct = claims.recv() => direct,
            () = hand_back.cancelled() => {
                claims.close();
                claims.recv().await
            }
        };
        let Some(direct) = direct else { break };
        let ends = environment.clock.now() + environment.timing.attempt;
        let judge = if direct.is_stored && ends <= direct.until {
            Judge::of(&environment, &circuit, &direct.claim, true)
        } else {
            Judge::Another
        };
        // The judge holds one of its own by now.
        drop(direct.place);
        attempts.spawn(attempt::run(
            environment.clone(),
            direct.claim,
            judge,
            direct.slot,
            hand_back.clone(),
        ));
        while attempts.try_join_next().is_some() {}
    }
    while attempts.join_next().await.is_some() {}
}
