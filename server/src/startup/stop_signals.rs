//! When a process is told to stop.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that tell a process to stop: `SIGINT`, as by Ctrl-C, and `SIGTERM`.
///
/// Those that come before they are listened to end it at once: so listen before the process says
/// that it is there.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system allows no more to be listened to.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Returns once one has come, for `with_graceful_shutdown` of axum.
    pub async fn received(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
