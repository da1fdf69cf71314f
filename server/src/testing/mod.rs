//! The whole application, for tests of its handlers: the real router with all that works behind it,
//! asked in this process, and browsers that keep its cookies.
//!
//! It is practice mode in a folder of its own: a validator, a broker and a mailbox are there, and
//! nothing listens where browsers would connect.

mod app;
mod browser;
mod response;

pub use app::TestApp;
pub use browser::TestBrowser;
pub use response::TestResponse;

use std::time::Duration;
use tokio::time::timeout;

/// The practice user's address and password.
pub const PRACTICE_USER: [(&str, &str); 2] = [
    ("email", "practice@example.com"),
    ("password", "open-sesame-42"),
];
/// Settings of a server in use, whose validator is not there.
pub const IN_USE: [(&str, &str); 3] = [
    ("PUBLIC_URL", "https://sign-in.example"),
    ("VALIDATOR_URL", "http://127.0.0.1:9/"),
    (
        "VESTIBULE_SECRET",
        "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
    ),
];

/// What `look` finds once it finds something. The limit only makes a failure of what would
/// otherwise be a test that hangs.
pub async fn within<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
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
