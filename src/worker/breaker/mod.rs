//! Whether the validator is worth asking: a circuit breaker. Pure: time and chance are parameters.
//!
//! *Closed*: all confirmations are asked about. Failures of different sources in a row, without an
//! answer between them, *open* it: only a few probes are sent, after a pause that grows. The first
//! answer to a probe has it *recover*: each answer lets one more be asked about at once, each
//! failure of another source one fewer. That doubles with every round of answers, and does not
//! flatten a service that has just come back. It ends closed when as many are let through as the
//! worker can ask about, or open again at none.
//!
//! A *source* is what may fail by itself: however often it does, it counts once, and it takes no
//! place of others while the breaker recovers. A verdict and a refusal for good are both answers:
//! the service is there.

#[cfg(test)]
mod tests;

use crate::{
    backoff::{Backoff, Jitter},
    clock::Timestamp,
    secret::Entropy,
};
use std::{collections::HashSet, time::Duration};

/// How many sources have to fail in a row to open it.
const IN_A_ROW: usize = 20;
/// The same for a worker that asks about few at once, where so many take long.
const IN_A_ROW_OF_FEW: usize = 5;
/// The longest pause between probes: so late may a return be noticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The pauses between probes. Half of each is drawn at random, so that several workers do not ask
/// together.
const PAUSES: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: LONGEST_PAUSE,
    jitter: Jitter::Half,
};
/// The most probes after one pause. After the first it is one; a token that fails on its own must
/// not keep all others waiting, so their number grows with the pauses.
const MOST_PROBES: usize = 16;
/// How many are asked about at once after the first answer: one more for it.
const RECOVER_WITH: usize = 2;

/// What may fail by itself.
pub type Source = [u8; 16];

/// A breaker of one worker and its validator.
#[derive(Debug)]
pub struct Breaker {
    /// How many the worker can ask about at once.
    limit: usize,
    state: BreakerState,
    /// What was asked in an earlier round says nothing about now: an outage's time-outs arrive long
    /// after its end.
    round: u64,
    /// How many of this round are being asked about.
    asking: usize,
    /// How many pauses there have been since it was closed.
    pauses: u32,
}

#[derive(Debug)]
enum BreakerState {
    Closed {
        failed: HashSet<Source>,
    },
    Open {
        probe_at: Timestamp,
        probes: usize,
    },
    Recovering {
        at_once: usize,
        failed: HashSet<Source>,
    },
}

/// Something that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerTicket {
    source: Source,
    /// Between which two changes it was asked.
    round: u64,
    /// Whether it takes one of the places of those who are being asked about.
    counts: bool,
}

/// What was heard of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// The validator answered.
    Answer,
    /// No answer, or one that is none.
    Failure {
        /// How long the validator asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It was not asked for long enough to say anything.
    Inconclusive,
}

/// What an operator wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerChange {
    /// Only a few probes are sent from now on.
    Opened,
    /// The validator answers again.
    Recovers,
}

impl Breaker {
    /// A closed breaker of a worker that asks about up to `limit` at once.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            state: BreakerState::closed(),
            round: 0,
            asking: 0,
            pauses: 0,
        }
    }

    /// Whether it is as it was in the beginning.
    pub fn is_untouched(&self) -> bool {
        matches!(&self.state, BreakerState::Closed { failed } if failed.is_empty())
    }

    /// Whether all confirmations are asked about.
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, BreakerState::Closed { .. })
    }

    /// How many more may be asked about now.
    pub fn room(&mut self, now: Timestamp, entropy: &dyn Entropy) -> usize {
        match &mut self.state {
            BreakerState::Closed { .. } => self.limit.saturating_sub(self.asking),
            BreakerState::Recovering { at_once, .. } => at_once.saturating_sub(self.asking),
            BreakerState::Open { probe_at, probes } => {
                // Nothing waits for an unanswered probe: the next pause has probes of its own. A
                // clock that was set back must not lengthen a pause.
                if *probe_at <= now || probe_at.since(now) > LONGEST_PAUSE {
                    *probes = MOST_PROBES
                        .min(1 << (self.pauses - 1).min(8))
                        .min(self.limit);
                    self.pauses = self.pauses.saturating_add(1);
                    *probe_at = now + PAUSES.wait(self.pauses, entropy);
                }
                *probes
            }
        }
    }

    /// When there will be probes, if it is open.
    pub const fn probe_at(&self) -> Option<Timestamp> {
        match self.state {
            BreakerState::Open { probe_at, .. } => Some(probe_at),
            BreakerState::Closed { .. } | BreakerState::Recovering { .. } => None,
        }
    }

    /// One more is asked about, which is of `source`.
    pub fn ask(&mut self, source: Source) -> BreakerTicket {
        let mut counts = true;
        match &mut self.state {
            BreakerState::Closed { .. } => {}
            BreakerState::Open { probes, .. } => *probes = probes.saturating_sub(1),
            // It has failed before: all others must not wait for it.
            BreakerState::Recovering { failed, .. } => counts = !failed.contains(&source),
        }
        self.asking += usize::from(counts);
        BreakerTicket {
            source,
            round: self.round,
            counts,
        }
    }

    /// Takes note of what was heard of a question.
    pub fn hear(
        &mut self,
        question: BreakerTicket,
        heard: CallResult,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Option<BreakerChange> {
        let BreakerTicket {
            source,
            round,
            counts,
        } = question;
        if round != self.round {
            return None;
        }
        self.asking = self.asking.saturating_sub(usize::from(counts));
        match (&mut self.state, heard) {
            (_, CallResult::Inconclusive) => None,
            (BreakerState::Closed { failed }, CallResult::Answer) => {
                failed.clear();
                None
            }
            (BreakerState::Closed { failed }, CallResult::Failure { retry_after }) => {
                failed.insert(source);
                let opens = failed.len() >= self.limit.clamp(IN_A_ROW_OF_FEW, IN_A_ROW);
                opens.then(|| self.open(retry_after, now, entropy))
            }
            (BreakerState::Open { .. }, CallResult::Answer) => {
                self.turn(BreakerState::Recovering {
                    at_once: RECOVER_WITH,
                    failed: HashSet::new(),
                });
                self.close_if_all_are_let_through();
                Some(BreakerChange::Recovers)
            }
            (BreakerState::Open { probe_at, .. }, CallResult::Failure { retry_after }) => {
                *probe_at = (*probe_at).max(now + asked(retry_after));
                None
            }
            (BreakerState::Recovering { at_once, failed }, CallResult::Answer) => {
                failed.remove(&source);
                *at_once += 1;
                self.close_if_all_are_let_through();
                None
            }
            (BreakerState::Recovering { at_once, failed }, CallResult::Failure { retry_after }) => {
                if failed.insert(source) {
                    *at_once -= 1;
                }
                (*at_once == 0).then(|| self.open(retry_after, now, entropy))
            }
        }
    }

    fn open(
        &mut self,
        retry_after: Option<Duration>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> BreakerChange {
        // One that opens again while it recovers goes on with longer pauses.
        self.pauses = self.pauses.max(1);
        let wait = PAUSES.wait(self.pauses, entropy).max(asked(retry_after));
        self.turn(BreakerState::Open {
            probe_at: now + wait,
            probes: 0,
        });
        BreakerChange::Opened
    }

    fn turn(&mut self, state: BreakerState) {
        self.state = state;
        self.round += 1;
        self.asking = 0;
    }

    /// A change within a round: those who are being asked about go on to count.
    fn close_if_all_are_let_through(&mut self) {
        if matches!(self.state, BreakerState::Recovering { at_once, .. } if at_once >= self.limit) {
            self.state = BreakerState::closed();
            self.pauses = 0;
        }
    }
}

impl BreakerState {
    fn closed() -> Self {
        Self::Closed {
            failed: HashSet::new(),
        }
    }
}

/// The pause that a validator has asked for, as far as a few probes keep to it.
fn asked(retry_after: Option<Duration>) -> Duration {
    retry_after.unwrap_or_default().min(LONGEST_PAUSE)
}
