//! What the tests are arranged with.

mod adapter;
mod browser;
mod clock;
mod harness;
mod log;
mod pooler;
mod postgres;
mod redis;
mod sample;

pub use adapter::{adapters, session_stores};
pub use browser::Browser;
pub use clock::WatchedClock;
pub use harness::{Harness, Plan, Running, raw};
pub use log::{everything_logged, listen, listen_here};
pub use pooler::pooler;
pub use postgres::Postgres;
pub use redis::{Redis, redis};
pub use sample::{
    Sample, ada, admission, at, authority, authority_in, bob, confirmed, keys, rejected,
    settlement, token, wait, welcome, worker,
};

use std::{future::Future, time::Duration};
use vestibule::{
    entry::PresentedSecrets, secret::SessionSecret, sign_ins::SignIns, store::UserStore,
    user::UserId,
};

/// Waits for what must come without the clock being moved. The limit is real time; it only makes a
/// hanging test fail.
pub async fn soon<W: Future>(what: &str, wait: W) -> W::Output {
    let Ok(done) = tokio::time::timeout(Duration::from_secs(30), wait).await else {
        panic!("waited in vain for {what}")
    };
    done
}

/// Signs the user in as by a password that was checked now.
pub async fn by_password(
    sign_ins: &SignIns,
    user: UserId,
    shown: &PresentedSecrets,
) -> SessionSecret {
    let valid_from = sign_ins
        .stores()
        .users
        .user(user)
        .await
        .unwrap()
        .expect("there is such a user")
        .valid_from;
    let secret = sign_ins
        .sign_in(user, valid_from, sign_ins.now(), shown)
        .await
        .unwrap();
    secret.expect("nothing was changed meanwhile")
}

/// Whose password it is, and its hash.
pub async fn password_of(store: &dyn UserStore, subject: &str) -> Option<(UserId, String)> {
    store
        .password(subject)
        .await
        .unwrap()
        .map(|(user, hash)| (user.id, hash))
}
