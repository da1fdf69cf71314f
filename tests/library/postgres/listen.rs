//! A begin on one server wakes the workers of the others.

use crate::support::{Postgres, Sample, at, soon};
use std::sync::Arc;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use vestibule::store::{ConfirmationQueue as _, postgres::PostgresStore};

/// Listens on a task, and returns once it is heard.
async fn listening(store: &PostgresStore) -> (Arc<Notify>, CancellationToken, JoinHandle<()>) {
    let wake = Arc::new(Notify::new());
    let shutdown = CancellationToken::new();
    let task = tokio::spawn({
        let store = store.clone();
        let wake = wake.clone();
        let shutdown = shutdown.clone();
        async move { store.listen(wake, shutdown).await }
    });
    soon("the waking at the start", wake.notified()).await;
    (wake, shutdown, task)
}

#[tokio::test]
async fn a_begin_on_one_server_wakes_the_others() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let here = database.open().await;
    let there = database.open().await;
    let (wake, ..) = listening(&there).await;
    for number in 1..=3 {
        Sample::new(number).begun(&here).await;
        soon("a hint", wake.notified()).await;
    }
}

#[tokio::test]
async fn what_an_operator_makes_due_wakes_the_workers() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let here = database.open().await;
    let there = database.open().await;
    let sample = Sample::new(1).due(at(50)).begun(&here).await;
    let (wake, ..) = listening(&there).await;
    let id = sample.confirmation.id;
    assert!(here.ask_again(id, at(10)).await.unwrap());
    soon("a hint", wake.notified()).await;
}

#[tokio::test]
async fn who_listens_is_woken_after_a_lost_connection_and_hears_again() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let (wake, ..) = listening(&store).await;
    database.throw_everybody_out().await;
    soon("the waking after the loss", wake.notified()).await;
    Sample::new(1).begun(&store).await;
    soon("a hint", wake.notified()).await;
}

#[tokio::test]
async fn who_listens_stops_when_asked() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let (_, shutdown, task) = listening(&store).await;
    shutdown.cancel();
    soon("the end", task).await.unwrap();
}
