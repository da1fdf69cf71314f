//! What the tests of processes are arranged with.

mod browser;
mod database;
mod postgres;
mod process;
mod validator;

pub use browser::Browser;
pub use database::Database;
pub use postgres::Postgres;
pub use process::{Process, free_port};
pub use validator::{NO_VERDICTS, Validator};

use std::{
    env,
    future::Future,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// The key of all processes.
pub const SECRET: &str = "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=";

/// How often something is asked for that has to come.
const AGAIN: Duration = Duration::from_millis(20);

/// How long is waited for what has to come: longer than any fault lasts.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits for what has to come.
pub async fn soon<W: Future>(what: &str, wait: W) -> W::Output {
    let done = tokio::time::timeout(PATIENCE, wait).await;
    done.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Asks again and again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        let mut again = tokio::time::interval(AGAIN);
        loop {
            again.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    soon(what, asking).await
}

/// How large a test is: as large as the variable says, else as small as shows what it is about.
pub fn size(variable: &str, small: usize) -> usize {
    env::var(variable)
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(small)
}

/// A random secret.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What `cargo xtask test` has started for the tests; without it they are left out, but never in
/// continuous integration.
pub fn given(variable: &str) -> Option<String> {
    let given = env::var(variable).ok();
    let in_ci = env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1");
    assert!(given.is_some() || !in_ci, "{variable} is not set");
    if given.is_none() {
        eprintln!(
            "{variable} is not set, so what needs it is not tested; `cargo xtask test` sets it"
        );
    }
    given
}
