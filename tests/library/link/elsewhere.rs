//! The link is opened in another browser than the one that asked for it.

use super::harness::{LinkHarness, ada};
use crate::support::{Browser, confirmed, rejected};
use vestibule::{
    confirmation::Rejection,
    device::Device,
    link::{InvalidLink, LinkToken, Number},
    sign_ins::{Progress, Step},
};

#[tokio::test]
async fn it_says_who_it_signs_in_and_which_device_asked_and_a_look_changes_nothing() {
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (waiting, letter) = harness.written_to().await;
    let opened = harness.links.look(&letter.link).await.unwrap();
    assert_eq!(
        (&opened.address, &opened.device),
        (&ada(), &Device::new("Firefox on Linux"))
    );
    assert!(opened.waited_for);
    assert_eq!(harness.links.look(&letter.link).await, Ok(opened));
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
}

#[tokio::test]
async fn the_right_number_lets_the_waiting_browser_in() {
    let harness = LinkHarness::at_work().await;
    let (waiting, letter) = harness.written_to().await;
    let number = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap()
        .number;
    assert_eq!(harness.links.pick(&letter.link, number).await, Ok(()));
    assert_eq!(harness.status(&waiting).await, Progress::Done(confirmed()));
}

#[tokio::test]
async fn a_wrong_number_takes_the_link_back() {
    let harness = LinkHarness::at_work().await;
    let (waiting, letter) = harness.written_to().await;
    let right = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap()
        .number;
    let wrong = (10..=99)
        .filter_map(Number::new)
        .find(|number| *number != right)
        .unwrap();
    assert_eq!(
        harness.links.pick(&letter.link, wrong).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(
        harness.links.pick(&letter.link, right).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Done(rejected(Rejection::Expired))
    );
}

/// Opens the link in a browser that did not ask for it, and continues there.
async fn continued(harness: &LinkHarness, link: &LinkToken) -> (Browser, Progress) {
    let token = harness.token(link);
    let mut browser = harness.browser();
    browser.land(&token);
    browser.begin(&token).await;
    harness
        .links
        .use_up(link, &token, browser.cookie(&token))
        .await
        .unwrap();
    let progress = browser.status(&token).await.progress;
    (browser, progress)
}

#[tokio::test]
async fn a_user_who_continues_there_is_signed_in_there_and_the_waiting_browser_is_told() {
    let harness = LinkHarness::at_work().await;
    let (waiting, letter) = harness.written_to().await;
    let (mut browser, progress) = continued(&harness, &letter.link).await;
    assert_eq!(progress, Progress::Done(confirmed()));
    assert_eq!(browser.greeted().await.as_deref(), Some("ada@example.com"));
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Done(rejected(Rejection::Used))
    );
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let harness = LinkHarness::at_work().await;
    let (_, letter) = harness.written_to().await;
    continued(&harness, &letter.link).await;
    let (_, progress) = continued(&harness, &letter.link).await;
    assert_eq!(progress, Progress::Done(rejected(Rejection::Used)));
    assert_eq!(
        harness.links.open_here(&letter.link).await,
        Err(InvalidLink::Used.into())
    );
    assert_eq!(
        harness.links.look(&letter.link).await,
        Err(InvalidLink::Used.into())
    );
}

#[tokio::test]
async fn a_worker_judges_a_link_as_the_desk_would_and_twice_for_one_confirmation() {
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (_, letter) = harness.written_to().await;
    let token = harness.token(&letter.link);
    let mut browser = harness.browser();
    browser.land(&token);
    browser.begin(&token).await;
    harness.start_worker();
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
    harness
        .links
        .use_up(&letter.link, &token, browser.cookie(&token))
        .await
        .unwrap();
    assert_eq!(
        browser.status(&token).await.progress,
        Progress::Done(confirmed())
    );
}

#[tokio::test]
async fn a_link_of_ours_is_judged_also_when_its_time_to_be_asked_about_has_passed() {
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (_, letter) = harness.written_to().await;
    harness.begun(&harness.token(&letter.link)).await;
    harness.advance(harness.environment.timing.deadline);
    harness.start_worker();
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn a_token_that_only_looks_like_ours_is_the_external_validators() {
    let harness = LinkHarness::at_work().await;
    for text in ["x".repeat(54), "y".repeat(32)] {
        let token = text.parse().unwrap();
        harness.begun(&token).await;
        assert_eq!(harness.question().await.token, token);
    }
}

#[tokio::test]
async fn a_link_mangled_on_its_way_is_invalid_announced_to_no_one_and_still_good_when_intact() {
    let harness = LinkHarness::at_work().await;
    let (waiting, letter) = harness.written_to().await;
    let token = harness.token(&letter.link);
    let good = token.expose();
    let unmarked = &good[good.len() - 54..];
    let cut = |text: &str| text[..text.len() - 1].to_owned();
    let mut mangled: Vec<String> = [".", "-", "_", "~"]
        .iter()
        .map(|junk| format!("{good}{junk}"))
        .collect();
    mangled.extend([
        format!("3D{good}"),
        cut(good),
        good[1..].to_owned(),
        good.to_ascii_lowercase(),
    ]);
    mangled.extend([
        format!("{unmarked}."),
        format!("3D{unmarked}"),
        cut(unmarked),
        cut(waiting.token.expose()),
    ]);
    for text in mangled {
        harness.begun(&text.parse().unwrap()).await;
        assert_eq!(
            harness.outcome_without_a_question().await,
            rejected(Rejection::Invalid),
            "{text}"
        );
    }
    let (_, progress) = continued(&harness, &letter.link).await;
    assert_eq!(progress, Progress::Done(confirmed()));
}

#[tokio::test]
async fn thousands_who_open_one_link_at_once_are_one_who_is_let_in() {
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (waiting, letter) = harness.written_to().await;
    let right = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap()
        .number;
    let elsewhere = async {
        let mut all = Vec::new();
        for _ in 0..16 {
            all.push(continued(&harness, &letter.link).await.1);
        }
        all
    };
    let (_, picked, elsewhere) = tokio::join!(
        harness.links.open_here(&letter.link),
        harness.links.pick(&letter.link, right),
        elsewhere
    );
    let let_in = |progress: &&Progress| **progress == Progress::Done(confirmed());
    let here = usize::from(harness.status(&waiting).await == Progress::Done(confirmed()));
    assert_eq!(
        here + elsewhere.iter().filter(let_in).count(),
        1,
        "{picked:?}"
    );
}
