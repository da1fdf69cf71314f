//! A session is replaced only by a caller that has read its last revision, and what is deleted
//! stays deleted.

use crate::support::{Sample, ada, adapters, at, bob, settlement, worker};
use vestibule::{
    confirmation::{Decider, Decision, Which},
    device::Device,
    secret::{SecretHash, SystemEntropy},
    session::{Session, SessionId},
    store::Stores,
    timing::Timing,
    user::{Identity, User, UserId},
};

fn timing() -> Timing {
    Timing::default()
}

async fn user(stores: &Stores, identity: Identity) -> UserId {
    let user = User::new(UserId::generate(&SystemEntropy), identity, at(0));
    stores.users.put_user(&user, None).await.unwrap()
}

fn hash(number: u8) -> SecretHash {
    SecretHash::from_bytes([number; 32])
}

async fn bound(stores: &Stores, number: u8, identity: Identity) -> Session {
    let user = user(stores, identity).await;
    let bound = Sample::new(number).session.rebind(user, at(900)).unwrap();
    assert!(stores.sessions.insert_session(&bound).await.unwrap());
    bound
}

async fn established(stores: &Stores, number: u8, since: i64, identity: Identity) -> Session {
    let user = user(stores, identity).await;
    let session = Session::established(
        SessionId::from_bytes([number; 16]),
        hash(number),
        user,
        None,
        at(since),
        &timing(),
    );
    stores.sessions.insert_session(&session).await.unwrap();
    session
}

#[tokio::test]
async fn every_state_of_a_session_reads_back() {
    for stores in adapters().await {
        let bound = bound(&stores, 1, ada()).await;
        assert_eq!(
            stores.sessions.session(bound.id).await.unwrap(),
            Some(bound.clone())
        );
        let exchanged = bound.exchange(hash(101), None, at(10), &timing()).unwrap();
        assert!(stores.sessions.replace_session(&exchanged).await.unwrap());
        assert_eq!(
            stores.sessions.session(exchanged.id).await.unwrap(),
            Some(exchanged.clone())
        );
        let used = exchanged.used(at(11), &timing()).unwrap();
        assert!(stores.sessions.replace_session(&used).await.unwrap());
        assert_eq!(stores.sessions.session(used.id).await.unwrap(), Some(used));
        let by_password = established(&stores, 2, 0, ada()).await;
        assert_eq!(
            stores.sessions.session(by_password.id).await.unwrap(),
            Some(by_password)
        );
    }
}

#[tokio::test]
async fn a_session_knows_its_browser_from_the_exchange_on_or_does_not() {
    for stores in adapters().await {
        let bound = bound(&stores, 1, ada()).await;
        let firefox = Device::new("Firefox on Linux");
        let exchanged = bound
            .exchange(hash(101), firefox.clone(), at(10), &timing())
            .unwrap();
        assert!(stores.sessions.replace_session(&exchanged).await.unwrap());
        assert!(
            stores
                .sessions
                .replace_session(&exchanged.used(at(11), &timing()).unwrap())
                .await
                .unwrap()
        );
        let user = exchanged.user().unwrap();
        let id = SessionId::from_bytes([2; 16]);
        let safari = Device::new("Safari on iPhone");
        let by_password =
            Session::established(id, hash(2), user, safari.clone(), at(20), &timing());
        assert!(stores.sessions.insert_session(&by_password).await.unwrap());
        established(&stores, 3, 30, ada()).await;
        let known: Vec<_> = stores
            .sessions
            .sessions_of(user)
            .await
            .unwrap()
            .iter()
            .map(|each| each.device().cloned())
            .collect();
        assert_eq!(known, [None, safari, firefox]);
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_secret_and_by_its_former_one_while_it_is_kept() {
    for stores in adapters().await {
        let bound = bound(&stores, 1, ada()).await;
        let exchanged = bound.exchange(hash(101), None, at(10), &timing()).unwrap();
        stores.sessions.replace_session(&exchanged).await.unwrap();
        for secret in [hash(1), hash(101)] {
            assert_eq!(
                stores.sessions.session_by_secret(&secret).await.unwrap(),
                Some(exchanged.clone())
            );
        }
        stores
            .sessions
            .replace_session(&exchanged.used(at(11), &timing()).unwrap())
            .await
            .unwrap();
        assert_eq!(
            stores.sessions.session_by_secret(&hash(1)).await.unwrap(),
            None
        );
        assert!(
            stores
                .sessions
                .session_by_secret(&hash(101))
                .await
                .unwrap()
                .is_some()
        );
    }
}

#[tokio::test]
async fn a_writer_that_has_read_an_older_revision_changes_nothing() {
    for stores in adapters().await {
        let read = bound(&stores, 1, ada()).await;
        let first = read
            .clone()
            .exchange(hash(101), None, at(10), &timing())
            .unwrap();
        let second = read.exchange(hash(102), None, at(10), &timing()).unwrap();
        assert!(stores.sessions.replace_session(&first).await.unwrap());
        assert!(!stores.sessions.replace_session(&second).await.unwrap());
        assert_eq!(
            stores.sessions.session(first.id).await.unwrap(),
            Some(first)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_writers_at_once_one_replaces_the_session() {
    for stores in adapters().await {
        let read = bound(&stores, 1, ada()).await;
        let writers: Vec<_> = (100..164)
            .map(|number| {
                let stores = stores.clone();
                let read = read.clone();
                let next = read
                    .exchange(hash(number), None, at(10), &timing())
                    .unwrap();
                tokio::spawn(async move {
                    (stores.sessions.replace_session(&next).await.unwrap(), next)
                })
            })
            .collect();
        let mut won = Vec::new();
        for writer in writers {
            let (replaced, next) = writer.await.unwrap();
            won.extend(replaced.then_some(next));
        }
        assert_eq!(won.len(), 1);
        assert_eq!(stores.sessions.session(read.id).await.unwrap(), won.pop());
    }
}

#[tokio::test]
async fn a_deleted_session_is_never_written_back() {
    for stores in adapters().await {
        let read = bound(&stores, 1, ada()).await;
        stores.sessions.delete_session(read.id).await.unwrap();
        let next = read.exchange(hash(101), None, at(10), &timing()).unwrap();
        assert!(!stores.sessions.replace_session(&next).await.unwrap());
        assert_eq!(stores.sessions.session(next.id).await.unwrap(), None);
        stores.sessions.delete_session(next.id).await.unwrap();
    }
}

#[tokio::test]
async fn two_sessions_never_have_one_secret() {
    for stores in adapters().await {
        let first = established(&stores, 1, 0, ada()).await;
        let second = Session {
            id: SessionId::from_bytes([2; 16]),
            ..first.clone()
        };
        assert!(!stores.sessions.insert_session(&second).await.unwrap());
        assert_eq!(
            stores.sessions.session_by_secret(&hash(1)).await.unwrap(),
            Some(first)
        );
    }
}

#[tokio::test]
async fn a_session_is_found_with_its_user_as_they_are_by_either_secret() {
    for stores in adapters().await {
        let find = async |number| {
            let found = stores.session_users.session_with_user(&hash(number)).await;
            found.unwrap()
        };
        let pending = Sample::new(3).begun(&*stores.confirmations).await.session;
        let found = find(3).await.unwrap();
        assert_eq!((found.session, found.user), (pending, None));
        let bound = bound(&stores, 1, ada()).await;
        let exchanged = bound.exchange(hash(101), None, at(10), &timing()).unwrap();
        stores.sessions.replace_session(&exchanged).await.unwrap();
        let user = exchanged.user().unwrap();
        let renamed = Identity {
            name: Some("Ada King".into()),
            ..ada()
        };
        assert_eq!(self::user(&stores, renamed.clone()).await, user);
        for secret in [1, 101] {
            let found = find(secret).await.unwrap();
            assert_eq!(found.session, exchanged);
            assert_eq!(found.user.unwrap().identity, renamed);
        }
        stores.users.disable_user(user, true, at(20)).await.unwrap();
        assert!(find(101).await.unwrap().user.unwrap().disabled);
        assert_eq!(find(9).await, None);
    }
}

#[tokio::test]
async fn of_many_who_ask_at_once_each_is_told_of_their_own_session() {
    for stores in adapters().await {
        for number in 1..=60 {
            let identity = Identity {
                subject: format!("user-{number}"),
                ..ada()
            };
            established(&stores, number, 0, identity).await;
        }
        let ask = async |number| {
            let found = stores.session_users.session_with_user(&hash(number)).await;
            found
                .unwrap()
                .map(|found| found.user.unwrap().identity.subject)
        };
        // In another order than they are kept in, some of them twice, and some unknown.
        let numbers: Vec<u8> = (0..150u8)
            .map(|place| place.wrapping_mul(37) % 73)
            .collect();
        let told = futures_util::future::join_all(numbers.iter().map(|number| ask(*number))).await;
        for (number, told) in numbers.into_iter().zip(told) {
            let own = (1..=60).contains(&number).then(|| format!("user-{number}"));
            assert_eq!(told, own);
        }
    }
}

#[tokio::test]
async fn a_users_sessions_are_the_established_ones_the_newest_first() {
    for stores in adapters().await {
        let older = established(&stores, 1, 10, ada()).await;
        let newer = established(&stores, 2, 20, ada()).await;
        established(&stores, 3, 30, bob()).await;
        bound(&stores, 4, ada()).await;
        let user = older.user().unwrap();
        assert_eq!(
            stores.sessions.sessions_of(user).await.unwrap(),
            [newer, older]
        );
    }
}

#[tokio::test]
async fn deleting_a_users_sessions_includes_bound_ones_and_no_one_elses() {
    for stores in adapters().await {
        let here = established(&stores, 1, 0, ada()).await;
        let there = bound(&stores, 2, ada()).await;
        let bobs = established(&stores, 3, 0, bob()).await;
        let pending = Sample::new(4).begun(&*stores.confirmations).await;
        stores
            .sessions
            .delete_sessions_of(here.user().unwrap(), None)
            .await
            .unwrap();
        let mut left = Vec::new();
        for id in [here.id, there.id, bobs.id, pending.session.id] {
            left.push(stores.sessions.session(id).await.unwrap().is_some());
        }
        assert_eq!(left, [false, false, true, true]);
    }
}

#[tokio::test]
async fn deleting_a_users_other_sessions_leaves_the_one() {
    for stores in adapters().await {
        let here = established(&stores, 1, 0, ada()).await;
        let there = established(&stores, 2, 0, ada()).await;
        let waiting = bound(&stores, 3, ada()).await;
        let bobs = established(&stores, 4, 0, bob()).await;
        let user = here.user().unwrap();
        for _ in 0..2 {
            stores
                .sessions
                .delete_sessions_of(user, Some(here.id))
                .await
                .unwrap();
            assert_eq!(
                stores.sessions.sessions_of(user).await.unwrap(),
                std::slice::from_ref(&here)
            );
        }
        for gone in [there.id, waiting.id] {
            assert_eq!(stores.sessions.session(gone).await.unwrap(), None);
        }
        assert!(stores.sessions.session(bobs.id).await.unwrap().is_some());
        stores
            .sessions
            .delete_sessions_of(user, Some(bobs.id))
            .await
            .unwrap();
        assert_eq!(
            stores.sessions.sessions_of(user).await.unwrap(),
            [],
            "that of another user is none to leave"
        );
    }
}

#[tokio::test]
async fn sessions_are_swept_when_their_time_has_come() {
    for stores in adapters().await {
        let bound = bound(&stores, 1, ada()).await;
        let living = established(&stores, 2, 0, ada()).await;
        assert_eq!(stores.sessions.sweep_sessions(at(899)).await.unwrap(), 0);
        assert_eq!(stores.sessions.sweep_sessions(at(900)).await.unwrap(), 1);
        assert_eq!(stores.sessions.session(bound.id).await.unwrap(), None);
        assert!(stores.sessions.session(living.id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_pending_session_is_not_swept_before_its_confirmation_is_decided() {
    // Where sessions are stored elsewhere, one outlives the deadline of its confirmation by its own
    // expiry.
    for stores in adapters()
        .await
        .into_iter()
        .filter(|stores| stores.together)
    {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let orphan = Sample::new(2).session;
        stores.sessions.insert_session(&orphan).await.unwrap();
        assert_eq!(
            stores.sessions.sweep_sessions(at(100_000)).await.unwrap(),
            1,
            "the orphan goes"
        );
        assert!(
            stores
                .sessions
                .session(sample.session.id)
                .await
                .unwrap()
                .is_some()
        );
        let claims = stores
            .queue
            .claim(worker(1), Which::Any, &1.into(), at(100_000), at(100_030))
            .await
            .unwrap();
        let id = sample.confirmation.id;
        let decider = Decider::Worker {
            fence: claims[0].fence,
        };
        stores
            .confirmations
            .decide(
                id,
                decider,
                &Decision::Valid(ada(), None),
                settlement(at(100_000)),
            )
            .await
            .unwrap();
        let session = stores
            .sessions
            .session(sample.session.id)
            .await
            .unwrap()
            .expect("it was kept for its decision");
        assert!(session.user().is_some());
    }
}
