//! The application is told of each confirmation at least once, whatever it does.

use crate::support::{
    Harness, Plan, Postgres, Running, Sample, ada, at, bob, confirmed, keys, settlement, soon,
    token,
};
use async_trait::async_trait;
use std::{error::Error, future::pending, sync::Arc, time::Duration};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use vestibule::{
    confirmation::{Decider, Decision, Rejection},
    notice::{Notice, NoticeWorker, OnConfirmed},
    store::{NoticeStore as _, Settlement, Stores, sqlite::SqliteStore},
    user::{Identity, User},
    validator::{Answer, Reason, Verdict},
};

/// What the application does with a notice.
#[derive(Clone, Copy, Debug)]
enum Does {
    Take,
    Fail,
    Panic,
    Hang,
}

/// An application that does with one notice after the other what it was told to do, and then takes
/// them.
struct Application {
    does: Mutex<Vec<Does>>,
    told: mpsc::UnboundedSender<(Identity, bool)>,
}

#[async_trait]
impl OnConfirmed for Application {
    async fn confirmed(
        &self,
        user: User,
        is_new: bool,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let does = self.does.lock().await.pop().unwrap_or(Does::Take);
        self.told.send((user.identity, is_new)).unwrap();
        match does {
            Does::Take => Ok(()),
            Does::Fail => Err("not now".into()),
            Does::Panic => panic!("as it was told"),
            Does::Hang => pending().await,
        }
    }
}

/// A server whose application is told, and what it has been told.
struct Told {
    harness: Harness,
    heard: mpsc::UnboundedReceiver<(Identity, bool)>,
    notices: Option<Running>,
}

impl Told {
    async fn with(mut does: Vec<Does>) -> Self {
        let harness = Harness::built(Plan {
            tells: true,
            ..Plan::default()
        })
        .await;
        does.reverse();
        let (tell, told) = mpsc::unbounded_channel();
        let application = Arc::new(Application {
            does: does.into(),
            told: tell,
        });
        let notices = start(&harness, application);
        Self {
            harness,
            heard: told,
            notices: Some(notices),
        }
    }

    async fn stop(&mut self) {
        let notices = self.notices.take().unwrap();
        notices.stop();
        notices.stopped().await;
    }

    async fn next(&mut self) -> (Identity, bool) {
        soon("a notice", self.heard.recv()).await.unwrap()
    }

    /// What is left, once everything that waits has been looked at.
    async fn left(&self) -> Vec<Notice> {
        self.harness.everything_before_is_done().await;
        let now = self.harness.now() + Duration::from_hours(1);
        self.harness.store.take_notices(9, now, now).await.unwrap()
    }
}

fn start(harness: &Harness, application: Arc<Application>) -> Running {
    let shutdown = CancellationToken::new();
    let wake = harness.environment.notice_wake.clone().unwrap();
    let worker = NoticeWorker::new(application, &harness.environment, wake);
    let task = tokio::spawn(worker.run(shutdown.clone()));
    Running { shutdown, task }
}

#[tokio::test]
async fn it_is_told_of_each_confirmation_and_of_nothing_else() {
    let mut told = Told::with(Vec::new()).await;
    told.harness.start_worker();
    for (identity, is_new) in [(ada(), true), (bob(), true), (ada(), false)] {
        told.harness.begun(&token("link")).await;
        let question = told.harness.question().await;
        question.answer(Ok(Verdict::Valid(identity.clone(), None)));
        assert_eq!(told.harness.outcome().await, confirmed());
        assert_eq!(told.next().await, (identity, is_new));
    }
    // A callback decides as well.
    let link = token("called");
    let browser = told.harness.begun(&link).await;
    let question = told.harness.question().await;
    let call = Answer::Verdict(Verdict::Valid(bob(), None));
    told.harness
        .sign_ins
        .receive(question.id, call)
        .await
        .unwrap();
    assert_eq!(told.next().await, (bob(), false));
    drop(browser);
    told.harness.begun(&token("bad")).await;
    let question = told.harness.question().await;
    question.answer(Ok(Verdict::Invalid(Reason::Used)));
    told.stop().await;
    assert_eq!(told.heard.try_recv().ok(), None);
}

#[tokio::test]
async fn a_notice_that_is_not_taken_is_given_again_after_a_minute() {
    let does = [Does::Fail, Does::Panic, Does::Hang, Does::Take];
    let mut told = Told::with(does.to_vec()).await;
    told.harness.start_worker();
    told.harness.begun(&token("link")).await;
    let question = told.harness.question().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    for _ in does {
        assert_eq!(told.next().await, (ada(), true));
        told.harness.advance(Duration::from_mins(1));
    }
    told.stop().await;
    assert_eq!(told.left().await, []);
}

#[tokio::test]
async fn one_that_hangs_holds_up_no_other() {
    let mut told = Told::with(vec![Does::Hang]).await;
    told.harness.start_worker();
    for identity in [ada(), bob()] {
        told.harness.begun(&token("link")).await;
        let question = told.harness.question().await;
        question.answer(Ok(Verdict::Valid(identity.clone(), None)));
        assert_eq!(told.next().await, (identity, true));
    }
}

#[tokio::test]
async fn what_a_killed_process_has_not_told_the_next_one_tells() {
    let mut told = Told::with(vec![Does::Hang]).await;
    told.harness.start_worker();
    told.harness.begun(&token("link")).await;
    let question = told.harness.question().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    told.next().await;
    told.notices.take().unwrap().task.abort();
    let (tell, mut again) = mpsc::unbounded_channel();
    start(
        &told.harness,
        Arc::new(Application {
            does: Vec::new().into(),
            told: tell,
        }),
    );
    told.harness.everything_before_is_done().await;
    assert!(again.try_recv().is_err(), "the other may be at it");
    told.harness.advance(Duration::from_mins(1));
    let (identity, is_new) = soon("the notice", again.recv()).await.unwrap();
    assert_eq!((identity, is_new), (ada(), true));
}

#[tokio::test]
async fn of_a_user_who_has_gone_it_is_told_nothing_and_after_a_day_it_is_given_up() {
    for removed in [true, false] {
        let mut told = Told::with(vec![Does::Fail; 2]).await;
        told.harness.start_worker();
        told.harness.begun(&token("link")).await;
        let question = told.harness.question().await;
        question.answer(Ok(Verdict::Valid(ada(), None)));
        told.next().await;
        if removed {
            let users = &told.harness.environment.stores.users;
            let ada = users.user_by_identity(&ada().issuer, &ada().subject).await;
            users.remove_user(ada.unwrap().unwrap().id).await.unwrap();
            told.harness.advance(Duration::from_mins(1));
        } else {
            told.harness.advance(Duration::from_hours(25));
        }
        told.harness.everything_before_is_done().await;
        told.stop().await;
        assert_eq!(told.left().await, [], "removed: {removed}");
        assert!(told.heard.try_recv().is_err(), "removed: {removed}");
    }
}

#[tokio::test]
async fn a_decision_leaves_a_notice_only_if_it_confirms_and_was_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vestibule.db");
    let sqlite = SqliteStore::open(&file, &keys(&[7])).await.unwrap();
    let mut databases = vec![Stores::in_one(sqlite)];
    if let Some(postgres) = Postgres::fresh().await {
        databases.push(Stores::in_one(postgres.open().await));
    }
    for stores in databases {
        let valid = Decision::Valid(ada(), None);
        let mut confirmed = None;
        for (number, decision, tells) in [
            (1, &valid, true),
            (2, &valid, false),
            (3, &Decision::Rejected(Rejection::Used), true),
        ] {
            let sample = Sample::new(number).begun(&*stores.confirmations).await;
            let settlement = Settlement {
                tells,
                ..settlement(at(5))
            };
            let id = sample.confirmation.id;
            // The second time nothing is decided any more.
            for _ in 0..2 {
                let decided = stores
                    .confirmations
                    .decide(id, Decider::User, decision, settlement);
                decided.await.unwrap();
            }
            confirmed.get_or_insert(Notice {
                confirmation: id,
                user: settlement.new_user,
                is_new: true,
                created_at: at(5),
            });
        }
        let expected = confirmed.unwrap();
        let take = async |now, until| {
            stores
                .notices
                .take_notices(9, at(now), at(until))
                .await
                .unwrap()
        };
        assert_eq!(take(4, 60).await, []);
        assert_eq!(take(5, 60).await, [expected]);
        assert_eq!(take(59, 90).await, []);
        assert_eq!(take(60, 90).await, [expected]);
        stores
            .notices
            .remove_notice(expected.confirmation)
            .await
            .unwrap();
        assert_eq!(take(1000, 1000).await, []);
    }
}
