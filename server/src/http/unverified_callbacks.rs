//! How many callbacks each client may send that do not prove to be genuine.
//!
//! To find out whether one is genuine costs reading it and a MAC over all of it, so each is counted
//! before, and no longer counts once it has proved genuine. Who only sends genuine ones is bounded
//! by nothing but how many they have under way.

use crate::accounts::rate_limits::RateLimited;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use vestibule::caps::{Client, Shares, Tally};

/// How many callbacks of a client may not have proved genuine within a window; its wider networks
/// of IPv6 have the usual multiples.
const OF_CLIENT: u32 = 256;
/// How long a window is: then all are counted from nothing.
const WINDOW: Duration = Duration::from_secs(10);

/// Counts callbacks that have not proved genuine.
#[derive(Debug)]
pub struct UnverifiedCallbacks(Mutex<Window>);

#[derive(Debug)]
struct Window {
    start: Instant,
    tally: Tally,
}

/// A callback that is counted until it proves genuine.
#[derive(Debug)]
pub struct UnverifiedCallback<'c> {
    counts: &'c UnverifiedCallbacks,
    client: Client,
    /// When the window began in which it is counted.
    start: Instant,
}

impl Window {
    fn starting(start: Instant) -> Self {
        Self {
            start,
            tally: Tally::default(),
        }
    }
}

impl Default for UnverifiedCallbacks {
    fn default() -> Self {
        Self(Mutex::new(Window::starting(Instant::now())))
    }
}

impl UnverifiedCallbacks {
    /// Counts a callback of `client`, before anything is done for it.
    ///
    /// # Errors
    /// [`RateLimited`] if too many of its callbacks were not genuine, or are under way.
    pub fn count(&self, client: Client) -> Result<UnverifiedCallback<'_>, RateLimited> {
        let now = Instant::now();
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now - window.start >= WINDOW {
            *window = Window::starting(now);
        }
        if !window.tally.take(client, Shares::new(OF_CLIENT)) {
            return Err(RateLimited(WINDOW.saturating_sub(now - window.start)));
        }
        Ok(UnverifiedCallback {
            counts: self,
            client,
            start: window.start,
        })
    }
}

impl UnverifiedCallback<'_> {
    /// It is genuine, and does not count.
    pub fn proved_genuine(self) {
        let window = self.counts.0.lock();
        let mut window = window.unwrap_or_else(PoisonError::into_inner);
        if window.start == self.start {
            window.tally.give_back(self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn client(number: u8) -> Client {
        Client::in_networks([[number; 16]; 3])
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_with_too_many_that_are_not_genuine_waits_and_no_other_does() {
        let callbacks = UnverifiedCallbacks::default();
        advance(Duration::from_secs(3)).await;
        for _ in 0..OF_CLIENT {
            assert!(callbacks.count(client(1)).is_ok());
        }
        let refused = callbacks.count(client(1)).err();
        assert_eq!(refused, Some(RateLimited(Duration::from_secs(7))));
        assert!(callbacks.count(client(2)).is_ok());
        advance(Duration::from_secs(7)).await;
        assert!(callbacks.count(client(1)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_genuine_does_not_count() {
        let callbacks = UnverifiedCallbacks::default();
        for _ in 0..10 * OF_CLIENT {
            callbacks.count(client(1)).unwrap().proved_genuine();
        }
        for _ in 1..OF_CLIENT {
            assert!(callbacks.count(client(1)).is_ok());
        }
        // One that ends in a later window takes nothing off that one's count.
        let last = callbacks.count(client(1)).unwrap();
        advance(WINDOW).await;
        let later = callbacks.count(client(1)).unwrap();
        last.proved_genuine();
        later.proved_genuine();
        for _ in 0..OF_CLIENT {
            assert!(callbacks.count(client(1)).is_ok());
        }
        assert!(callbacks.count(client(1)).is_err());
    }
}
