//! Deciding is the one write that fixes a confirmation's outcome; the session follows from it
//! alone.

use crate::support::{Sample, ada, adapters, at, bob, settlement, worker};
use std::{collections::HashSet, time::Duration};
use vestibule::{
    confirmation::{
        Claim, ConfirmationId, Decided, Decider, Decision, Ending, Rejection, State, Which,
    },
    secret::SecretHash,
    session::SessionState,
    store::Stores,
    timing::Timing,
    user::{Identity, UserId},
};

async fn claimed(stores: &Stores, now: i64) -> Claim {
    stores
        .queue
        .claim(worker(1), Which::Any, &1.into(), at(now), at(now + 30))
        .await
        .unwrap()
        .remove(0)
}

async fn decide(stores: &Stores, claim: &Claim, decision: Decision, now: i64) -> Option<Ending> {
    let decider = Decider::Worker { fence: claim.fence };
    stores
        .confirmations
        .decide(claim.id, decider, &decision, settlement(at(now)))
        .await
        .unwrap()
        .expect("it is there")
        .ending()
}

#[tokio::test]
async fn a_valid_decision_rebinds_the_session_to_the_user_and_settles() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = claimed(&stores, 0).await;
        let Some(Ending::Confirmed(user)) =
            decide(&stores, &claim, Decision::Valid(ada(), None), 5).await
        else {
            panic!("it is confirmed")
        };
        let session = stores
            .sessions
            .session(sample.session.id)
            .await
            .unwrap()
            .expect("it lives");
        assert_eq!(
            session.state,
            SessionState::Bound {
                secret: sample.confirmation.secret,
                user
            }
        );
        assert_eq!(session.expires_at, at(5) + Duration::from_mins(15));
        let settled = State::Settled(Decided {
            ending: Ending::Confirmed(user),
            at: at(5),
        });
        assert_eq!(sample.stored(&*stores.confirmations).await.state, settled);
        assert_eq!(
            stores.users.user(user).await.unwrap().unwrap().identity,
            ada()
        );
    }
}

#[tokio::test]
async fn every_other_decision_deletes_the_session() {
    let rejections =
        Rejection::ALL.map(|reason| (Decision::Rejected(reason), Ending::Rejected(reason)));
    let all = rejections
        .into_iter()
        .chain([(Decision::Unavailable, Ending::Unavailable)]);
    for (decision, ending) in all {
        for stores in adapters().await {
            let sample = Sample::new(1).begun(&*stores.confirmations).await;
            let claim = claimed(&stores, 0).await;
            assert_eq!(
                decide(&stores, &claim, decision.clone(), 5).await,
                Some(ending)
            );
            assert_eq!(
                stores.sessions.session(sample.session.id).await.unwrap(),
                None
            );
            assert_eq!(
                sample.stored(&*stores.confirmations).await.state,
                State::Settled(Decided { ending, at: at(5) })
            );
        }
    }
}

#[tokio::test]
async fn a_claim_that_is_not_the_last_one_decides_nothing() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let old = claimed(&stores, 0).await;
        let new = claimed(&stores, 30).await;
        let before = sample.stored(&*stores.confirmations).await;
        assert_eq!(
            decide(&stores, &old, Decision::Valid(bob(), None), 31).await,
            None
        );
        assert_eq!(sample.stored(&*stores.confirmations).await, before);
        assert_eq!(
            stores.sessions.session(sample.session.id).await.unwrap(),
            Some(sample.session.clone())
        );
        let expired = Decision::Rejected(Rejection::Expired);
        assert_eq!(
            decide(&stores, &new, expired, 32).await,
            Some(Ending::Rejected(Rejection::Expired))
        );
    }
}

#[tokio::test]
async fn the_first_decision_stands_and_every_later_caller_is_told_of_it() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = claimed(&stores, 0).await;
        let cancelled = Decision::Rejected(Rejection::Cancelled);
        let id = sample.confirmation.id;
        stores
            .confirmations
            .decide(id, Decider::User, &cancelled, settlement(at(1)))
            .await
            .unwrap();
        let told = decide(&stores, &claim, Decision::Valid(ada(), None), 2).await;
        assert_eq!(told, Some(Ending::Rejected(Rejection::Cancelled)));
        assert_eq!(
            stores.sessions.session(sample.session.id).await.unwrap(),
            None,
            "a session that has gone is never made again"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_deciders_at_once_one_decides_and_the_session_is_as_it_said() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = claimed(&stores, 0).await;
        let deciders: Vec<_> = (0..64)
            .map(|number| {
                let stores = stores.clone();
                let id = sample.confirmation.id;
                let fence = claim.fence;
                let subject = format!("person {number}");
                let (decider, decision) = match number % 3 {
                    0 => (Decider::User, Decision::Rejected(Rejection::Cancelled)),
                    1 => (
                        Decider::Worker { fence },
                        Decision::Valid(Identity { subject, ..ada() }, None),
                    ),
                    _ => (Decider::Worker { fence }, Decision::Unavailable),
                };
                tokio::spawn(async move {
                    stores
                        .confirmations
                        .decide(id, decider, &decision, settlement(at(1)))
                        .await
                })
            })
            .collect();
        let mut told = Vec::new();
        for decider in deciders {
            told.push(
                decider
                    .await
                    .unwrap()
                    .unwrap()
                    .and_then(|stored| stored.ending()),
            );
        }
        let ending = sample.stored(&*stores.confirmations).await.ending();
        assert!(ending.is_some());
        assert!(told.iter().all(|told| *told == ending), "{told:?}");
        let owner = stores
            .sessions
            .session(sample.session.id)
            .await
            .unwrap()
            .map(|session| session.user());
        let expected = match ending {
            Some(Ending::Confirmed(user)) => Some(Some(user)),
            _ => None,
        };
        assert_eq!(owner, expected);
    }
}

#[tokio::test]
async fn a_valid_decision_makes_no_session_for_a_browser_that_has_left() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = claimed(&stores, 0).await;
        stores
            .sessions
            .delete_session(sample.session.id)
            .await
            .unwrap();
        assert!(matches!(
            decide(&stores, &claim, Decision::Valid(ada(), None), 1).await,
            Some(Ending::Confirmed(_))
        ));
        assert_eq!(
            stores.sessions.session(sample.session.id).await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_replay_of_a_decision_leaves_an_exchanged_session_alone() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = claimed(&stores, 0).await;
        decide(&stores, &claim, Decision::Valid(ada(), None), 1).await;
        let bound = stores
            .sessions
            .session(sample.session.id)
            .await
            .unwrap()
            .unwrap();
        let new = SecretHash::from_bytes([200; 32]);
        let established = bound
            .exchange(new, None, at(2), &Timing::default())
            .unwrap();
        assert!(stores.sessions.replace_session(&established).await.unwrap());
        for decision in [
            Decision::Valid(ada(), None),
            Decision::Valid(bob(), None),
            Decision::Unavailable,
        ] {
            decide(&stores, &claim, decision, 3).await;
            assert_eq!(
                stores.sessions.session(sample.session.id).await.unwrap(),
                Some(established.clone())
            );
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_is_taken_back_loses_its_session_and_comes_to_cancelled() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = claimed(&stores, 0).await;
        decide(&stores, &claim, Decision::Valid(ada(), None), 1).await;
        for _ in 0..2 {
            stores
                .confirmations
                .revoke(claim.id, sample.session.id)
                .await
                .unwrap();
            assert_eq!(
                stores.sessions.session(sample.session.id).await.unwrap(),
                None
            );
            assert_eq!(
                sample.stored(&*stores.confirmations).await.ending(),
                Some(Ending::Rejected(Rejection::Cancelled))
            );
        }
        let late = decide(&stores, &claim, Decision::Valid(ada(), None), 2).await;
        assert_eq!(late, Some(Ending::Rejected(Rejection::Cancelled)));
    }
}

#[tokio::test]
async fn nothing_is_decided_about_what_has_not_begun() {
    for stores in adapters().await {
        let stray = ConfirmationId::from_bytes([9; 16]);
        let decided = stores
            .confirmations
            .decide(
                stray,
                Decider::User,
                &Decision::Valid(ada(), None),
                settlement(at(0)),
            )
            .await
            .unwrap();
        assert_eq!(decided, None);
    }
}

#[tokio::test]
async fn a_user_is_found_again_by_issuer_and_subject_and_never_by_e_mail() {
    for stores in adapters().await {
        let moved = Identity {
            email: Some("new@example.com".into()),
            ..ada()
        };
        let impostors = [
            Identity {
                issuer: "another".into(),
                ..ada()
            },
            Identity {
                subject: "another user".into(),
                ..ada()
            },
            Identity {
                issuer: ada().subject,
                subject: ada().issuer,
                ..ada()
            },
        ];
        let mut users = Vec::new();
        for (number, identity) in [ada(), moved.clone()]
            .into_iter()
            .chain(impostors)
            .enumerate()
        {
            Sample::new(u8::try_from(number).unwrap())
                .begun(&*stores.confirmations)
                .await;
            let claim = claimed(&stores, 0).await;
            users.push(user_of(
                decide(&stores, &claim, Decision::Valid(identity, None), 1).await,
            ));
        }
        assert_eq!(users[0], users[1], "the same person with a new address");
        assert_eq!(
            users.iter().collect::<HashSet<_>>().len(),
            4,
            "the same address, but three other people"
        );
        assert_eq!(
            stores.users.user(users[0]).await.unwrap().unwrap().identity,
            moved
        );
    }
}

#[tokio::test]
async fn only_what_was_settled_before_is_swept() {
    for stores in adapters().await {
        let early = Sample::new(1);
        let late = Sample::new(2);
        let queued = Sample::new(3);
        for (sample, decided) in [(&early, Some(10)), (&late, Some(20)), (&queued, None)] {
            sample.clone().begun(&*stores.confirmations).await;
            if let Some(now) = decided {
                let cancelled = Decision::Rejected(Rejection::Cancelled);
                let now = settlement(at(now));
                stores
                    .confirmations
                    .decide(sample.confirmation.id, Decider::User, &cancelled, now)
                    .await
                    .unwrap();
            }
        }
        assert_eq!(stores.queue.sweep_confirmations(at(20)).await.unwrap(), 1);
        let mut left = Vec::new();
        for sample in [early, late, queued] {
            left.push(
                stores
                    .confirmations
                    .confirmation_by_secret(&sample.confirmation.secret)
                    .await
                    .unwrap()
                    .is_some(),
            );
        }
        assert_eq!(left, [false, true, true]);
    }
}

fn user_of(ending: Option<Ending>) -> UserId {
    match ending {
        Some(Ending::Confirmed(user)) => user,
        other => panic!("confirmed, not {other:?}"),
    }
}

#[tokio::test]
async fn where_a_sign_in_leads_is_kept_and_a_decision_knows_better() {
    for stores in adapters().await {
        for (number, of_link, of_verdict, kept) in [
            (1, None, None, None),
            (2, Some("/a"), None, Some("/a")),
            (3, None, Some("/b"), Some("/b")),
            (4, Some("/a"), Some("/b"), Some("/b")),
        ] {
            let path = |next: Option<&str>| next.map(|next| next.parse().unwrap());
            let mut sample = Sample::new(number);
            sample.confirmation.next = path(of_link);
            let sample = sample.begun(&*stores.confirmations).await;
            let stored = sample.stored(&*stores.confirmations).await;
            assert_eq!(stored.next, path(of_link));
            let claim = claimed(&stores, 0).await;
            decide(&stores, &claim, Decision::Valid(ada(), path(of_verdict)), 5).await;
            let stored = sample.stored(&*stores.confirmations).await;
            assert_eq!(stored.next, path(kept));
        }
    }
}
