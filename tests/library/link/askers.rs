//! Requests for links to an address take nothing from its owner, and the requester does not learn
//! when others ask.

use super::harness::{LinkHarness, ada, browser, known, stranger};
use crate::support::{Plan, confirmed, rejected};
use std::time::Duration;
use vestibule::{
    caps::{Capped, Caps},
    confirmation::Rejection,
    link::{InvalidLink, PER_ADDRESS, RESEND_AFTER, WINDOW},
    sign_ins::{Progress, Step},
};

#[tokio::test]
async fn the_owner_signs_in_from_a_known_browser_while_strangers_ask_at_the_limit() {
    let harness = LinkHarness::at_work().await;
    harness.flooded().await;
    for time in 0..PER_ADDRESS {
        let waiting = harness.asked_as(known(1, "hers")).await;
        let letter = harness.letter().await;
        for client in 1..=9 {
            harness.asked_as(stranger(client)).await;
            harness.asked_as(browser(client, "theirs")).await;
        }
        harness
            .links
            .open_here(&letter.link)
            .await
            .unwrap_or_else(|error| panic!("{time}: {error}"));
        assert_eq!(harness.status(&waiting).await, Progress::Done(confirmed()));
        harness.advance(RESEND_AFTER);
    }
}

#[tokio::test]
async fn the_owner_in_an_unknown_browser_has_a_share_and_keeps_the_link() {
    let harness = LinkHarness::at_work().await;
    for _ in 0..9 {
        harness.asked_as(stranger(1)).await;
    }
    for _ in 0..3 {
        harness.letter().await;
    }
    let waiting = harness.asked_as(browser(2, "hers")).await;
    let letter = harness.letter().await;
    harness.asked_as(browser(3, "theirs")).await;
    harness.letter().await;
    harness.links.open_here(&letter.link).await.unwrap();
    assert_eq!(harness.status(&waiting).await, Progress::Done(confirmed()));
}

#[tokio::test]
async fn strangers_at_the_same_network_address_leave_a_known_browser_its_room() {
    let caps = Caps {
        of_client: 4,
        ..Caps::default()
    };
    let harness = LinkHarness::built(Plan {
        caps,
        ..Plan::default()
    })
    .await;
    harness.start_mail_worker();
    for number in 0..2 {
        harness
            .try_to_ask(&format!("p{number}@example.com").parse().unwrap(), 1)
            .await
            .unwrap();
        harness.letter().await;
    }
    assert_eq!(harness.refused(&ada(), 1).await, Capped::Client);
    harness.asked_as(known(1, "hers")).await;
    harness.letter().await;
    let first = "begun-1".parse().unwrap();
    let second = "begun-2".parse().unwrap();
    let client = stranger(1).client;
    harness.begun_at(client, &first).await;
    let mut more = harness.browser();
    more.client = client;
    more.land(&second);
    assert!(
        more.try_to_begin(&second, false).await.is_err(),
        "all of it is used"
    );
    harness.advance(RESEND_AFTER);
    harness.asked_as(known(1, "hers")).await;
    harness.letter().await;
}

#[tokio::test]
async fn strangers_who_wait_leave_a_known_browser_room_among_all() {
    let caps = Caps {
        in_all: 4,
        ..Caps::default()
    };
    let harness = LinkHarness::built(Plan {
        caps,
        ..Plan::default()
    })
    .await;
    harness.asked().await;
    harness.asked_as(stranger(2)).await;
    assert_eq!(harness.refused(&ada(), 3).await, Capped::All);
    harness.asked_as(known(3, "hers")).await;
}

#[tokio::test]
async fn a_browser_that_asks_twice_at_once_waits_for_one_link_with_one_cookie() {
    let harness = LinkHarness::at_work().await;
    let asks = (0..8).map(|_| harness.asked_as(browser(1, "hers")));
    let waiting = futures_util::future::join_all(asks).await;
    let letter = harness.letter().await;
    assert!(
        waiting
            .iter()
            .all(|other| other.token == waiting[0].token && other.cookie() == waiting[0].cookie())
    );
    harness.asked_as(browser(2, "theirs")).await;
    harness.letter().await;
    harness.links.open_here(&letter.link).await.unwrap();
    assert_eq!(
        harness.status(&waiting[7]).await,
        Progress::Done(confirmed())
    );
    harness.nothing_is_left().await;
}

#[tokio::test]
async fn the_hold_is_over_after_its_time_and_once_the_link_is_spent() {
    let harness = LinkHarness::at_work().await;
    let first = harness.asked_as(browser(1, "hers")).await;
    let old = harness.letter().await;
    harness
        .links
        .cancel(&first.token, Some(first.cookie()))
        .await
        .unwrap();
    let second = harness.asked_as(browser(1, "hers")).await;
    harness.letter().await;
    harness.advance(Duration::from_millis(29_999));
    assert_eq!(
        harness.asked_as(browser(1, "hers")).await.token,
        second.token
    );
    harness.advance(Duration::from_millis(1));
    let third = harness.asked_as(browser(1, "hers")).await;
    harness.letter().await;
    assert!(third.token != second.token && second.token != first.token);
    assert_eq!(
        harness.links.open_here(&old.link).await,
        Err(InvalidLink::Expired.into())
    );
}

/// What a stranger sees who asks at 0 and at 40 s, each time in a browser that keeps its cookie.
async fn seen_by_a_stranger(others: impl AsyncFn(&LinkHarness)) -> Vec<Progress> {
    let harness = LinkHarness::at_work().await;
    let mut seen = Vec::new();
    let first = harness.asked_as(browser(7, "theirs")).await;
    others(&harness).await;
    seen.push(harness.status(&first).await);
    harness.advance(Duration::from_secs(40));
    let second = harness.asked_as(browser(7, "theirs")).await;
    seen.push(harness.told(&first).await);
    others(&harness).await;
    seen.push(harness.status(&second).await);
    seen
}

#[tokio::test]
async fn the_requester_does_not_learn_when_others_ask() {
    let alone = seen_by_a_stranger(async |_| {}).await;
    assert_eq!(
        alone,
        [
            Progress::Waiting(Step::Queued),
            Progress::Done(rejected(Rejection::Expired)),
            Progress::Waiting(Step::Queued)
        ]
    );
    let beside_the_owner =
        seen_by_a_stranger(async |harness| drop(harness.asked_as(known(1, "hers")).await)).await;
    let beside_strangers = seen_by_a_stranger(async |harness| {
        for client in 1..=6 {
            harness.asked_as(browser(client, "others")).await;
        }
    });
    assert_eq!(
        (beside_the_owner, beside_strangers.await),
        (alone.clone(), alone)
    );
}

#[tokio::test]
async fn mails_to_unknown_addresses_are_limited_per_hour_and_the_requester_cannot_tell() {
    let mut harness = LinkHarness::at_work().await;
    harness.links = harness.links.clone().with_strangers(2);
    let person = |number: usize| format!("p{number}@example.com").parse().unwrap();
    for number in 1..=2 {
        harness.asked_for(&person(number)).await;
        harness.letter().await;
    }
    let waiting = harness.asked_for(&person(3)).await;
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    harness.nothing_is_left().await;
    harness.advance(WINDOW);
    harness.asked_for(&person(4)).await;
    assert_eq!(harness.sent().await.to, person(4));
}

#[tokio::test]
async fn at_the_limit_for_unknown_addresses_asking_again_does_not_reveal_who_is_known() {
    let mut harness = LinkHarness::at_work().await;
    harness.links = harness.links.clone().with_strangers(0);
    harness.put_bob().await;
    for name in ["ada", "bob"] {
        let address = format!("{name}@example.com").parse().unwrap();
        harness.advance(RESEND_AFTER);
        let first = harness
            .try_to_ask_as(&address, browser(7, "theirs"))
            .await
            .unwrap();
        harness.advance(RESEND_AFTER);
        let second = harness
            .try_to_ask_as(&address, browser(7, "theirs"))
            .await
            .unwrap();
        assert_eq!(
            harness.told(&first).await,
            Progress::Done(rejected(Rejection::Expired)),
            "{name}"
        );
        assert_eq!(
            harness.status(&second).await,
            Progress::Waiting(Step::Queued),
            "{name}"
        );
    }
}

#[tokio::test]
async fn who_has_got_hold_of_a_browsers_cookie_is_let_in_with_it_at_no_other_address() {
    let harness = LinkHarness::at_work().await;
    let hers = harness.asked_as(browser(1, "hers")).await;
    let again = harness.asked_as(browser(1, "hers")).await;
    let thiefs = harness.asked_as(browser(2, "hers")).await;
    assert_eq!(again.cookie(), hers.cookie(), "a double click");
    let letter = harness.letter().await;
    harness.links.open_here(&letter.link).await.unwrap();
    assert_eq!(harness.status(&hers).await, Progress::Done(confirmed()));
    assert_eq!(harness.status(&thiefs).await, Progress::Unknown);
}
