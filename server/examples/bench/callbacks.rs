//! What it takes to wait for validators that answer later, and to take what they say.
//!
//! The server is a process of its own, so that it can be weighed; those who wait begin here, on its
//! database.

use crate::{
    CONNECTIONS, MEASURE, claims,
    client::Client,
    database::Database,
    percentile, place,
    place::Place,
    resident, row,
    service::{self, Service},
    settled::{AT_MOST, Bench},
    sign_in::{self, SECRET},
};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, interval, sleep, timeout};
use vestibule::{
    clock::{Clock as _, SystemClock},
    secret::WebhookKeys,
};

/// The key with which the validator signs.
const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// How many wait.
const WAITING: usize = 100_000;
/// How many of them are decided by a call.
const CALLS: usize = 20_000;
/// How many forged calls come each second.
const FORGED: u32 = 5_000;
/// How long a pooled connection may stay open without a question.
const IDLE: Duration = Duration::from_mins(2);

pub async fn measure() {
    for database in Database::all().await {
        Waiting::on(&database).await.measure().await;
        database.close().await;
    }
    flood().await;
}

/// A database on which many wait for a validator that answers later.
struct Waiting<'a> {
    bench: Bench,
    database: &'a Database,
}

impl<'a> Waiting<'a> {
    async fn on(database: &'a Database) -> Self {
        // Nothing is asked in this process.
        let bench = Bench::new(database.stores().await, "http://127.0.0.1:9/");
        Self { bench, database }
    }

    async fn measure(&self) {
        let name = self.database.name();
        let alone = (claims::median(&self.bench).await, self.begin_rate().await);
        claims::clear(&self.bench).await;
        // Before the server is there: two processes that write to one file wait for each other.
        self.bench.begin(WAITING).await;
        let validator = Service::start("validator").await;
        let arguments = [
            place::free().to_string(),
            self.database.url(),
            validator.url("/later"),
        ];
        let mut server = Service::start_with("callback-server", &arguments).await;
        let before = memory(&mut server).await;
        self.all_wait().await;
        let wait = self.bench.stores.queue.answered_later(u32::MAX).await;
        assert_eq!(wait.expect("the store can be read") as usize, WAITING);
        // Once those connections are closed that no question needs any more.
        let port = validator
            .said()
            .parse::<SocketAddr>()
            .expect("an address")
            .port();
        let open = timeout(IDLE, no_connections(port)).await;
        let open = open.map_or_else(|_| connections(port), |()| 0).to_string();
        let figure = format!("{WAITING} that wait for a callback, connections, {name}");
        row(&figure, &open, "0");
        let grown = (memory(&mut server).await - before) / 1024.0;
        let figure = format!("the same: more memory, MiB, {name}");
        row(&figure, &format!("{grown:.1}"), "64");
        let ids = match self.database {
            Database::Sqlite(_) => of_sqlite(&self.database.url()).await,
            Database::Postgres(_) => of_postgres(&self.database.url()).await,
        };
        let addr = arguments[0].parse().expect("an address");
        let took = call(addr, ids.into_iter().take(CALLS).collect()).await;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let rate = CALLS as f64 / took.as_secs_f64();
        let figure = format!("callbacks settled a second, durably, {name}");
        row(&figure, &format!("{rate:.0}"), "2000");
        server.ask("stop").await;
        let beside = (claims::median(&self.bench).await, self.begin_rate().await);
        let figure = format!("claim of 20 beside those who wait, to alone, {name}");
        row(
            &figure,
            &format!("{:.2}", beside.0.as_secs_f64() / alone.0.as_secs_f64()),
            "1",
        );
        let figure = format!("begins a second beside those who wait, to alone, {name}");
        row(&figure, &format!("{:.2}", beside.1 / alone.1), "1");
    }

    /// How many begin a second.
    async fn begin_rate(&self) -> f64 {
        const BEGINS: usize = 5_000;
        let start = Instant::now();
        self.bench.begin(BEGINS).await;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let rate = BEGINS as f64 / start.elapsed().as_secs_f64();
        rate
    }

    /// Waits until the validator has said of all that it answers later.
    async fn all_wait(&self) {
        let mut tick = interval(Duration::from_millis(50));
        let all = async {
            loop {
                tick.tick().await;
                let next = self.bench.stores.queue.next_due().await;
                let next = next.expect("the store can be read");
                let soon = SystemClock.now() + Duration::from_mins(5);
                if next.is_some_and(|next| next > soon) {
                    break;
                }
            }
        };
        timeout(AT_MOST, all).await.expect("all are asked about");
    }
}

/// Sign-ins beside calls that are not genuine.
async fn flood() {
    let settings = [
        &sign_in::settings()[..],
        &[
            ("VALIDATOR_URL", "http://127.0.0.1:9/".to_owned()),
            ("VALIDATOR_CALLBACK_SECRET", KEY.to_owned()),
        ],
    ]
    .concat();
    let place = Place::open(&settings).await;
    let alone = sign_ins(place.addr, 0).await;
    let stranger = tokio::spawn(forge(place.addr));
    let beside = sign_ins(place.addr, 10_000).await;
    stranger.abort();
    place.close().await;
    let figure = "landing + begin at 20 a second, p99, ms";
    row(figure, &format!("{:.1}", alone.as_secs_f64() * 1000.0), "");
    let figure = format!("the same beside {FORGED} forged callbacks a second, p99, ms");
    row(
        &figure,
        &format!("{:.1}", beside.as_secs_f64() * 1000.0),
        "",
    );
}

/// The 99th percentile of sign-ins until they have begun.
async fn sign_ins(addr: SocketAddr, first: u32) -> Duration {
    let mut client = Client::connect(addr).await;
    let mut tick = interval(Duration::from_millis(50));
    let mut times = Vec::new();
    let end = Instant::now() + 2 * MEASURE;
    let mut number = first;
    while Instant::now() < end {
        tick.tick().await;
        let begun = sign_in::begin(&mut client, number).await;
        times.push(begun.answered - begun.landed);
        number += 1;
    }
    times.sort_unstable();
    percentile(&times, 0.99)
}

/// Calls that are signed with another key, from one address.
async fn forge(addr: SocketAddr) {
    const AT_ONCE: u32 = 16;
    let keys = WebhookKeys::from([9; 32]);
    let body = "x".repeat(16 * 1024);
    let callers = (0..AT_ONCE).map(|_| async {
        let mut client = Client::connect(addr).await;
        let mut tick = interval(Duration::from_secs(1) * AT_ONCE / FORGED);
        loop {
            tick.tick().await;
            let head = head(&keys, &body) + "X-Forwarded-For: 10.200.0.1\r\n";
            client.call("/v1/verdicts", &head, &body).await;
        }
    });
    futures_util::future::join_all(callers).await;
}

/// Calls with a verdict about each of these, and returns how long that takes.
async fn call(addr: SocketAddr, ids: Vec<String>) -> Duration {
    let keys: WebhookKeys = KEY.parse().expect("a key");
    let ids = Arc::new(ids);
    let next = Arc::new(AtomicUsize::new(0));
    let refused = Arc::<Mutex<Option<String>>>::default();
    let start = Instant::now();
    let callers = (0..CONNECTIONS).map(|_| {
        let (ids, next, keys) = (ids.clone(), next.clone(), keys.clone());
        let refused = refused.clone();
        tokio::spawn(async move {
            let mut client = Client::connect(addr).await;
            while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                let body = format!(
                    r#"{{"confirmation":"{id}","verdict":"valid","identity":{{"issuer":"bench","subject":"{id}"}}}}"#
                );
                let answer = client.call("/v1/verdicts", &head(&keys, &body), &body).await;
                if !answer.head.starts_with("HTTP/1.1 204") {
                    *refused.lock().expect("no panic") = Some(answer.head);
                }
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("no caller panics");
    }
    let refused = refused.lock().expect("no panic");
    assert!(refused.is_none(), "{refused:?}");
    start.elapsed()
}

/// The headers of a call.
fn head(keys: &WebhookKeys, body: &str) -> String {
    let (timestamp, signature) = keys.sign("msg", SystemClock.now(), body.as_bytes());
    format!(
        "webhook-id: msg\r\nwebhook-timestamp: {timestamp}\r\nwebhook-signature: {signature}\r\n"
    )
}

/// Is the server that is called.
pub async fn serve(arguments: &[String]) {
    let [addr, database, validator] = arguments else {
        panic!("an address, a database and a validator")
    };
    let settings = [
        ("DATABASE_URL", database.clone()),
        ("VALIDATOR_URL", validator.clone()),
        ("VALIDATOR_CALLBACK_SECRET", KEY.to_owned()),
        ("VESTIBULE_SECRET", SECRET.to_owned()),
        ("CONFIRM_WAIT", "1h".to_owned()),
        // Half of these may wait, which is more than do: near that number, fewer are let in.
        ("CONFIRM_UNDECIDED", (3 * WAITING).to_string()),
    ];
    let place = Place::open_at(addr.parse().expect("an address"), &settings).await;
    println!("ready");
    let mut questions = service::questions();
    while let Some(question) = questions.recv().await {
        match question.as_str() {
            "memory" => println!("{}", resident()),
            _ => break,
        }
    }
    place.close().await;
    println!("stopped");
}

async fn memory(server: &mut Service) -> f64 {
    server.ask("memory").await.parse().expect("a number")
}

async fn no_connections(port: u16) {
    while connections(port) > 0 {
        sleep(Duration::from_millis(500)).await;
    }
}

/// How many connections to this port of loopback are established.
fn connections(port: u16) -> usize {
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let remote = format!(":{port:04X} 01 ");
    sockets
        .lines()
        .filter(|line| line.contains(&remote))
        .count()
}

async fn of_sqlite(url: &str) -> Vec<String> {
    let mut connection = SqliteConnection::connect(url).await.expect("the file");
    sqlx::query_scalar("select lower(hex(id)) from confirmations where state = 'queued' and due_at > created_at + 600000")
        .fetch_all(&mut connection)
        .await
        .expect("rows")
}

async fn of_postgres(url: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.expect("the database");
    sqlx::query_scalar("select encode(id, 'hex') from confirmations where state = 'queued' and due_at > created_at + 600000")
        .fetch_all(&mut connection)
        .await
        .expect("rows")
}
