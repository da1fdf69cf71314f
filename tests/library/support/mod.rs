//! What the tests are arranged with.

mod adapter;
mod browser;
mod clock;
mod house;
mod log;
mod postgres;
mod redis;
mod sample;

pub use adapter::{adapters, session_stores};
pub use browser::Browser;
pub use clock::WatchedClock;
pub use house::{House, Plan, Running, raw};
pub use log::{everything_logged, listen, listen_here};
pub use postgres::Postgres;
pub use redis::{Redis, redis};
pub use sample::{
    Sample, ada, admission, at, authority, bob, confirmed, keys, rejected, settlement, token, welcome, worker,
};

use std::{future::Future, time::Duration};

/// Waits for what must come without the clock being moved. The limit is real time, and only makes a failure of what
/// would otherwise be a test that hangs.
pub async fn soon<W: Future>(what: &str, wait: W) -> W::Output {
    let Ok(done) = tokio::time::timeout(Duration::from_secs(30), wait).await else {
        panic!("waited in vain for {what}")
    };
    done
}
