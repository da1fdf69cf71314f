//! How many sockets one client may have: the embedder decides.

use std::{any::Any, fmt, sync::Arc};

/// Decides whether the client of a request may have one more socket.
///
/// Put one into the request's extensions, in a layer around
/// [`Broker::socket_routes`](crate::Broker::socket_routes). Without one there is no limit for a
/// client, only [`Limits::max_connections`](crate::Limits::max_connections) for all together.
///
/// What a client is, such as a network address or a user, is up to the embedder. This one lets each
/// client have ten sockets:
///
/// ```
/// use std::sync::Arc;
/// use tokio::sync::Semaphore;
/// use vestibule_broker::{QuotaError, SocketPermit, SocketQuota};
///
/// /// The quota of one client, which has a semaphore with ten permits.
/// fn quota(client: Arc<Semaphore>) -> SocketQuota {
///     SocketQuota::new(move |_| {
///         let permit = Arc::clone(&client).try_acquire_owned();
///         permit.map(SocketPermit::new).map_err(|_| QuotaError::Client)
///     })
/// }
/// ```
#[derive(Clone)]
pub struct SocketQuota(Arc<QuotaFn>);

type QuotaFn = dyn Fn(SocketUsage) -> Result<SocketPermit, QuotaError> + Send + Sync;

impl SocketQuota {
    /// A quota that `acquire` decides. It is called once, just before the socket is opened, and the
    /// permit is dropped as soon as the socket counts no more.
    ///
    /// Both happen while the broker holds a lock, so that no two sockets are counted at the same
    /// time. They must be fast, and must not call the broker.
    #[must_use]
    pub fn new(
        acquire: impl Fn(SocketUsage) -> Result<SocketPermit, QuotaError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(acquire))
    }

    pub(crate) fn acquire(&self, usage: SocketUsage) -> Result<SocketPermit, QuotaError> {
        (self.0)(usage)
    }
}

impl fmt::Debug for SocketQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketQuota(..)")
    }
}

/// How many sockets there are of all clients, for a quota that leaves less to each when few are
/// left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketUsage {
    /// Open sockets, without the new one.
    pub open: usize,
    /// How many there may be: [`Limits::max_connections`](crate::Limits::max_connections).
    pub max: usize,
}

/// Why a client may not have one more socket. Both close it with 4100 ("try again later"), with
/// different reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// The client has as many sockets as one client may have.
    #[error("the client has as many sockets as it may have")]
    Client,
    /// The sockets that are left are kept for other clients.
    #[error("there are as many sockets as there may be")]
    Capacity,
}

/// Something to drop when a socket is gone, such as a permit of a semaphore.
///
/// In a request's extensions, it is kept until the socket's task has ended, even if the socket is
/// refused. Returned by a [`SocketQuota`], it is kept for as long as the socket counts.
#[derive(Clone)]
pub struct SocketPermit(
    #[expect(dead_code, reason = "held for its Drop")] Arc<dyn Any + Send + Sync>,
);

impl SocketPermit {
    /// Keeps `held` until the socket is gone.
    #[must_use]
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self(Arc::new(held))
    }
}

impl fmt::Debug for SocketPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketPermit(..)")
    }
}
