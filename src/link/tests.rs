//! What may become of a link, and in which order.

use super::{GUESSES, InvalidLink, Link, LinkId, LinkState, Number};
use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    device::Device,
    secret::{Mac, SecretHash},
};

const HERE: ConfirmationId = ConfirmationId::from_bytes([1; 16]);
const ELSEWHERE: ConfirmationId = ConfirmationId::from_bytes([2; 16]);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn link() -> Link {
    Link {
        id: LinkId::from_bytes([1; 16]),
        revision: 0,
        token: SecretHash::from_bytes([1; 32]),
        waiting: Some(HERE),
        address: "ada@example.com".parse().unwrap(),
        allows_new_user: false,
        code: Mac::from_bytes([1; 32]),
        mailed: true,
        known: false,
        guesses: 0,
        number: Number::new(42).unwrap(),
        device: Device::new("Firefox on Linux"),
        next: None,
        requested_at: at(0),
        expires_at: at(900),
        state: LinkState::Open,
    }
}

#[test]
fn a_link_lets_one_browser_in_and_no_other() {
    let approved = link().approve(at(1)).unwrap();
    assert_eq!(
        approved.clone().use_up(ELSEWHERE, at(2)),
        Err(InvalidLink::Used)
    );
    let used = link().use_up(ELSEWHERE, at(1)).unwrap();
    assert_eq!(used.clone().approve(at(2)), Err(InvalidLink::Used));
    assert_eq!(used.use_up(HERE, at(2)), Err(InvalidLink::Used));
}

#[test]
fn to_do_the_same_again_changes_nothing() {
    let approved = link().approve(at(1)).unwrap();
    assert_eq!(approved.clone().approve(at(5_000)), Ok(approved));
    let used = link().use_up(ELSEWHERE, at(1)).unwrap();
    assert_eq!(used.clone().use_up(ELSEWHERE, at(5_000)), Ok(used));
}

#[test]
fn a_link_is_good_for_its_time_and_no_longer() {
    assert!(link().approve(at(899)).is_ok());
    for late in [
        link().approve(at(900)),
        link().use_up(ELSEWHERE, at(900)),
        link().guess(true, at(900)),
    ] {
        assert_eq!(late, Err(InvalidLink::Expired));
    }
}

#[test]
fn a_link_that_was_taken_back_is_worth_nothing_and_one_that_was_used_is_not_taken_back() {
    assert_eq!(link().revoke().approve(at(1)), Err(InvalidLink::Expired));
    let approved = link().approve(at(1)).unwrap();
    assert_eq!(approved.clone().revoke(), approved);
}

#[test]
fn the_last_wrong_guess_takes_the_link_back() {
    let mut link = link();
    for left in (0..GUESSES).rev() {
        assert_eq!(link.state, LinkState::Open);
        link = link.guess(false, at(1)).unwrap();
        assert_eq!(link.guesses, GUESSES - left);
    }
    assert_eq!(link.guess(true, at(1)), Err(InvalidLink::Expired));
}

#[test]
fn another_link_may_be_sent_after_a_while_also_where_the_clock_was_set_back() {
    for (now, left) in [(0, 30), (29, 1), (30, 0), (900, 0), (-3600, 30)] {
        assert_eq!(link().resend_in(at(now)).as_secs(), left);
    }
}

#[test]
fn the_right_code_of_a_link_that_was_never_mailed_is_a_wrong_one() {
    let guessed = Link {
        mailed: false,
        ..link()
    }
    .guess(true, at(1))
    .unwrap();
    assert_eq!((guessed.state, guessed.guesses), (LinkState::Open, 1));
}
