//! Two servers, each with a connection of its own, at one session.

use super::{ADA, bound, exchanged, hash, now, pending, timing};
use crate::support::redis;
use std::time::Duration;
use vestibule::store::SessionStore as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_exchanges_at_once_on_two_servers_one_wins() {
    let Some(corner) = redis() else { return };
    let servers = [corner.sessions().await, corner.sessions().await];
    let read = bound(1);
    servers[0].insert_session(&read).await.unwrap();
    let exchanges: Vec<_> = (100..164)
        .map(|number| {
            let server = servers[usize::from(number % 2)].clone();
            let next = read
                .clone()
                .exchange(hash(number), None, now(), &timing())
                .unwrap();
            tokio::spawn(
                async move { server.replace_session(&next).await.unwrap().then_some(next) },
            )
        })
        .collect();
    let mut won = Vec::new();
    for exchange in exchanges {
        won.extend(exchange.await.unwrap());
    }
    assert_eq!(won.len(), 1);
    assert_eq!(servers[1].session(read.id).await.unwrap(), won.pop());
    servers[1].delete_session(read.id).await.unwrap();
    assert_eq!(
        corner.keys().await,
        [""; 0],
        "those that lost have left nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rebind_against_a_delete_never_makes_the_session_again() {
    let Some(corner) = redis() else { return };
    let worker = corner.sessions().await;
    let sign_ins = corner.sessions().await;
    for number in 1..=64 {
        let read = pending(number);
        worker.insert_session(&read).await.unwrap();
        let bound = read
            .clone()
            .rebind(ADA, now() + Duration::from_mins(15))
            .unwrap();
        let (rebound, deleted) = tokio::join!(
            tokio::spawn({
                let worker = worker.clone();
                async move { worker.replace_session(&bound).await }
            }),
            tokio::spawn({
                let sign_ins = sign_ins.clone();
                let id = read.id;
                async move { sign_ins.delete_session(id).await }
            }),
        );
        rebound.unwrap().unwrap();
        deleted.unwrap().unwrap();
        assert_eq!(corner.keys().await, [""; 0]);
    }
}

#[tokio::test]
async fn a_rebind_that_comes_after_a_delete_leaves_no_key() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let read = pending(1);
    sessions.insert_session(&read).await.unwrap();
    sessions.delete_session(read.id).await.unwrap();
    let bound = read.rebind(ADA, now() + Duration::from_mins(15)).unwrap();
    assert!(!sessions.replace_session(&bound).await.unwrap());
    assert_eq!(corner.keys().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_exchange_slips_past_signing_out_everywhere() {
    let Some(corner) = redis() else { return };
    let browser = corner.sessions().await;
    let elsewhere = corner.sessions().await;
    for number in 1..=64 {
        browser.insert_session(&bound(number)).await.unwrap();
        let (exchanged, signed_out) = tokio::join!(
            tokio::spawn({
                let browser = browser.clone();
                async move { browser.replace_session(&exchanged(number)).await }
            }),
            tokio::spawn({
                let elsewhere = elsewhere.clone();
                async move { elsewhere.delete_sessions_of(ADA, None).await }
            }),
        );
        exchanged.unwrap().unwrap();
        signed_out.unwrap().unwrap();
        assert_eq!(corner.keys().await, [""; 0]);
    }
}
