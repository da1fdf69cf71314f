use super::{transitions::SEEN_EVERY, *};
use std::time::Duration;

const OLD: SecretHash = SecretHash::from_bytes([1; 32]);
const NEW: SecretHash = SecretHash::from_bytes([2; 32]);
const ADA: UserId = UserId::from_bytes([1; 16]);
const BOB: UserId = UserId::from_bytes([2; 16]);

fn timing() -> Timing {
    Timing::default()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn pending() -> Session {
    Session::pending(
        SessionId::from_bytes([0; 16]),
        OLD,
        TokenTag::from_bytes([0; 8]),
        at(0),
        at(900),
    )
}

fn bound() -> Session {
    pending().rebind(ADA, at(900)).unwrap()
}

fn established() -> Session {
    bound()
        .exchange(NEW, Device::new("Firefox on Linux"), at(10), &timing())
        .unwrap()
}

#[test]
fn a_pending_or_bound_session_signs_no_one_in() {
    assert_eq!(pending().signs_in(&OLD, at(1)), None);
    assert_eq!(bound().signs_in(&OLD, at(1)), None);
    assert_eq!(established().signs_in(&NEW, at(11)), Some(ADA));
}

#[test]
fn a_pending_session_cannot_be_exchanged() {
    assert_eq!(
        pending().exchange(NEW, None, at(1), &timing()),
        Err(WrongState)
    );
    assert_eq!(pending().exchangeable(&OLD, at(1)), None);
}

#[test]
fn an_expired_bound_session_cannot_be_exchanged() {
    assert_eq!(
        bound().exchange(NEW, None, at(900), &timing()),
        Err(WrongState)
    );
    assert_eq!(bound().exchangeable(&OLD, at(900)), None);
}

#[test]
fn rebinding_again_changes_nothing_and_never_the_user() {
    assert_eq!(bound().rebind(ADA, at(5000)), Ok(bound()));
    assert_eq!(established().rebind(ADA, at(5000)), Ok(established()));
    assert_eq!(bound().rebind(BOB, at(5000)), Err(WrongState));
}

#[test]
fn an_exchange_repeats_for_its_grace_and_then_the_old_secret_is_worth_nothing() {
    assert_eq!(established().exchangeable(&OLD, at(39)), Some(ADA));
    assert_eq!(established().exchangeable(&OLD, at(40)), None);
    assert_eq!(established().signs_in(&OLD, at(11)), None);
}

#[test]
fn the_old_secret_is_worth_nothing_once_the_new_one_was_shown() {
    let used = established()
        .used(at(11), &timing())
        .expect("the first use is written");
    assert_eq!(used.exchangeable(&OLD, at(12)), None);
    assert_eq!(used.signs_in(&NEW, at(12)), Some(ADA));
    assert_eq!(used.used(at(12), &timing()), None);
}

#[test]
fn use_puts_the_end_off_and_idleness_ends_it() {
    let used = established()
        .used(at(11), &timing())
        .unwrap()
        .used(at(71), &timing())
        .unwrap();
    assert_eq!(used.expires_at, at(71) + timing().idle);
    assert_eq!(used.signs_in(&NEW, at(71) + timing().idle), None);
}

#[test]
fn no_use_puts_the_end_off_beyond_the_absolute_one() {
    let absolute = at(0) + timing().absolute;
    let mut session = established();
    let mut now = at(10);
    while session.is_live(now) {
        session = session.used(now, &timing()).unwrap_or(session);
        assert!(session.expires_at <= absolute);
        now = now + SEEN_EVERY * 60 * 24;
    }
    assert_eq!(session.expires_at, absolute);
    assert_eq!(session.signs_in(&NEW, absolute), None);
}

#[test]
fn the_absolute_end_counts_from_the_beginning_however_a_session_began() {
    let short = Timing {
        idle: Duration::from_mins(1),
        absolute: Duration::from_secs(90),
        ..timing()
    };
    assert_eq!(
        bound()
            .exchange(NEW, None, at(80), &short)
            .unwrap()
            .expires_at,
        at(90)
    );
    let by_password = Session::established(
        SessionId::from_bytes([0; 16]),
        NEW,
        ADA,
        None,
        at(5),
        &short,
    );
    assert_eq!(by_password.expires_at, at(65));
    assert_eq!(by_password.used(at(65), &short).unwrap().expires_at, at(95));
}

#[test]
fn an_end_that_was_put_off_under_a_longer_limit_is_cut_at_the_next_use() {
    let short = Timing {
        idle: Duration::from_mins(1),
        absolute: Duration::from_secs(90),
        ..timing()
    };
    assert_eq!(
        established().used(at(75), &short).unwrap().expires_at,
        at(90)
    );
}

#[test]
fn the_browser_is_the_one_that_exchanged_and_stays_it() {
    let used = established().used(at(11), &timing()).unwrap();
    assert_eq!(
        (bound().device(), used.device().map(Device::as_str)),
        (None, Some("Firefox on Linux"))
    );
}
