//! The confirmations that wait for a worker.

use super::{MemoryDatabase, Tables};
use crate::{
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Noted, Postponement, State, Which,
        WorkerId,
    },
    store::{ConfirmationQueue, StoreError},
};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// When a worker may claim a confirmation.
fn claimable(confirmation: &Confirmation) -> Option<Timestamp> {
    let State::Queued(queued) = &confirmation.state else {
        return None;
    };
    Some(
        queued
            .lease
            .map_or(queued.due_at, |lease| lease.until.max(queued.due_at)),
    )
}

/// When it is past its deadline, and under no lease.
fn overdue(confirmation: &Confirmation) -> Option<Timestamp> {
    let State::Queued(queued) = &confirmation.state else {
        return None;
    };
    Some(queued.lease.map_or(confirmation.deadline, |lease| {
        lease.until.max(confirmation.deadline)
    }))
}

#[async_trait]
impl ConfirmationQueue for MemoryDatabase {
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        let tables = self.lock();
        let undecided = tables
            .confirmations
            .values()
            .filter(|confirmation| confirmation.ending().is_none());
        Ok(undecided.take(at_most as usize).map(|_| 1).sum())
    }

    async fn answered_later(&self, at_most: u32) -> Result<u32, StoreError> {
        let tables = self.lock();
        let later = tables
            .confirmations
            .values()
            .filter(|confirmation| confirmation.later().is_some());
        Ok(later.take(at_most as usize).map(|_| 1).sum())
    }

    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        let mut tables = self.lock();
        let deadlines = which.deadlines(now);
        let meant = |confirmation: &&Confirmation| {
            confirmation.is_due(now) && deadlines.contains(&confirmation.deadline)
        };
        let mut due: Vec<_> = tables.confirmations.values().filter(meant).collect();
        let begun = |confirmation: &Confirmation| tables.begun.get(&confirmation.id).copied();
        let turn = |confirmation: &Confirmation| match which {
            Which::Overdue => None,
            Which::Any | Which::WithTime(_) => begun(confirmation).map(|(_, turn)| turn),
        };
        due.sort_by_key(|confirmation| {
            (
                turn(confirmation),
                overdue(confirmation),
                claimable(confirmation),
            )
        });
        let mut counts = BTreeMap::new();
        let mut claimed = Vec::new();
        for confirmation in due {
            let network = begun(confirmation)
                .map(|(client, _)| client.networks()[2])
                .unwrap_or_default();
            let count = counts.entry(network).or_insert(0);
            if claimed.len() < limits.in_all as usize
                && (which == Which::Overdue || *count < limits.of(&network))
            {
                *count += 1;
                claimed.extend(confirmation.clone().claim(worker, network, now, until));
            }
        }
        Ok(claimed
            .into_iter()
            .map(|(confirmation, claim)| {
                tables.confirmations.insert(confirmation.id, confirmation);
                claim
            })
            .collect())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .lock()
            .confirmations
            .values()
            .filter_map(claimable)
            .min())
    }

    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .lock()
            .confirmations
            .values()
            .filter_map(claimable)
            .filter(|due| *due > now)
            .min())
    }

    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lock().confirmations.values().filter_map(overdue).min())
    }

    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        why: Postponement,
    ) -> Result<Noted, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get(&claim.id).cloned() else {
            return Ok(Noted::TooLate);
        };
        let has_room = match why {
            Postponement::Later(wait) => tables.has_room(&confirmation, wait.room),
            Postponement::HandedBack | Postponement::Failed => true,
        };
        let Ok(next) = confirmation.postpone(claim.fence, due, why) else {
            return Ok(Noted::TooLate);
        };
        if !has_room {
            return Ok(Noted::NoRoom);
        }
        tables.confirmations.insert(claim.id, next);
        Ok(Noted::Stored)
    }

    async fn list_undecided(
        &self,
        after: Option<&Confirmation>,
        limit: u32,
    ) -> Result<Vec<Confirmation>, StoreError> {
        let key = |confirmation: &Confirmation| (confirmation.created_at, confirmation.id);
        let tables = self.lock();
        let mut undecided: Vec<_> = tables
            .confirmations
            .values()
            .filter(|confirmation| confirmation.ending().is_none())
            .filter(|confirmation| after.is_none_or(|after| key(confirmation) > key(after)))
            .cloned()
            .collect();
        undecided.sort_by_key(key);
        undecided.truncate(limit as usize);
        Ok(undecided)
    }

    async fn ask_again(&self, id: ConfirmationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get_mut(&id) else {
            return Ok(false);
        };
        let Ok(next) = confirmation.clone().ask_again(now) else {
            return Ok(false);
        };
        *confirmation = next;
        Ok(true)
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = |confirmation: &Confirmation| matches!(&confirmation.state, State::Settled(decided) if decided.at < before);
        let mut tables = self.lock();
        let count = tables.confirmations.len();
        tables
            .confirmations
            .retain(|_, confirmation| !old(confirmation));
        let Tables {
            confirmations,
            begun,
            ..
        } = &mut *tables;
        begun.retain(|id, _| confirmations.contains_key(id));
        Ok((count - confirmations.len()) as u64)
    }
}
