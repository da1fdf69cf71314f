//! What is true of sessions in Redis itself. Without a Redis to test with there is nothing to see.

mod away;
mod corrupt;
mod keys;
mod open;
mod race;

use crate::support::WatchedClock;
use std::time::Duration;
use vestibule::{
    clock::{Clock as _, Timestamp},
    device::Device,
    pending::TokenTag,
    secret::SecretHash,
    session::{Session, SessionId},
    timing::Timing,
    user::UserId,
};

const ADA: UserId = UserId::from_bytes([0xad; 16]);
const BOB: UserId = UserId::from_bytes([0xb0; 16]);

fn timing() -> Timing {
    Timing::default()
}

/// Where the clock of sessions in a test stands.
fn now() -> Timestamp {
    WatchedClock::default().now()
}

fn hash(number: u8) -> SecretHash {
    SecretHash::from_bytes([number; 32])
}

/// Sessions that begin now, each with its id and secret from one number.
fn pending(number: u8) -> Session {
    let id = SessionId::from_bytes([number; 16]);
    Session::pending(
        id,
        hash(number),
        TokenTag::from_bytes([number; 8]),
        now(),
        now() + Duration::from_mins(15),
    )
}

fn bound(number: u8) -> Session {
    pending(number)
        .rebind(ADA, now() + Duration::from_mins(15))
        .unwrap()
}

/// One that was exchanged, so that it has a former secret; its own is `number + 100`.
fn exchanged(number: u8) -> Session {
    bound(number)
        .exchange(
            hash(number + 100),
            Device::new("Firefox on Linux"),
            now(),
            &timing(),
        )
        .unwrap()
}

fn established(number: u8, user: UserId) -> Session {
    Session::established(
        SessionId::from_bytes([number; 16]),
        hash(number),
        user,
        None,
        now(),
        &timing(),
    )
}
