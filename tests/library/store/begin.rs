//! Beginning stores a confirmation and its session, both or neither, and once for each pending
//! secret.

use crate::support::{Sample, adapters, welcome};
use std::collections::HashSet;
use vestibule::{secret::SecretHash, session::Session};

#[tokio::test]
async fn a_confirmation_and_its_session_read_back_as_they_were_begun() {
    for stores in adapters().await {
        let sample = Sample::new(1);
        assert_eq!(
            stores
                .confirmations
                .begin(&sample.confirmation, &sample.session, welcome())
                .await
                .unwrap(),
            sample.confirmation
        );
        assert_eq!(
            sample.stored(&*stores.confirmations).await,
            sample.confirmation
        );
        assert_eq!(
            stores.sessions.session(sample.session.id).await.unwrap(),
            Some(sample.session.clone())
        );
        let by_secret = stores
            .sessions
            .session_by_secret(&sample.confirmation.secret)
            .await
            .unwrap();
        assert_eq!(by_secret, Some(sample.session));
    }
}

#[tokio::test]
async fn what_has_not_begun_is_not_there() {
    for stores in adapters().await {
        let other = Sample::new(2);
        Sample::new(1).begun(&*stores.confirmations).await;
        assert_eq!(
            stores
                .confirmations
                .confirmation_by_secret(&other.confirmation.secret)
                .await
                .unwrap(),
            None
        );
        assert_eq!(
            stores.sessions.session(other.session.id).await.unwrap(),
            None
        );
        assert_eq!(
            stores
                .sessions
                .session_by_secret(&other.confirmation.secret)
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn two_begins_with_one_pending_secret_are_one_confirmation() {
    for stores in adapters().await {
        let first = Sample::new(1).begun(&*stores.confirmations).await;
        let second = with_secret_of(&first, Sample::new(2));
        let kept = stores
            .confirmations
            .begin(&second.confirmation, &second.session, welcome())
            .await
            .unwrap();
        assert_eq!(kept, first.confirmation);
        assert_eq!(
            stores.sessions.session(second.session.id).await.unwrap(),
            None,
            "the second keeps no session"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_begins_at_once_with_one_pending_secret_all_are_told_of_the_same_one() {
    for stores in adapters().await {
        let first = Sample::new(1);
        let begins: Vec<_> = (1..=64)
            .map(|number| {
                let stores = stores.clone();
                let sample = with_secret_of(&first, Sample::new(number));
                tokio::spawn(async move {
                    stores
                        .confirmations
                        .begin(&sample.confirmation, &sample.session, welcome())
                        .await
                })
            })
            .collect();
        let mut told = HashSet::new();
        for begin in begins {
            told.insert(begin.await.unwrap().unwrap().id);
        }
        assert_eq!(told.len(), 1);
        let mut sessions = 0;
        for number in 1..=64 {
            sessions += usize::from(
                stores
                    .sessions
                    .session(Sample::new(number).session.id)
                    .await
                    .unwrap()
                    .is_some(),
            );
        }
        assert_eq!(sessions, 1);
    }
}

#[tokio::test]
async fn a_begin_whose_session_cannot_be_kept_keeps_no_confirmation() {
    for stores in adapters().await {
        let taken = Sample::new(1);
        stores
            .sessions
            .insert_session(&taken.session)
            .await
            .unwrap();
        let sample = Sample::new(2);
        let clash = Session {
            id: taken.session.id,
            ..sample.session.clone()
        };
        assert!(
            stores
                .confirmations
                .begin(&sample.confirmation, &clash, welcome())
                .await
                .is_err()
        );
        assert_eq!(
            stores
                .confirmations
                .confirmation_by_secret(&sample.confirmation.secret)
                .await
                .unwrap(),
            None
        );
        assert_eq!(stores.queue.next_due().await.unwrap(), None);
    }
}

fn with_secret_of(first: &Sample, mut sample: Sample) -> Sample {
    let secret: SecretHash = first.confirmation.secret;
    sample.confirmation.secret = secret;
    sample.session = Session::pending(
        sample.session.id,
        secret,
        first.confirmation.token_tag,
        first.session.created_at,
        first.session.expires_at,
    );
    sample
}
