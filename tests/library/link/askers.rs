//! Requests for links to an address take nothing from its owner, and the requester does not learn
//! when others ask.

use super::house::{LinkHouse, ada, browser, known, stranger};
use crate::support::{Plan, confirmed, rejected};
use std::time::Duration;
use vestibule::{
    caps::{Capped, Caps},
    confirmation::Rejection,
    link::{InvalidLink, PER_ADDRESS, RESEND_AFTER, WINDOW},
    vestibule::{Progress, Step},
};

#[tokio::test]
async fn the_owner_signs_in_from_a_known_browser_while_strangers_ask_at_the_limit() {
    let house = LinkHouse::at_work().await;
    house.flooded().await;
    for time in 0..PER_ADDRESS {
        let waiting = house.asked_as(known(1, "hers")).await;
        let letter = house.letter().await;
        for client in 1..=9 {
            house.asked_as(stranger(client)).await;
            house.asked_as(browser(client, "theirs")).await;
        }
        house
            .links
            .open_here(&letter.link)
            .await
            .unwrap_or_else(|error| panic!("{time}: {error}"));
        assert_eq!(house.status(&waiting).await, Progress::Done(confirmed()));
        house.advance(RESEND_AFTER);
    }
}

#[tokio::test]
async fn the_owner_in_an_unknown_browser_has_a_share_and_keeps_the_link() {
    let house = LinkHouse::at_work().await;
    for _ in 0..9 {
        house.asked_as(stranger(1)).await;
    }
    for _ in 0..3 {
        house.letter().await;
    }
    let waiting = house.asked_as(browser(2, "hers")).await;
    let letter = house.letter().await;
    house.asked_as(browser(3, "theirs")).await;
    house.letter().await;
    house.links.open_here(&letter.link).await.unwrap();
    assert_eq!(house.status(&waiting).await, Progress::Done(confirmed()));
}

#[tokio::test]
async fn strangers_at_the_same_network_address_leave_a_known_browser_its_room() {
    let caps = Caps {
        of_client: 4,
        ..Caps::default()
    };
    let house = LinkHouse::built(Plan {
        caps,
        ..Plan::default()
    })
    .await;
    house.start_postman();
    for number in 0..2 {
        house
            .try_to_ask(&format!("p{number}@example.com").parse().unwrap(), 1)
            .await
            .unwrap();
        house.letter().await;
    }
    assert_eq!(house.refused(&ada(), 1).await, Capped::Client);
    house.asked_as(known(1, "hers")).await;
    house.letter().await;
    let first = "begun-1".parse().unwrap();
    let second = "begun-2".parse().unwrap();
    let client = stranger(1).client;
    house.begun_at(client, &first).await;
    let mut more = house.browser();
    more.client = client;
    more.land(&second);
    assert!(
        more.try_to_begin(&second, false).await.is_err(),
        "all of it is used"
    );
    house.advance(RESEND_AFTER);
    house.asked_as(known(1, "hers")).await;
    house.letter().await;
}

#[tokio::test]
async fn strangers_who_wait_leave_a_known_browser_room_among_all() {
    let caps = Caps {
        in_all: 4,
        ..Caps::default()
    };
    let house = LinkHouse::built(Plan {
        caps,
        ..Plan::default()
    })
    .await;
    house.asked().await;
    house.asked_as(stranger(2)).await;
    assert_eq!(house.refused(&ada(), 3).await, Capped::All);
    house.asked_as(known(3, "hers")).await;
}

#[tokio::test]
async fn a_browser_that_asks_twice_at_once_waits_for_one_link_with_one_cookie() {
    let house = LinkHouse::at_work().await;
    let asks = (0..8).map(|_| house.asked_as(browser(1, "hers")));
    let waiting = futures_util::future::join_all(asks).await;
    let letter = house.letter().await;
    assert!(
        waiting
            .iter()
            .all(|other| other.token == waiting[0].token && other.cookie() == waiting[0].cookie())
    );
    house.asked_as(browser(2, "theirs")).await;
    house.letter().await;
    house.links.open_here(&letter.link).await.unwrap();
    assert_eq!(house.status(&waiting[7]).await, Progress::Done(confirmed()));
    house.nothing_is_left().await;
}

#[tokio::test]
async fn the_hold_is_over_after_its_time_and_once_the_link_is_spent() {
    let house = LinkHouse::at_work().await;
    let first = house.asked_as(browser(1, "hers")).await;
    let old = house.letter().await;
    house
        .links
        .cancel(&first.token, Some(first.cookie()))
        .await
        .unwrap();
    let second = house.asked_as(browser(1, "hers")).await;
    house.letter().await;
    house.advance(Duration::from_millis(29_999));
    assert_eq!(house.asked_as(browser(1, "hers")).await.token, second.token);
    house.advance(Duration::from_millis(1));
    let third = house.asked_as(browser(1, "hers")).await;
    house.letter().await;
    assert!(third.token != second.token && second.token != first.token);
    assert_eq!(
        house.links.open_here(&old.link).await,
        Err(InvalidLink::Expired.into())
    );
}

/// What a stranger sees who asks at 0 and at 40 s, each time in a browser that keeps its cookie.
async fn seen_by_a_stranger(others: impl AsyncFn(&LinkHouse)) -> Vec<Progress> {
    let house = LinkHouse::at_work().await;
    let mut seen = Vec::new();
    let first = house.asked_as(browser(7, "theirs")).await;
    others(&house).await;
    seen.push(house.status(&first).await);
    house.advance(Duration::from_secs(40));
    let second = house.asked_as(browser(7, "theirs")).await;
    seen.push(house.told(&first).await);
    others(&house).await;
    seen.push(house.status(&second).await);
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
        seen_by_a_stranger(async |house| drop(house.asked_as(known(1, "hers")).await)).await;
    let beside_strangers = seen_by_a_stranger(async |house| {
        for client in 1..=6 {
            house.asked_as(browser(client, "others")).await;
        }
    });
    assert_eq!(
        (beside_the_owner, beside_strangers.await),
        (alone.clone(), alone)
    );
}

#[tokio::test]
async fn mails_to_unknown_addresses_are_limited_per_hour_and_the_requester_cannot_tell() {
    let mut house = LinkHouse::at_work().await;
    house.links = house.links.clone().with_strangers(2);
    let person = |number: usize| format!("p{number}@example.com").parse().unwrap();
    for number in 1..=2 {
        house.asked_for(&person(number)).await;
        house.letter().await;
    }
    let waiting = house.asked_for(&person(3)).await;
    assert_eq!(
        house.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    house.nothing_is_left().await;
    house.advance(WINDOW);
    house.asked_for(&person(4)).await;
    assert_eq!(house.sent().await.to, person(4));
}

#[tokio::test]
async fn at_the_limit_for_unknown_addresses_asking_again_does_not_reveal_who_is_known() {
    let mut house = LinkHouse::at_work().await;
    house.links = house.links.clone().with_strangers(0);
    house.put_bob().await;
    for name in ["ada", "bob"] {
        let address = format!("{name}@example.com").parse().unwrap();
        house.advance(RESEND_AFTER);
        let first = house
            .try_to_ask_as(&address, browser(7, "theirs"))
            .await
            .unwrap();
        house.advance(RESEND_AFTER);
        let second = house
            .try_to_ask_as(&address, browser(7, "theirs"))
            .await
            .unwrap();
        assert_eq!(
            house.told(&first).await,
            Progress::Done(rejected(Rejection::Expired)),
            "{name}"
        );
        assert_eq!(
            house.status(&second).await,
            Progress::Waiting(Step::Queued),
            "{name}"
        );
    }
}

#[tokio::test]
async fn who_has_got_hold_of_a_browsers_cookie_is_let_in_with_it_at_no_other_address() {
    let house = LinkHouse::at_work().await;
    let hers = house.asked_as(browser(1, "hers")).await;
    let again = house.asked_as(browser(1, "hers")).await;
    let thiefs = house.asked_as(browser(2, "hers")).await;
    assert_eq!(again.cookie(), hers.cookie(), "a double click");
    let letter = house.letter().await;
    house.links.open_here(&letter.link).await.unwrap();
    assert_eq!(house.status(&hers).await, Progress::Done(confirmed()));
    assert_eq!(house.status(&thiefs).await, Progress::Unknown);
}
