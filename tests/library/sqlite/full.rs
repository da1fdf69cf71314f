//! A full disk signs no one out, and sign-ins begin again as soon as there is room.

use crate::support::{Harness, Plan, token};
use vestibule::{
    caps::Caps,
    sign_ins::{Progress, Step},
    store::{BeginError, StoreError},
};

/// Room for some hundred confirmations: what is freed has to come to whole pages.
const PAGES: u32 = 300;

#[tokio::test]
async fn on_a_full_disk_nothing_begins_sessions_go_on_and_freed_space_helps() {
    let caps = Caps {
        of_client: u32::MAX,
        ..Caps::default()
    };
    let harness = Harness::built(Plan {
        pages: PAGES,
        caps,
        ..Plan::default()
    })
    .await;
    let worker = harness.start_worker();
    let mut ada = harness.signed_in(&token("ada")).await;
    worker.stop();
    worker.stopped().await;
    for number in 0..500 {
        let link = token(&format!("old-{number}"));
        harness.begun(&link).await.cancel(&link).await;
    }
    let mut begun = Vec::new();
    let mut number = 0;
    let refused = loop {
        let mut browser = harness.browser();
        let link = token(&format!("new-{number}"));
        browser.land(&link);
        match browser.try_to_begin(&link, false).await {
            Ok(_) => begun.push((browser, link)),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 10_000, "the disk has no end");
    };
    assert!(
        matches!(refused, BeginError::Store(StoreError::Unavailable(_))),
        "{refused}"
    );
    assert!(refused.to_string().contains("full"), "{refused}");

    let (browser, link) = &begun[0];
    assert_eq!(
        browser.status(link).await.progress,
        Progress::Waiting(Step::Queued)
    );
    assert_eq!(
        harness.browser().status(&token("other")).await.progress,
        Progress::Unknown
    );
    assert_eq!(ada.greeted().await.as_deref(), Some("Ada"));

    // By another connection, which is as if the disk had a little more room: to delete may need a
    // page itself.
    let freed = sqlx::query("delete from confirmations where state = 'settled'")
        .execute(&mut harness.raw().await)
        .await
        .unwrap();
    assert!(freed.rows_affected() >= 500);
    let mut late = harness.browser();
    let link = token("late");
    assert_eq!(
        late.begin(&link).await.progress,
        Progress::Waiting(Step::Queued)
    );
}

/// Lets no session be written, as a disk does that is full, or lets it again.
async fn let_sessions_be_written(harness: &Harness, writable: bool) {
    let statement = if writable {
        "drop trigger full"
    } else {
        "create trigger full before update on sessions begin select raise(abort, 'database or disk is full'); end"
    };
    sqlx::query(statement)
        .execute(&mut harness.raw().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn users_stay_signed_in_while_their_last_use_cannot_be_written() {
    let harness = Harness::open().await;
    harness.start_worker();
    let mut ada = harness.signed_in(&token("ada")).await;
    assert!(ada.who().await.is_some());
    let idle = harness.environment.timing.idle;
    harness.advance(idle / 2);
    let_sessions_be_written(&harness, false).await;
    assert_eq!(ada.greeted().await.as_deref(), Some("Ada"));
    let_sessions_be_written(&harness, true).await;
    assert!(ada.who().await.is_some(), "which puts the end off");
    harness.advance(idle / 2);
    assert_eq!(ada.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_first_use_that_cannot_be_noted_is_none_for_the_old_secret_would_stay_good() {
    let harness = Harness::open().await;
    harness.start_worker();
    let ada = harness.signed_in(&token("ada")).await;
    let_sessions_be_written(&harness, false).await;
    let refused = harness.sign_ins.who(ada.session.as_ref()).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    let_sessions_be_written(&harness, true).await;
    assert!(ada.who().await.is_some());
}
