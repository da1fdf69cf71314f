//! The breaker as attempts share it: who asks holds a call, and what becomes of the call is told to the breaker.

use super::{
    Tools,
    breaker::{Breaker, Change, Heard, Round},
};
use crate::{
    clock::{Clock, Timestamp},
    secret::Entropy,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A breaker that many share. Cheap to clone.
#[derive(Clone)]
pub(super) struct Circuit {
    breaker: Arc<Mutex<Breaker>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Circuit {
    pub(super) fn new(tools: &Tools, limit: usize) -> Self {
        let breaker = Arc::new(Mutex::new(Breaker::new(limit)));
        Self { breaker, clock: tools.clock.clone(), entropy: tools.entropy.clone() }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed()
    }

    /// How many more may be asked about now.
    pub(super) fn room(&self) -> usize {
        self.lock().room(self.clock.now(), &*self.entropy)
    }

    /// When a few may be asked about again, if nobody may now.
    pub(super) fn probe_at(&self) -> Option<Timestamp> {
        self.lock().probe_at()
    }

    /// A call for somebody who is about to ask.
    pub(super) fn call(&self) -> Call {
        Call { round: self.lock().ask(), circuit: self.clone(), heard: Heard::Nothing }
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        // Nothing in there panics half-way through a change.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One question to the validator. One that is dropped was cut short.
pub(super) struct Call {
    circuit: Circuit,
    round: Round,
    heard: Heard,
}

impl Call {
    /// Ends it with what was heard.
    pub(super) fn end(mut self, heard: Heard) {
        self.heard = heard;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Circuit { clock, entropy, .. } = &self.circuit;
        let change = self.circuit.lock().hear(self.round, self.heard, clock.now(), &**entropy);
        match change {
            Some(Change::Opened) => {
                tracing::warn!("the validator gives no verdicts; it is tried now and then until it does");
            }
            Some(Change::Recovers) => tracing::info!("the validator answers again"),
            None => {}
        }
    }
}
