//! The keys that sign assertions are the same for all processes, whatever happens at once.

use crate::support::{adapters, at, keys};
use futures_util::future::join_all;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use vestibule::{
    assertion::{RotateError, Signer, SigningKeyError},
    clock::Clock,
    secret::{CannotOpen, SystemEntropy},
    store::Stores,
    testing::ManualClock,
};

async fn signer(
    stores: &Stores,
    clock: &Arc<ManualClock>,
    key: &[u8],
) -> Result<Signer, RotateError> {
    let store = stores.signing_keys.clone();
    Signer::open(store, clock.clone(), Arc::new(keys(key)), &SystemEntropy).await
}

async fn rotate(stores: &Stores, clock: &ManualClock, now: bool) -> Result<String, RotateError> {
    let store = &*stores.signing_keys;
    Signer::rotate(store, clock.now(), &keys(&[7]), &SystemEntropy, now).await
}

/// The ids of the public keys: current, next, and the one before.
fn ids(jwks: &Value) -> Vec<String> {
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn processes_that_start_at_once_sign_with_one_key() {
    for stores in adapters().await {
        let clock = Arc::new(ManualClock::at(at(0)));
        let signers = join_all((0..8).map(|_| signer(&stores, &clock, &[7]))).await;
        let mut jwks: Vec<_> = signers
            .into_iter()
            .map(|signer| signer.unwrap().jwks().unwrap())
            .collect();
        jwks.dedup();
        assert_eq!(jwks.len(), 1);
        assert_eq!(ids(&jwks[0]).len(), 2);
    }
}

#[tokio::test]
async fn a_rotation_takes_a_key_that_was_published_before_and_keeps_the_one_in_use() {
    for stores in adapters().await {
        let clock = Arc::new(ManualClock::at(at(0)));
        let signer = signer(&stores, &clock, &[7]).await.unwrap();
        let before = ids(&signer.jwks().unwrap());
        let too_soon = rotate(&stores, &clock, false).await;
        assert!(
            matches!(too_soon, Err(RotateError::TooSoon(_))),
            "{too_soon:?}"
        );
        clock.advance(Duration::from_mins(15));
        assert_eq!(rotate(&stores, &clock, false).await.unwrap(), before[1]);
        assert_eq!(ids(&signer.jwks().unwrap()), before, "until it has looked");
        signer.look().await;
        let after = ids(&signer.jwks().unwrap());
        assert_eq!((&after[0], &after[2]), (&before[1], &before[0]));
        assert!(rotate(&stores, &clock, false).await.is_err());
        // Someone else may know them: none of them stays.
        rotate(&stores, &clock, true).await.unwrap();
        signer.look().await;
        let fresh = ids(&signer.jwks().unwrap());
        assert!(fresh.iter().all(|id| !after.contains(id)), "{fresh:?}");
    }
}

#[tokio::test]
async fn of_rotations_at_once_one_counts() {
    for stores in adapters().await {
        let clock = Arc::new(ManualClock::at(at(0)));
        let signer = signer(&stores, &clock, &[7]).await.unwrap();
        let next = ids(&signer.jwks().unwrap())[1].clone();
        clock.advance(Duration::from_mins(15));
        let rotated = join_all((0..8).map(|_| rotate(&stores, &clock, false))).await;
        let done: Vec<_> = rotated.into_iter().filter_map(Result::ok).collect();
        assert_eq!(done, [next]);
    }
}

#[tokio::test]
async fn the_keys_follow_a_new_secret_and_do_not_open_without_the_former_one() {
    for stores in adapters().await {
        let clock = Arc::new(ManualClock::at(at(0)));
        let signed = signer(&stores, &clock, &[7]).await.unwrap().jwks().unwrap();
        let other = signer(&stores, &clock, &[8]).await.err();
        let sealed = SigningKeyError::Sealed(CannotOpen);
        assert!(
            matches!(other, Some(RotateError::Keys(error)) if error == sealed),
            "{other:?}"
        );
        assert_eq!(
            signer(&stores, &clock, &[8, 7])
                .await
                .unwrap()
                .jwks()
                .unwrap(),
            signed
        );
        // It was sealed anew: the former secret is not needed any more.
        assert_eq!(
            signer(&stores, &clock, &[8]).await.unwrap().jwks().unwrap(),
            signed
        );
    }
}

#[tokio::test]
async fn keys_that_were_made_new_under_another_secret_end_the_ones_before() {
    for stores in adapters().await {
        let clock = Arc::new(ManualClock::at(at(0)));
        let signer = signer(&stores, &clock, &[7]).await.unwrap();
        let store = &*stores.signing_keys;
        let newer = keys(&[8, 7]);
        Signer::rotate(store, clock.now(), &newer, &SystemEntropy, true)
            .await
            .unwrap();
        signer.look().await;
        assert_eq!(signer.jwks(), Err(SigningKeyError::Sealed(CannotOpen)));
    }
}
