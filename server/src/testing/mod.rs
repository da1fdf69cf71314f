//! Vestibule in the process of a test, with all that works behind its routes.
//!
//! It is practice mode in a folder of its own: a validator, a broker and a mailbox are there, and
//! nothing listens where browsers would connect. [`Server`] is for the tests of applications;
//! our own handlers' tests have browsers that keep cookies besides.

mod server;

#[cfg(test)]
mod app;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod response;

pub use server::{Answer, ConfirmationState, Mail, Server, SignedInBrowser};

#[cfg(test)]
pub(crate) use app::TestApp;
#[cfg(test)]
pub(crate) use browser::TestBrowser;
#[cfg(test)]
pub(crate) use response::TestResponse;

#[cfg(test)]
use std::time::Duration;
#[cfg(test)]
use tokio::time::timeout;

/// The practice user's address and password.
#[cfg(test)]
pub(crate) const PRACTICE_USER: [(&str, &str); 2] = [
    ("email", "practice@example.com"),
    ("password", "open-sesame-42"),
];
/// Settings of a server in use, whose validator is not there.
#[cfg(test)]
pub(crate) const IN_USE: [(&str, &str); 3] = [
    ("PUBLIC_URL", "https://sign-in.example"),
    ("VALIDATOR_URL", "http://127.0.0.1:9/"),
    (
        "VESTIBULE_SECRET",
        "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
    ),
];

/// What `look` finds once it finds something. The limit only makes a failure of what would
/// otherwise be a test that hangs.
#[cfg(test)]
pub(crate) async fn within<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = timeout(Duration::from_mins(1), async {
        loop {
            if let Some(found) = look().await {
                break found;
            }
            tokio::task::yield_now().await;
        }
    });
    found.await.expect("it is found in time")
}
