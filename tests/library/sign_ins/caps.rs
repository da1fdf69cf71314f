//! Nothing pending grows without bound, and a cap affects only the clients that reach it.

use crate::support::{Browser, Harness, Plan, ada, by_password, confirmed, token};
use std::time::Duration;
use vestibule::{
    caps::{Capped, Caps, Client},
    sign_ins::Progress,
    store::{BeginError, SessionStore as _},
    token::Token,
    validator::Verdict,
};

/// How long a count of all undecided confirmations is used.
const COUNTED: Duration = Duration::from_millis(250);

async fn harness(caps: Caps) -> Harness {
    Harness::built(Plan {
        caps,
        ..Plan::default()
    })
    .await
}

fn links(count: u8) -> Vec<Token> {
    (0..count)
        .map(|number| token(&format!("link-{number}")))
        .collect()
}

/// Lands and begins as `client`; the cap, if it is refused.
async fn begin(browser: &mut Browser, link: &Token, client: u8) -> Option<Capped> {
    browser.land(link);
    browser.client = Client::from_bytes([client; 16]);
    match browser.try_to_begin(link, false).await {
        Ok(_) => None,
        Err(BeginError::Capped(cap)) => Some(cap),
        Err(BeginError::Store(error)) => panic!("the store can be used: {error}"),
    }
}

#[tokio::test]
async fn a_client_that_begins_too_much_is_refused_and_no_one_else_is() {
    let harness = harness(Caps {
        of_client: 3,
        ..Caps::default()
    })
    .await;
    for link in links(3) {
        assert_eq!(begin(&mut harness.browser(), &link, 1).await, None);
    }
    let mut flood = harness.browser();
    let link = token("one-more");
    assert_eq!(begin(&mut flood, &link, 1).await, Some(Capped::Client));
    assert_eq!(
        flood.status(&link).await.progress,
        Progress::Unknown,
        "nothing has begun"
    );
    assert_eq!(begin(&mut harness.browser(), &link, 2).await, None);
}

#[tokio::test]
async fn a_refused_browser_begins_with_the_same_cookie_once_something_is_decided() {
    let harness = harness(Caps {
        of_client: 1,
        ..Caps::default()
    })
    .await;
    harness.start_worker();
    let mut first = harness.browser();
    let mut second = harness.browser();
    let link = token("second");
    assert_eq!(begin(&mut first, &token("first"), 1).await, None);
    assert_eq!(begin(&mut second, &link, 1).await, Some(Capped::Client));
    let cookie = second.pending(&link);
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(begin(&mut second, &link, 1).await, None);
    assert_eq!(second.pending(&link), cookie);
}

#[tokio::test]
async fn a_second_click_is_never_refused() {
    let harness = harness(Caps {
        of_client: 1,
        in_all: 1,
        ..Caps::default()
    })
    .await;
    let mut browser = harness.browser();
    let link = token("link");
    for _ in 0..3 {
        assert_eq!(begin(&mut browser, &link, 1).await, None);
        harness.advance(COUNTED);
    }
}

#[tokio::test]
async fn try_again_counts_like_any_other_and_leaves_what_was_there() {
    let harness = harness(Caps {
        of_client: 1,
        ..Caps::default()
    })
    .await;
    let mut cancelled = harness.browser();
    let link = token("cancelled");
    begin(&mut cancelled, &link, 1).await;
    cancelled.cancel(&link).await;
    begin(&mut harness.browser(), &token("other"), 1).await;
    let before = cancelled.pending(&link);
    let refused = cancelled.try_to_begin(&link, true).await;
    assert!(
        matches!(refused, Err(BeginError::Capped(Capped::Client))),
        "{refused:?}"
    );
    assert_eq!(cancelled.pending(&link), before);
    assert!(matches!(
        cancelled.status(&link).await.progress,
        Progress::Done(_)
    ));
}

#[tokio::test]
async fn no_more_than_the_cap_are_undecided_across_all_clients() {
    let harness = harness(Caps {
        in_all: 3,
        ..Caps::default()
    })
    .await;
    for (client, link) in links(3).iter().enumerate() {
        assert_eq!(
            begin(&mut harness.browser(), link, u8::try_from(client).unwrap()).await,
            None
        );
    }
    let mut late = harness.browser();
    let link = token("late");
    assert_eq!(
        begin(&mut late, &link, 9).await,
        Some(Capped::All),
        "what has begun since the count is counted too"
    );
    harness.advance(COUNTED);
    assert_eq!(
        begin(&mut late, &link, 9).await,
        Some(Capped::All),
        "and is in the next count"
    );
}

#[tokio::test]
async fn what_is_decided_is_seen_by_the_next_count() {
    let harness = harness(Caps {
        in_all: 1,
        ..Caps::default()
    })
    .await;
    let mut first = harness.browser();
    let mut second = harness.browser();
    let one = token("one");
    let two = token("two");
    assert_eq!(begin(&mut first, &one, 1).await, None);
    first.cancel(&one).await;
    assert_eq!(begin(&mut second, &two, 2).await, Some(Capped::All));
    harness.advance(COUNTED);
    assert_eq!(begin(&mut second, &two, 2).await, None);
}

#[tokio::test]
async fn what_another_server_has_begun_is_in_the_next_count() {
    let harness = harness(Caps {
        in_all: 1,
        ..Caps::default()
    })
    .await;
    let there = harness.sign_ins_with(&[7]);
    begin(&mut Browser::new(there), &token("there"), 1).await;
    assert_eq!(
        begin(&mut harness.browser(), &token("here"), 2).await,
        Some(Capped::All)
    );
}

#[tokio::test]
async fn users_who_are_signed_in_or_about_to_be_notice_nothing() {
    let harness = harness(Caps {
        of_client: 2,
        in_all: 2,
        ..Caps::default()
    })
    .await;
    let worker = harness.start_worker();
    let mut signed_in = harness.signed_in(&token("one")).await;
    let mut bound = harness.bound(&token("two"), ada()).await;
    worker.stop();
    worker.stopped().await;
    harness.advance(COUNTED);
    for link in links(2) {
        assert_eq!(begin(&mut harness.browser(), &link, 1).await, None);
    }
    assert_eq!(
        begin(&mut harness.browser(), &token("three"), 1).await,
        Some(Capped::Client)
    );
    assert_eq!(
        begin(&mut harness.browser(), &token("three"), 2).await,
        Some(Capped::All)
    );
    assert_eq!(signed_in.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(
        bound.greeted().await.as_deref(),
        Some("Ada"),
        "the exchange takes no place"
    );
    let user = signed_in.who().await.unwrap().user.id;
    by_password(&harness.sign_ins, user, &signed_in.shown()).await;
    assert_eq!(harness.store.sessions_of(user).await.unwrap().len(), 2);
}
