//! A disk that is full keeps nobody out who is in, and begins again as soon as there is room.

use crate::support::{House, Plan, token};
use std::time::Duration;
use vestibule::{
    caps::Caps,
    store::{BeginError, ConfirmationStore as _, StoreError},
    vestibule::Progress,
};

/// A few more pages than the empty tables take.
const PAGES: u32 = 80;

#[tokio::test]
async fn on_a_full_disk_nothing_begins_everybody_who_is_in_goes_on_and_room_helps() {
    let caps = Caps { of_client: u32::MAX, ..Caps::default() };
    let house = House::built(Plan { pages: PAGES, caps, ..Plan::default() }).await;
    let worker = house.start_worker();
    let mut ada = house.signed_in(&token("ada")).await;
    worker.stop();
    worker.stopped().await;
    for number in 0..100 {
        let link = token(&format!("old-{number}"));
        house.begun(&link).await.cancel(&link).await;
    }
    house.advance(Duration::from_hours(2));

    let (mut begun, mut number) = (Vec::new(), 0);
    let refused = loop {
        let (mut browser, link) = (house.browser(), token(&format!("new-{number}")));
        browser.land(&link);
        match browser.try_to_begin(&link, false).await {
            Ok(_) => begun.push((browser, link)),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 10_000, "the disk has no end");
    };
    assert!(matches!(refused, BeginError::Store(StoreError::Unavailable(_))), "{refused}");
    assert!(refused.to_string().contains("full"), "{refused}");

    let (browser, link) = &begun[0];
    assert_eq!(browser.status(link).await.progress, Progress::Queued);
    assert_eq!(house.browser().status(&token("other")).await.progress, Progress::Unknown);
    assert_eq!(ada.greeted().await.as_deref(), Some("Ada"));

    assert!(house.store.sweep_confirmations(house.now()).await.unwrap() >= 100);
    let (mut late, link) = (house.browser(), token("late"));
    assert_eq!(late.begin(&link).await.progress, Progress::Queued);
}
