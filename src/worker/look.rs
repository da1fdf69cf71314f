//! To look for what is due, claim it by turns, and start an attempt at each.

use super::{
    Attempts, Worker,
    attempt::{self, Judge},
    slot::Slot,
};
use crate::{
    clock::Timestamp,
    confirmation::{Claim, ClaimLimits, Which},
    store::StoreError,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

impl Worker {
    /// Claims as many as there is room for, starts an attempt at each, and says when to look again
    /// at the latest.
    pub(super) async fn look(&self, attempts: &mut Attempts) -> Result<Timestamp, StoreError> {
        let mut again = self.now() + self.environment.timing.poll;
        let confirmations = &self.environment.stores.confirmations;
        if let Err(error) = confirmations.settle_abandoned(self.now()).await {
            // Validating goes on meanwhile: what it comes to waits in the database.
            tracing::error!(%error, "the worker cannot settle what is decided");
        }
        let limits = self.limits();
        if limits.in_all == 0 || self.circuit.is_tried() || limits.left_out().next().is_some() {
            // Their deadlines wait for no place and for no validator.
            again = again.min(self.end_overdue(attempts).await?.unwrap_or(again));
        }
        let next = if limits.in_all > 0 {
            self.claim_what_is_due(attempts).await?
        } else {
            self.circuit.stop_offers();
            None
        };
        let probe_at = self.circuit.probe_at();
        Ok(next.into_iter().chain(probe_at).fold(again, Timestamp::min))
    }

    /// Claims what is due, as far as there is room, and says when the next one is due. Places are
    /// offered to what is begun only while no one waits for one here.
    async fn claim_what_is_due(
        &self,
        attempts: &mut Attempts,
    ) -> Result<Option<Timestamp>, StoreError> {
        let next = self.environment.stores.queue.next_due().await?;
        if next.is_none_or(|due| due > self.now()) {
            self.circuit.resume_offers();
            return Ok(next);
        }
        self.circuit.stop_offers();
        loop {
            let limits = self.limits();
            if limits.in_all == 0 {
                return Ok(None);
            }
            let now = self.now();
            let claims = self.claim_to_ask(&limits, now).await?;
            let full = claims.len() == limits.in_all as usize;
            let any = !claims.is_empty();
            let reached = limits.reached_by(&claims);
            for claim in claims {
                let judge = Judge::of(&self.environment, &self.circuit, &claim, true);
                self.start(attempts, claim, judge, &self.slots);
            }
            if full {
                return Ok(None);
            }
            if !reached {
                let next = self.next_due(&limits, now, any).await?;
                let waits = next.is_some_and(|due| due <= self.now());
                // Of a network that is left out, more may wait.
                if !waits && limits.left_out().next().is_none() {
                    self.circuit.resume_offers();
                }
                return Ok(next);
            }
            // A network had as many as it may have, and others may have been behind it.
        }
    }

    fn limits(&self) -> ClaimLimits {
        self.circuit.limits(&self.slots)
    }

    /// When the next one is due that was not claimed at `now`, though it was let in. What was left
    /// out is due all the time.
    async fn next_due(
        &self,
        limits: &ClaimLimits,
        now: Timestamp,
        any: bool,
    ) -> Result<Option<Timestamp>, StoreError> {
        if limits.exceptions.is_empty() {
            return self.environment.stores.queue.next_due().await;
        }
        // Those with time were claimed, and perhaps others wait.
        if any && self.circuit.is_tried() {
            return Ok(Some(now));
        }
        self.environment.stores.queue.next_due_after(now).await
    }

    /// By turns, but while the validator is tried and may yet be away, those first that have time
    /// for an answer: it would learn nothing from questions that the deadline cuts short.
    async fn claim_to_ask(
        &self,
        limits: &ClaimLimits,
        now: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        if self.circuit.is_tried() {
            let claims = self
                .claim(
                    Which::WithTime(self.environment.timing.telling()),
                    limits,
                    now,
                )
                .await?;
            if !claims.is_empty() {
                return Ok(claims);
            }
        }
        self.claim(Which::Any, limits, now).await
    }

    /// Ends what is past its deadline, some at a time, and says when there will be more.
    async fn end_overdue(&self, attempts: &mut Attempts) -> Result<Option<Timestamp>, StoreError> {
        let room = self.overdue.available_permits();
        if room == 0 {
            return Ok(None);
        }
        let limits = u32::try_from(room).unwrap_or(u32::MAX).into();
        let claims = self.claim(Which::Overdue, &limits, self.now()).await?;
        let full = claims.len() == room;
        for claim in claims {
            let judge = Judge::of(&self.environment, &self.circuit, &claim, false);
            self.start(attempts, claim, judge, &self.overdue);
        }
        if full {
            Ok(None)
        } else {
            self.environment.stores.queue.next_overdue().await
        }
    }

    async fn claim(
        &self,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        let queue = &self.environment.stores.queue;
        queue
            .claim(
                self.id,
                which,
                limits,
                now,
                now + self.environment.timing.lease,
            )
            .await
    }

    fn start(&self, attempts: &mut Attempts, claim: Claim, judge: Judge, places: &Arc<Semaphore>) {
        let slot = Slot::take(places, &self.dispatch.waker());
        attempts.tasks.spawn(attempt::run(
            self.environment.clone(),
            claim,
            judge,
            slot,
            attempts.hand_back.clone(),
        ));
    }
}
