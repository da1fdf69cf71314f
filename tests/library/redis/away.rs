//! An unreachable Redis is reported soon; once it is back, the next call succeeds.

use super::{established, exchanged, now};
use crate::support::{Redis, WatchedClock, redis, soon};
use redis::cmd;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Instant,
};
use vestibule::store::{
    SessionStore, StoreError,
    redis::{RedisOpenError, RedisSessions},
};

/// How long a user waits for a page.
const SOON: Duration = Duration::from_secs(5);

/// A connection to the tests' Redis that can be closed, without closing it for other tests.
struct Road {
    url: String,
    to: String,
    at: SocketAddr,
    blocked: watch::Sender<bool>,
    traffic: JoinHandle<()>,
}

impl Road {
    async fn to(corner: &Redis) -> Self {
        let to = corner.host();
        let blocked = watch::Sender::new(false);
        let (at, traffic) = lead("127.0.0.1:0".parse().unwrap(), &to, &blocked).await;
        // With the name and the password, if there are any.
        let url = corner.url.replacen(&to, &at.to_string(), 1);
        Self {
            url,
            to,
            at,
            blocked,
            traffic,
        }
    }

    /// As when Redis stops: open connections are cut, new ones refused.
    async fn close(&mut self) {
        self.traffic.abort();
        let _ = (&mut self.traffic).await;
    }

    /// As when the network is gone: nothing is cut, and nothing comes through.
    fn block(&self) {
        self.blocked.send_replace(true);
    }

    async fn open_again(&mut self) {
        self.blocked.send_replace(false);
        (self.at, self.traffic) = lead(self.at, &self.to, &self.blocked).await;
    }
}

async fn lead(
    at: SocketAddr,
    to: &str,
    blocked: &watch::Sender<bool>,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(at).await.unwrap();
    let at = listener.local_addr().unwrap();
    let to = to.to_owned();
    let blocked = blocked.subscribe();
    let traffic = tokio::spawn(async move {
        // Dropped with this task, and each of them with it.
        let mut connections = JoinSet::new();
        loop {
            let (mut from, _) = listener.accept().await.unwrap();
            let to = to.clone();
            let mut blocked = blocked.clone();
            connections.spawn(async move {
                let mut to = TcpStream::connect(&*to).await.unwrap();
                let open = tokio::select! {
                    biased;
                    _ = blocked.wait_for(|blocked| *blocked) => false,
                    _ = copy_bidirectional(&mut from, &mut to) => true,
                };
                if !open {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (at, traffic)
}

async fn open(url: &str, corner: &Redis) -> RedisSessions {
    RedisSessions::open(url, Arc::<WatchedClock>::default(), &*corner.prefix)
        .await
        .unwrap()
}

async fn assert_away(sessions: &RedisSessions) {
    let session = exchanged(1);
    let errors = [
        soon("a read", sessions.session(session.id)).await.err(),
        soon("a change", sessions.insert_session(&session))
            .await
            .err(),
        soon("a sweep", sessions.sweep_sessions(now())).await.err(),
    ];
    for error in errors {
        assert!(
            matches!(error, Some(StoreError::Unavailable(_))),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_redis_that_stops_is_away_and_works_again_after_its_return() {
    let Some(corner) = redis() else { return };
    let mut road = Road::to(&corner).await;
    let sessions = open(&road.url, &corner).await;
    let kept = exchanged(2);
    sessions.insert_session(&kept).await.unwrap();
    for _ in 0..2 {
        road.close().await;
        assert_away(&sessions).await;
        road.open_again().await;
        assert_eq!(sessions.session(kept.id).await.unwrap(), Some(kept.clone()));
    }
    sessions.delete_session(kept.id).await.unwrap();
}

#[tokio::test]
async fn a_redis_that_falls_silent_is_away_soon_and_works_again_after_its_return() {
    let Some(corner) = redis() else { return };
    let mut road = Road::to(&corner).await;
    let sessions = open(&road.url, &corner).await;
    road.block();
    // Only the waiting call has anything to do, so the time runs on until it gives up.
    tokio::time::pause();
    let began = Instant::now();
    let away = soon("a read", sessions.session(exchanged(1).id)).await;
    assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    tokio::time::resume();
    road.close().await;
    road.open_again().await;
    assert_eq!(sessions.session(exchanged(1).id).await.unwrap(), None);
}

#[tokio::test]
async fn what_accepts_a_connection_and_never_speaks_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", silent.local_addr().unwrap());
    tokio::time::pause();
    let began = Instant::now();
    let opened = soon(
        "an answer",
        RedisSessions::open(&url, Arc::<WatchedClock>::default(), "test:"),
    )
    .await;
    assert!(
        matches!(opened, Err(RedisOpenError::Cannot(_))),
        "{opened:?}"
    );
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_redis_that_closes_an_idle_connection_causes_no_failed_call() {
    let Some(corner) = redis() else { return };
    let mut road = Road::to(&corner).await;
    let sessions = open(&road.url, &corner).await;
    road.close().await;
    road.open_again().await;
    // The driver sees the end of the connection when the runtime turns to it.
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        sessions
            .session(established(1, super::ADA).id)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_password_that_was_wrong_for_a_while_is_tried_again() {
    let Some(corner) = redis() else { return };
    let user = corner.user("first").await;
    let sessions = open(&format!("redis://{user}:first@{}/", corner.host()), &corner).await;
    let change = |password: &str| {
        let mut change = cmd("ACL");
        change
            .arg("SETUSER")
            .arg(&user)
            .arg("resetpass")
            .arg(format!(">{password}"));
        change
    };
    corner.run::<()>(&change("second")).await;
    corner
        .run::<u32>(cmd("CLIENT").arg("KILL").arg("USER").arg(&user))
        .await;
    for _ in 0..2 {
        assert_away(&sessions).await;
    }
    corner.run::<()>(&change("first")).await;
    assert_eq!(sessions.session(exchanged(1).id).await.unwrap(), None);
    corner.forget_user(&user).await;
}
