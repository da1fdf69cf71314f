//! Claims never wait for each other, nor for a decision.

use crate::support::{Postgres, Sample, at, soon, worker};
use futures_util::future::join_all;
use sqlx::Connection as _;
use std::collections::HashSet;
use vestibule::{confirmation::Which, store::ConfirmationQueue as _};

#[tokio::test]
async fn what_another_transaction_holds_is_passed_by() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let held = Sample::new(1).begun(&store).await;
    let free = Sample::new(2).due(at(1)).begun(&store).await;
    let mut holder = raw.begin().await.unwrap();
    let lock = sqlx::query("select from confirmations where id = $1 for update");
    lock.bind(held.confirmation.id.as_bytes())
        .execute(&mut *holder)
        .await
        .unwrap();
    let claims = store
        .claim(worker(1), Which::Any, &1.into(), at(1), at(31))
        .await
        .unwrap();
    assert_eq!(
        claims.iter().map(|claim| claim.id).collect::<Vec<_>>(),
        [free.confirmation.id]
    );
    assert!(
        store
            .claim(worker(2), Which::Any, &1.into(), at(1), at(31))
            .await
            .unwrap()
            .is_empty()
    );
    holder.rollback().await.unwrap();
    assert_eq!(
        store
            .claim(worker(2), Which::Any, &1.into(), at(1), at(31))
            .await
            .unwrap()[0]
            .id,
        held.confirmation.id
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_of_four_servers_that_claim_at_once_never_get_the_same() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let stores = join_all((0..4).map(|_| database.open())).await;
    join_all((0..200).map(|number| Sample::new(number).begun(&stores[0]))).await;
    let workers = (0..16).map(|number| {
        let store = stores[usize::from(number) % 4].clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            // A worker that finds nothing has skipped the rows that others are claiming.
            loop {
                let some = store
                    .claim(worker(number), Which::Any, &7.into(), at(0), at(30))
                    .await
                    .unwrap();
                if some.is_empty() && store.next_due().await.unwrap() > Some(at(0)) {
                    return mine;
                }
                mine.extend(some.into_iter().map(|claim| claim.id));
            }
        })
    });
    let claimed = soon("the workers", join_all(workers.collect::<Vec<_>>())).await;
    let all: Vec<_> = claimed.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(all.len(), 200);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 200);
}
