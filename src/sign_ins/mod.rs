//! What a page can ask of Vestibule on the way in: land, begin, status, cancel. None of it waits
//! for a validator.

mod begin;
mod callback;
mod cancel;
mod decide;
mod land;
mod status;

use crate::{
    caps::Room,
    channel::Channel,
    clock::{Clock, Timestamp},
    mail::Outbox,
    outcome::Destinations,
    publisher::Publisher,
    secret::{Entropy, Keys},
    store::Stores,
    timing::Timing,
    worker::{Dispatch, Environment},
};
use std::sync::Arc;
use tokio::sync::Notify;

pub(crate) use cancel::{CancelResult, cancel};

pub use callback::Reception;
pub use land::Pending;
pub use vestibule_protocol::{Progress, Step};

/// The service that pages and server functions call. Cheap to clone.
#[derive(Clone)]
pub struct SignIns {
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) timing: Timing,
    pub(crate) destinations: Destinations,
    pub(crate) room: Arc<Room>,
    publisher: Arc<dyn Publisher>,
    outbox: Option<Outbox>,
    notice_wake: Option<Arc<Notify>>,
    pub(crate) dispatch: Dispatch,
}

/// What is known of a browser's confirmation.
pub type Report = vestibule_protocol::Report<Channel>;

impl SignIns {
    /// A service with the same tools as a worker, which it reaches through `dispatch`.
    #[must_use]
    pub fn new(environment: &Environment, dispatch: Dispatch) -> Self {
        let Environment {
            stores,
            publisher,
            clock,
            entropy,
            keys,
            destinations,
            timing,
            room,
            outbox,
            notice_wake,
            ..
        } = environment.clone();
        Self {
            stores,
            clock,
            entropy,
            keys,
            timing,
            destinations,
            room,
            publisher,
            outbox,
            notice_wake,
            dispatch,
        }
    }

    /// The operator's keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How long each part may take.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Where outcomes lead.
    #[must_use]
    pub fn destinations(&self) -> &Destinations {
        &self.destinations
    }

    /// Where everything is stored.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Unpredictable bytes.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}
