//! What a worker works with. The services that pages and mails use take their tools from it too, so
//! that all of them have the same.

use crate::{
    caps::Room,
    clock::Clock,
    mail::Outbox,
    outcome::Destinations,
    publisher::Publisher,
    secret::{Entropy, Keys},
    store::Stores,
    timing::Timing,
    validator::Validator,
};
use std::sync::Arc;
use tokio::sync::Notify;

/// What a worker works with.
#[derive(Clone)]
pub struct Environment {
    /// Where everything is stored.
    pub stores: Stores,
    /// Who judges tokens other than our own.
    pub validator: Arc<dyn Validator>,
    /// Who tells the browsers.
    pub publisher: Arc<dyn Publisher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The operator's keys, which unseal tokens.
    pub keys: Arc<Keys>,
    /// Where outcomes lead.
    pub destinations: Destinations,
    /// How long each part may take.
    pub timing: Timing,
    /// How much room there is for confirmations.
    pub room: Arc<Room>,
    /// Where mail goes out; `None` where no mail can be sent.
    pub outbox: Option<Outbox>,
    /// What wakes the [worker of notices](crate::notice::NoticeWorker); `None` where the application
    /// is told of no confirmation.
    pub notice_wake: Option<Arc<Notify>>,
}

/// Here, so that mail needs to know nothing of workers.
impl Outbox {
    /// An outbox. It wakes the mail worker through `mail_wake`.
    #[must_use]
    pub fn new(environment: &Environment, mail_wake: Arc<Notify>) -> Self {
        let Environment {
            stores,
            clock,
            entropy,
            keys,
            ..
        } = environment.clone();
        Self {
            store: stores.mails,
            users: stores.users,
            clock,
            entropy,
            keys,
            mail_wake,
        }
    }
}
