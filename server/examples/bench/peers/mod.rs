//! Vestibule beside what a team would build instead: an application on Express, with sessions and
//! jobs in Redis.
//!
//! All are asked by the same client, and share the same validator and Pusher server. What is
//! measured runs in processes of its own, and each run has an empty storage. The runs take turns,
//! so what disturbs the machine for a while disturbs all.

mod comparison;
mod deployment;
mod express;
mod parts;
mod redis;
pub mod vestibule;

use crate::{
    CONNECTIONS, begins,
    client::{self, Client},
    percentile,
    push_server::PushServer,
    service::Service,
    settled::{AT_MOST, QUEUED},
    sign_in::Begun,
    steady, table,
};
use comparison::{Figure, compare};
use deployment::{Candidate, Deployment};
use futures_util::future::join_all;
use parts::Parts;
use std::{env, net::SocketAddr, time::Duration};
use tokio::time::Instant;

/// How long the way in is used before it is measured: Node compiles what is used.
const WARM_UP: Duration = Duration::from_secs(1);
/// How many sign-ins there are before those that are measured, and the time from one to the next.
const WARM_UP_SIGN_INS: u32 = 100;
const WARM_UP_EVERY: Duration = Duration::from_millis(10);
/// How many jobs the worker of Express has at once while few come: more than are ever there.
const CONCURRENCY: u32 = 50;
/// The same while thousands wait: with more, it settles no more a second.
const BEST_CONCURRENCY: u32 = 500;

/// Whether someone has installed what the application on Express needs.
pub fn are_there() -> bool {
    env::var_os(redis::PROGRAM).is_some()
}

pub async fn measure() {
    table::head();
    println!("SQLite and PostgreSQL are Vestibule's, which syncs each commit;");
    println!("the Redis of Express syncs its log once a second.");
    begin().await;
    announce().await;
    settle().await;
}

/// How many can begin a second while no worker runs.
async fn begin() {
    let figures = [
        Figure {
            name: "landing + begin a second".into(),
            decimals: 0,
            goals: ["≥ 4", "≥ 2.5"],
        },
        Figure {
            name: "landing + begin, p99, ms".into(),
            decimals: 1,
            goals: ["< 0.5", "< 0.5"],
        },
    ];
    let push_server = PushServer::start();
    let settings = [&push_server.settings()[..], &begins::settings()].concat();
    compare(figures, async |candidate| {
        let mut deployment = Deployment::new(candidate, &settings).await;
        let addr = deployment.start(Parts::Pages).await;
        let once = move |mut client: Client| async move {
            candidate.begin(&mut client, begins::next_number()).await;
            client
        };
        client::all_for(WARM_UP, addr, once).await;
        let times = client::all(addr, once).await;
        deployment.close().await;
        [client::rate(&times), milliseconds(&times, 0.99)]
    })
    .await;
}

/// What is added to the validator's own time, from begin, at a steady rate.
async fn announce() {
    let figures = [
        Figure {
            name: "added until the push, p50, ms".into(),
            decimals: 1,
            goals: ["≤ 0.5"; 2],
        },
        Figure {
            name: "added until the push, p99, ms".into(),
            decimals: 1,
            goals: ["≤ 0.5"; 2],
        },
    ];
    compare(figures, async |candidate| {
        let services = steady::Services::start();
        let settings = [&services.settings()[..], &[concurrency(CONCURRENCY)]].concat();
        let mut deployment = Deployment::new(candidate, &settings).await;
        let addr = deployment.start(Parts::All).await;
        let begin = async |client: &mut Client, number| candidate.begin(client, number).await;
        services
            .sign_ins(addr, 0..WARM_UP_SIGN_INS, WARM_UP_EVERY, begin)
            .await;
        let measured = WARM_UP_SIGN_INS..WARM_UP_SIGN_INS + steady::SIGN_INS;
        let sign_ins = services.sign_ins(addr, measured, steady::EVERY, begin);
        let added = steady::sorted(&sign_ins.await, steady::SignIn::added);
        deployment.close().await;
        [0.5, 0.99].map(|share| milliseconds(&added, share))
    })
    .await;
}

/// How many a second a worker settles that starts when [`QUEUED`] wait, while the validator takes
/// 200 ms.
async fn settle() {
    let figures = [Figure {
        name: format!("settled a second, {QUEUED} queued"),
        decimals: 0,
        goals: ["≥ 6"; 2],
    }];
    compare(figures, async |candidate| {
        let push_server = PushServer::start();
        let validator = Service::start("validator").await;
        let more = [
            ("VALIDATOR_URL", validator.url("/")),
            concurrency(BEST_CONCURRENCY),
        ];
        let settings = [&push_server.settings()[..], &more].concat();
        let mut deployment = Deployment::new(candidate, &settings).await;
        let begun = queue(candidate, deployment.start(Parts::Pages).await).await;
        deployment.stop().await;
        deployment.start(Parts::All).await;
        let start = Instant::now();
        let arrivals = push_server.arrivals(&begun, AT_MOST).await;
        let last = arrivals.into_iter().max().expect("some have begun");
        deployment.close().await;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let count = QUEUED as f64;
        [count / last.duration_since(start).as_secs_f64()]
    })
    .await;
}

/// Has [`QUEUED`] begin over all connections.
async fn queue(candidate: Candidate, addr: SocketAddr) -> Vec<Begun> {
    let connections = (0..CONNECTIONS).map(|first| async move {
        let mut client = Client::connect(addr).await;
        let mut begun = Vec::new();
        for number in (first..QUEUED).step_by(CONNECTIONS) {
            let number = u32::try_from(number).expect("some thousands");
            begun.push(candidate.begin(&mut client, number).await);
        }
        begun
    });
    join_all(connections).await.into_iter().flatten().collect()
}

/// The setting by which Express knows how many jobs its worker may have at once.
fn concurrency(jobs: u32) -> (&'static str, String) {
    ("CONCURRENCY", jobs.to_string())
}

fn milliseconds(sorted: &[Duration], share: f64) -> f64 {
    percentile(sorted, share).as_secs_f64() * 1000.0
}
