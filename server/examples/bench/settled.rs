//! What one worker with the default settings settles a second while its validator takes 200 ms,
//! durably in each database, and what an outage of the validator leaves behind.
//!
//! The validator is a process of its own, and the worker announces to the embedded broker, as in a
//! server.

use crate::{database::Database, place, resident, row, service::Service, sign_in::keys};
use axum::Router;
use futures_util::{StreamExt as _, stream};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use vestibule::{
    caps::{Caps, Client, Room},
    clock::SystemClock,
    outcome::Destinations,
    publisher::{PusherApp, PusherPublisher, PusherSecret, Queue},
    secret::SystemEntropy,
    sign_ins::SignIns,
    store::{Stores, sqlite::SqliteStore},
    timing::Timing,
    token::Token,
    validator::HttpValidator,
    worker::{Dispatch, Environment, IN_FLIGHT, Worker},
};
use vestibule_broker::{AppSecret, Broker, BrokerConfig};

/// How many wait for the worker.
pub const QUEUED: usize = 5_000;
/// How many wait through an outage, and how long that is.
const THROUGH_OUTAGE: usize = 10_000;
const OUTAGE: Duration = Duration::from_secs(20);
/// No measurement takes longer.
pub const AT_MOST: Duration = Duration::from_mins(2);

pub async fn measure() {
    for database in Database::all().await {
        let name = database.name();
        let service = Service::start("validator").await;
        let bench = Bench::new(database.stores().await, &service.url("/"));
        bench.begin(QUEUED).await;
        let took = bench.settle().await;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let rate = QUEUED as f64 / took.as_secs_f64();
        let figure = format!("settled a second, validator of 200 ms, {QUEUED} queued, {name}");
        row(&figure, &format!("{rate:.0}"), "5000");
        bench.begin(THROUGH_OUTAGE).await;
        let away = Service::start("validator").await;
        let bench = Bench {
            validator: away.url(&format!("/away-for/{}", OUTAGE.as_secs())),
            ..bench
        };
        let after = bench.settle().await.saturating_sub(OUTAGE);
        let figure = format!(
            "{THROUGH_OUTAGE} after an outage of {} s, settled within, s, {name}",
            OUTAGE.as_secs()
        );
        row(&figure, &format!("{:.1}", after.as_secs_f64()), "30");
        database.close().await;
    }
    let memory = Service::start("in-flight").await;
    row("memory of a validation in flight, KiB", memory.said(), "20");
}

/// What a validation in flight takes: all that the worker has at once wait for a validator that
/// never answers.
pub async fn in_flight() -> String {
    let database = Database::sqlite();
    let service = Service::start("validator").await;
    let bench = Bench::new(database.stores().await, &service.url("/never"));
    bench.begin(IN_FLIGHT).await;
    let before = resident();
    let (worker, stop) = bench.start();
    sleep(Duration::from_secs(5)).await;
    let after = resident();
    stop.cancel();
    worker.abort();
    format!(
        "{:.1}",
        (after - before) / u32::try_from(IN_FLIGHT).map_or(1.0, f64::from)
    )
}

pub struct Bench {
    pub stores: Stores,
    publisher: Arc<Queue>,
    validator: String,
}

impl Bench {
    /// On the database in this file, with no validator.
    pub async fn at(file: &Path) -> Self {
        let store = SqliteStore::open(file, &keys()).await;
        Self::new(
            Stores::in_one(store.expect("the file of a server")),
            "http://127.0.0.1:9/",
        )
    }

    pub fn new(stores: Stores, validator: &str) -> Self {
        let broker = Broker::new(BrokerConfig::new("1", "key", AppSecret::new("secret")));
        let api: Router = broker.api_routes();
        let app = PusherApp {
            id: "1".into(),
            key: "key".into(),
            secret: PusherSecret::new("secret"),
            host: place::serve(api).to_string(),
            tls: None,
        };
        let publisher = Arc::new(Queue::start(
            Arc::new(PusherPublisher::new(&app)),
            Arc::new(SystemEntropy),
        ));
        Self {
            stores,
            publisher,
            validator: validator.to_owned(),
        }
    }

    fn environment(&self) -> Environment {
        Environment {
            stores: self.stores.clone(),
            validator: Arc::new(
                HttpValidator::new(&self.validator, None).expect("an address of HTTP"),
            ),
            publisher: self.publisher.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            keys: Arc::new(keys()),
            destinations: Destinations::default(),
            timing: Timing::default(),
            room: Arc::new(Room::new(Caps {
                in_all: u32::MAX,
                ..Caps::default()
            })),
            outbox: None,
            notice_wake: None,
        }
    }

    /// Has so many begin, all at once.
    pub async fn begin(&self, count: usize) {
        let desk = &SignIns::new(&self.environment(), Dispatch::default());
        let begin = |number: usize| async move {
            let token: Token = format!("queued-{number}").parse().expect("a token");
            // Each from elsewhere: one network may not have so many undecided.
            let client = Client::from_bytes((number as u128).to_be_bytes());
            desk.begin(&token, None, false, client, None)
                .await
                .expect("it is stored");
        };
        stream::iter(0..count)
            .map(begin)
            .buffer_unordered(512)
            .collect::<Vec<()>>()
            .await;
    }

    fn start(&self) -> (JoinHandle<()>, CancellationToken) {
        let stop = CancellationToken::new();
        let worker = Worker::new(self.environment(), Dispatch::default(), IN_FLIGHT);
        (tokio::spawn(worker.run(stop.clone())), stop)
    }

    /// Starts a worker, and returns how long it takes until no browser waits any more.
    async fn settle(&self) -> Duration {
        let start = Instant::now();
        let (worker, stop) = self.start();
        let nobody_waits = async {
            let mut tick = interval(Duration::from_millis(20));
            while self
                .stores
                .queue
                .next_due()
                .await
                .expect("the store can be read")
                .is_some()
            {
                tick.tick().await;
            }
        };
        timeout(AT_MOST, nobody_waits)
            .await
            .expect("all are settled in time");
        let took = start.elapsed();
        stop.cancel();
        worker.await.expect("the worker does not panic");
        took
    }
}
