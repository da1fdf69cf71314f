//! A whole Vestibule on a database of its own.

use super::{Browser, WatchedClock, ada, keys, soon};
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use vestibule::{
    caps::{Caps, Client, Room},
    channel::Channel,
    clock::{Clock as _, Timestamp},
    confirmation::{Confirmation, ConfirmationId},
    mail::Outbox,
    outcome::{Destinations, Outcome},
    pending::PendingCookie,
    publisher::Announcement,
    sign_ins::SignIns,
    store::{ConfirmationStore as _, Stores, sqlite::SqliteStore},
    testing::{Question, RecordingPublisher, ScriptedValidator, SeededEntropy},
    timing::Timing,
    token::Token,
    user::Identity,
    validator::{ValidationError, Verdict},
    worker::{Dispatch, Environment, Worker},
};

/// How a house is to be built.
pub struct Plan {
    pub timing: Timing,
    pub in_flight: usize,
    pub caps: Caps,
    /// How many pages the disk has room for.
    pub pages: u32,
    /// Whether mail can be sent.
    pub mails: bool,
    /// Whether the application is told of confirmations.
    pub tells: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            timing: Timing::default(),
            mails: false,
            tells: false,
            in_flight: 16,
            caps: Caps::default(),
            pages: u32::MAX - 1,
        }
    }
}

/// A [`SignIns`], and the environment for as many workers as a test starts. The test is the
/// validator and hears the announcements.
pub struct Harness {
    pub clock: Arc<WatchedClock>,
    pub validator: Arc<ScriptedValidator>,
    pub publisher: Arc<RecordingPublisher>,
    pub store: SqliteStore,
    pub sign_ins: SignIns,
    pub environment: Environment,
    pub dispatch: Dispatch,
    pub mail_wake: Arc<Notify>,
    in_flight: usize,
    /// How many browsers have begun, each at an address of its own.
    addresses: AtomicU64,
    folder: TempDir,
}

impl Harness {
    pub async fn open() -> Self {
        Self::built(Plan::default()).await
    }

    pub async fn with(timing: Timing) -> Self {
        Self::built(Plan {
            timing,
            ..Plan::default()
        })
        .await
    }

    pub async fn built(plan: Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(keys(&[7]));
        let path = folder.path().join("vestibule.db");
        let store = SqliteStore::open_within(plan.pages, &path, &keys)
            .await
            .unwrap();
        let clock = Arc::<WatchedClock>::default();
        let validator = Arc::<ScriptedValidator>::default();
        let publisher = Arc::<RecordingPublisher>::default();
        let mut environment = Environment {
            stores: Stores::in_one(store.clone()),
            validator: validator.clone(),
            publisher: publisher.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            keys,
            destinations: Destinations::default(),
            timing: plan.timing,
            room: Arc::new(Room::new(plan.caps)),
            outbox: None,
            notice_wake: plan.tells.then(Arc::default),
        };
        let mail_wake = Arc::<Notify>::default();
        if plan.mails {
            environment.outbox = Some(Outbox::new(&environment, mail_wake.clone()));
        }
        let dispatch = Dispatch::default();
        let sign_ins = SignIns::new(&environment, dispatch.clone());
        Self {
            clock,
            validator,
            publisher,
            store,
            sign_ins,
            environment,
            dispatch,
            mail_wake,
            in_flight: plan.in_flight,
            addresses: AtomicU64::new(0),
            folder,
        }
    }

    /// Starts a worker on a task.
    pub fn start_worker(&self) -> Running {
        self.start_worker_with(self.environment.clone())
    }

    /// Starts a worker with other tools.
    pub fn start_worker_with(&self, environment: Environment) -> Running {
        let shutdown = CancellationToken::new();
        let worker = Worker::new(environment, self.dispatch.clone(), self.in_flight);
        let task = tokio::spawn(worker.run(shutdown.clone()));
        Running { shutdown, task }
    }

    /// Another server's [`SignIns`] with these keys, on the same database.
    pub fn sign_ins_with(&self, numbers: &[u8]) -> SignIns {
        let environment = Environment {
            keys: Arc::new(keys(numbers)),
            ..self.environment.clone()
        };
        SignIns::new(&environment, self.dispatch.clone())
    }

    /// A [`SignIns`] of a process without a worker, on the same database.
    pub fn sign_ins_elsewhere(&self) -> SignIns {
        SignIns::new(&self.environment, Dispatch::default())
    }

    /// A browser without any cookie.
    pub fn browser(&self) -> Browser {
        Browser::new(self.sign_ins.clone())
    }

    /// A browser at an address of its own that has landed on the token's page and begun.
    pub async fn begun(&self, token: &Token) -> Browser {
        let address = self.addresses.fetch_add(1, Ordering::Relaxed);
        self.begun_at(Client::from_bytes(u128::from(address).to_be_bytes()), token)
            .await
    }

    /// A browser of this client that has landed on the token's page and begun.
    pub async fn begun_at(&self, client: Client, token: &Token) -> Browser {
        let mut browser = self.browser();
        browser.client = client;
        browser.land(token);
        browser.begin(token).await;
        browser
    }

    /// A browser whose link was good and `person`'s, and that has not come back for it yet. A
    /// worker must be running.
    pub async fn bound(&self, token: &Token, person: Identity) -> Browser {
        let mut browser = self.browser();
        self.bind(&mut browser, token, person).await;
        browser
    }

    /// Opens one more link in `browser`, which is good and `person`'s. A worker must be running.
    pub async fn bind(&self, browser: &mut Browser, token: &Token, person: Identity) {
        browser.land(token);
        browser.begin(token).await;
        self.question()
            .await
            .answer(Ok(Verdict::Valid(person, None)));
        assert!(matches!(self.outcome().await, Outcome::Confirmed { .. }));
    }

    /// A browser that Ada's link has signed in. A worker must be running.
    pub async fn signed_in(&self, token: &Token) -> Browser {
        let mut browser = self.bound(token, ada()).await;
        browser.enter().await;
        assert!(
            browser.session.is_some(),
            "the exchange gives a session cookie"
        );
        browser
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The validator's next question.
    pub async fn question(&self) -> Question {
        soon("a question to the validator", self.validator.next()).await
    }

    /// The next announcement.
    pub async fn announced(&self) -> (Channel, Announcement) {
        soon("an announcement", self.publisher.next()).await
    }

    /// The next announced outcome; what comes before it is passed over.
    pub async fn outcome(&self) -> Outcome {
        loop {
            if let (_, Announcement::Outcome(outcome)) = self.announced().await {
                return outcome;
            }
        }
    }

    /// The next outcome, to which the validator must not be asked anything.
    pub async fn outcome_without_a_question(&self) -> Outcome {
        tokio::select! {
            outcome = self.outcome() => outcome,
            _ = self.validator.next() => panic!("the validator is asked"),
        }
    }

    /// The stored confirmation of the browser's link.
    pub async fn confirmation(&self, browser: &Browser, token: &Token) -> Confirmation {
        let secret = browser
            .pending(token)
            .expect("the browser has landed")
            .secret
            .hash();
        self.store
            .confirmation_by_secret(&secret)
            .await
            .unwrap()
            .expect("it has begun")
    }

    /// The database file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("vestibule.db")
    }

    /// A connection of the test's own, past the store.
    pub async fn raw(&self) -> SqliteConnection {
        raw(&self.file(), Duration::from_secs(5)).await
    }

    /// Fails unless a writer would get its turn at once: a transaction that is open somewhere would
    /// keep the lock.
    pub async fn assert_no_transaction_is_open(&self) {
        let mut impatient = raw(&self.file(), Duration::ZERO).await;
        sqlx::query("begin immediate")
            .execute(&mut impatient)
            .await
            .expect("the write lock is free");
        sqlx::query("rollback")
            .execute(&mut impatient)
            .await
            .unwrap();
    }

    /// Waits until all that is in flight is done, and what the worker does before it claims: a
    /// sign-in of its own follows it.
    pub async fn everything_before_is_done(&self) {
        let behind = "behind-all-others".parse().unwrap();
        let mut browser = Browser::new(self.sign_ins_elsewhere());
        browser.land(&behind);
        browser.begin(&behind).await;
        self.dispatch.wake();
        let id = self.confirmation(&browser, &behind).await.id;
        self.answer_only(
            id,
            Err(ValidationError::Permanent {
                what: "only a test".into(),
            }),
        )
        .await;
        while self.announced().await.0 != browser.channel(&behind) {}
    }

    async fn answer_only(&self, id: ConfirmationId, answer: Result<Verdict, ValidationError>) {
        let question = self.question().await;
        assert_eq!(question.id, id, "no other question is asked meanwhile");
        question.answer(answer);
    }
}

/// A connection past the store to the database in `file`, which waits for a lock no longer than
/// `patience`.
pub async fn raw(file: &Path, patience: Duration) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(patience)
        .connect()
        .await
        .unwrap()
}

/// A worker that runs.
pub struct Running {
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Running {
    /// Asks it to stop.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }

    /// Waits until it has.
    pub async fn stopped(self) {
        soon("the worker to stop", self.task)
            .await
            .expect("the worker does not panic");
    }
}

impl Browser {
    /// What a pending cookie of this browser says.
    pub fn pending(&self, token: &Token) -> Option<PendingCookie> {
        PendingCookie::decode(self.sign_ins.keys(), token, self.cookie(token)?)
    }

    /// The channel of this browser's link.
    pub fn channel(&self, token: &Token) -> Channel {
        Channel::of(
            &self
                .pending(token)
                .expect("the browser has landed")
                .secret
                .hash(),
        )
    }
}
