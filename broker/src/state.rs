//! What all handlers of a broker share.

use crate::{config::BrokerConfig, registry::SocketRegistry};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// A broker's configuration, its open sockets, and the tasks that serve them. Clones are handles to
/// the same broker.
#[derive(Clone)]
pub(crate) struct BrokerState {
    pub(crate) config: Arc<BrokerConfig>,
    pub(crate) registry: Arc<SocketRegistry>,
    /// One for each socket.
    pub(crate) tasks: TaskTracker,
}

impl BrokerState {
    pub(crate) fn new(config: BrokerConfig) -> Self {
        Self {
            registry: Arc::new(SocketRegistry::new(&config.limits)),
            config: Arc::new(config),
            tasks: TaskTracker::new(),
        }
    }
}
