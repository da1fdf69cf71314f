//! A lease keeps other workers out until it passes.

use super::FAR;
use crate::support::{Sample, adapters, at, worker};
use std::collections::HashSet;
use vestibule::confirmation::{Queued, State, Which};

#[tokio::test]
async fn a_lease_keeps_others_out_until_it_passes() {
    for stores in adapters().await {
        Sample::new(1).begun(&*stores.confirmations).await;
        let first = stores
            .queue
            .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
            .await
            .unwrap();
        assert_eq!(
            stores
                .queue
                .claim(worker(2), Which::Any, &FAR.into(), at(29), at(59))
                .await
                .unwrap(),
            []
        );
        let second = stores
            .queue
            .claim(worker(2), Which::Any, &FAR.into(), at(30), at(60))
            .await
            .unwrap();
        assert!(
            second[0].fence > first[0].fence,
            "each claim has a fresh fencing number"
        );
        assert_eq!(second[0].failed, 0, "a worker that vanished has not failed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_claim_at_once_never_get_the_same() {
    for stores in adapters().await {
        for number in 0..100 {
            Sample::new(number).begun(&*stores.confirmations).await;
        }
        let claims: Vec<_> = (0..16)
            .map(|number| {
                let stores = stores.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    loop {
                        let some = stores
                            .queue
                            .claim(worker(number), Which::Any, &3.into(), at(0), at(30))
                            .await
                            .unwrap();
                        if some.is_empty() {
                            return mine;
                        }
                        mine.extend(some.into_iter().map(|claim| claim.id));
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for claim in claims {
            all.extend(claim.await.unwrap());
        }
        assert_eq!(all.len(), 100);
        assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 100);
    }
}

#[tokio::test]
async fn the_lease_is_the_claimers_and_ends_when_it_said() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        stores
            .queue
            .claim(worker(7), Which::Any, &FAR.into(), at(0), at(30))
            .await
            .unwrap();
        let State::Queued(Queued {
            lease: Some(lease),
            fence: 1,
            ..
        }) = sample.stored(&*stores.confirmations).await.state
        else {
            panic!("a claimed confirmation has a lease")
        };
        assert_eq!((lease.worker, lease.until), (worker(7), at(30)));
    }
}
