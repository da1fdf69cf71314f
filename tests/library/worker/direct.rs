//! What is begun in a process whose worker has room goes to it without a claim.

use crate::support::{Browser, Harness, ada, confirmed, soon, token};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};
use vestibule::{
    caps::Admission,
    clock::Timestamp,
    confirmation::{Confirmation, ConfirmationId, Decider, Decision, Noted, Queued, State, Wait},
    pending::TokenTag,
    secret::SecretHash,
    session::{Session, SessionId},
    sign_ins::{Progress, SignIns, Step},
    store::{
        BeginError, ConfirmationStore, SessionStore as _, Settlement, StoreError, Stores,
        memory::MemorySessions,
    },
    timing::Timing,
    token::Token,
    validator::Verdict,
    worker::Environment,
};

/// A store in which a begin is stored, and its end waits.
struct SlowBegins {
    inner: Arc<dyn ConfirmationStore>,
    stored: Notify,
    go_on: Notify,
    /// Whether the answer is lost on its way.
    lost: bool,
}

#[async_trait]
impl ConfirmationStore for SlowBegins {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        let begun = self.inner.begin(confirmation, session, admission).await;
        self.stored.notify_one();
        self.go_on.notified().await;
        if self.lost {
            return Err(StoreError::Unavailable("the connection was lost".into()).into());
        }
        begun
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        self.inner.confirmation_by_secret(secret).await
    }

    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
        self.inner.confirmation(id).await
    }

    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        self.inner.wait(id, wait, now).await
    }

    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError> {
        self.inner.decide(id, decider, decision, settlement).await
    }

    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError> {
        self.inner.revoke(id, session).await
    }
}

/// Waits until the worker has looked, and sleeps.
async fn worker_is_idle(harness: &Harness) {
    let poll = harness.now() + harness.environment.timing.poll;
    harness.clock.somebody_sleeps_until(poll).await;
}

fn queued(confirmation: Confirmation) -> Queued {
    let State::Queued(queued) = confirmation.state else {
        panic!("it is undecided: {confirmation:?}")
    };
    queued
}

#[tokio::test]
async fn where_a_worker_has_room_it_is_stored_under_its_lease() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    worker_is_idle(&harness).await;
    let mut browser = harness.browser();
    browser.land(&link);
    assert_eq!(
        browser.begin(&link).await.progress,
        Progress::Waiting(Step::Contacting)
    );
    let stored = queued(harness.confirmation(&browser, &link).await);
    assert_eq!(stored.fence, 1);
    let lease = stored.lease.expect("it is stored under a lease");
    assert_eq!(lease.until, harness.now() + Timing::default().lease);
    let question = harness.question().await;
    // The page comes again: that begins nothing.
    browser.begin(&link).await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    assert!(harness.validator.try_next().await.is_none());
}

#[tokio::test]
async fn without_a_worker_it_is_queued() {
    let harness = Harness::open().await;
    let link = token("link");
    let worker = harness.start_worker();
    worker_is_idle(&harness).await;
    worker.stop();
    worker.stopped().await;
    let browser = harness.begun(&link).await;
    assert_eq!(
        queued(harness.confirmation(&browser, &link).await).lease,
        None
    );
}

/// A begin that is stored under the worker's lease and has not ended.
struct Underway {
    begins: Arc<SlowBegins>,
    browser: Browser,
    ends: JoinHandle<bool>,
}

impl Underway {
    async fn start(harness: &Harness, link: &Token, lost: bool) -> Self {
        let begins = Arc::new(SlowBegins {
            inner: harness.environment.stores.confirmations.clone(),
            stored: Notify::new(),
            go_on: Notify::new(),
            lost,
        });
        let mut environment = harness.environment.clone();
        environment.stores.confirmations = begins.clone();
        let mut browser = Browser::new(SignIns::new(&environment, harness.dispatch.clone()));
        browser.land(link);
        let ends = {
            let mut browser = browser.clone();
            let link = link.clone();
            tokio::spawn(async move { browser.try_to_begin(&link, false).await.is_ok() })
        };
        soon("the begin to be stored", begins.stored.notified()).await;
        let stored = queued(harness.confirmation(&browser, link).await);
        assert!(stored.lease.is_some());
        Self {
            begins,
            browser,
            ends,
        }
    }

    /// Lets it end, and returns whether it says that it has begun.
    async fn end(self) -> (Browser, bool) {
        self.begins.go_on.notify_one();
        let begun = soon("the begin to end", self.ends).await.unwrap();
        (self.browser, begun)
    }
}

#[tokio::test]
async fn a_begin_whose_answer_is_lost_is_claimed_at_once() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    worker_is_idle(&harness).await;
    let (_, begun) = Underway::start(&harness, &link, true).await.end().await;
    assert!(!begun);
    let question = harness.question().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
}

#[tokio::test]
async fn no_begin_waits_until_its_claim_is_handed_back() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    worker_is_idle(&harness).await;
    let underway = Underway::start(&harness, &link, true).await;
    let mut writer = harness.raw().await;
    sqlx::query("begin immediate")
        .execute(&mut writer)
        .await
        .unwrap();
    let (_, begun) = underway.end().await;
    assert!(!begun);
    sqlx::query("rollback").execute(&mut writer).await.unwrap();
    harness.question().await;
}

#[tokio::test]
async fn a_begin_that_took_most_of_its_lease_is_claimed_anew() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    worker_is_idle(&harness).await;
    let underway = Underway::start(&harness, &link, false).await;
    let timing = &harness.environment.timing;
    let left = timing.lease.saturating_sub(timing.attempt);
    harness.advance(left + Duration::from_millis(1));
    let (browser, begun) = underway.end().await;
    assert!(begun);
    let question = harness.question().await;
    let stored = queued(harness.confirmation(&browser, &link).await);
    assert_eq!(stored.fence, 2);
    let lease = stored.lease.expect("it is being asked about");
    assert_eq!(lease.until, harness.now() + timing.lease);
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
}

#[tokio::test]
async fn a_begin_whose_worker_has_stopped_is_handed_back() {
    let finish_within = Duration::from_secs(5);
    let harness = Harness::with(Timing {
        poll: 4 * finish_within,
        ..Timing::default()
    })
    .await;
    let link = token("link");
    let worker = harness.start_worker();
    worker_is_idle(&harness).await;
    let underway = Underway::start(&harness, &link, false).await;
    worker.stop();
    let given_up = harness.now() + finish_within;
    harness.clock.somebody_sleeps_until(given_up).await;
    harness.advance(finish_within);
    worker.stopped().await;
    let (browser, begun) = underway.end().await;
    assert!(begun);
    let stored = queued(harness.confirmation(&browser, &link).await);
    assert_eq!((stored.lease, stored.failed), (None, 0));
    harness.start_worker();
    let question = harness.question().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
}

#[tokio::test]
async fn a_begin_that_finds_the_session_of_an_earlier_try_is_taken_all_the_same() {
    let harness = Harness::open().await;
    let link = token("link");
    let sessions = Arc::<MemorySessions>::default();
    let timing = &harness.environment.timing;
    let stores = Stores::in_one(harness.store.clone().without_sessions())
        .with_external_sessions(sessions.clone(), timing.bound);
    let environment = Environment {
        stores,
        ..harness.environment.clone()
    };
    harness.start_worker_with(environment.clone());
    worker_is_idle(&harness).await;
    let mut browser = Browser::new(SignIns::new(&environment, harness.dispatch.clone()));
    browser.land(&link);
    let secret = browser.pending(&link).unwrap().secret.hash();
    let tag = TokenTag::of(&harness.environment.keys, &link);
    let until = harness.now() + timing.pending_cookie();
    let id = SessionId::from_bytes([7; 16]);
    let left = Session::pending(id, secret, tag, harness.now(), until);
    assert!(sessions.insert_session(&left).await.unwrap());
    browser.begin(&link).await;
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
}
