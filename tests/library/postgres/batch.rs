//! Many writes share one durable transaction, and none of them another's failure.

use crate::support::{Postgres, Sample, ada, admission, at, bob, settlement, soon, welcome};
use futures_util::future::join_all;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use vestibule::{
    confirmation::{Decider, Decision, Ending, Rejection},
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationStore as _, SessionStore as _, StoreError, UserStore as _,
        postgres::PostgresStore,
    },
    user::Identity,
};

/// Has `writes` arrive while the tables are locked, so that they wait together and go into few
/// transactions.
async fn together<W: Future>(raw: &mut PgConnection, writes: Vec<W>) -> Vec<W::Output> {
    let mut lock = raw.begin().await.unwrap();
    sqlx::query("lock table confirmations in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let release = async {
        tokio::task::yield_now().await;
        lock.rollback().await.unwrap();
    };
    let (written, ()) = soon("the writes", async {
        tokio::join!(join_all(writes), release)
    })
    .await;
    written
}

async fn begun(store: &PostgresStore, numbers: std::ops::RangeInclusive<u8>) -> Vec<Sample> {
    join_all(numbers.map(|number| Sample::new(number).begun(store))).await
}

#[tokio::test]
async fn one_begin_that_cannot_be_does_not_fail_those_that_share_its_transaction() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let taken = Sample::new(1).session;
    store.insert_session(&taken).await.unwrap();
    let mut samples: Vec<_> = (2..=100).map(Sample::new).collect();
    samples[50].session = Session {
        id: SessionId::from_bytes([1; 16]),
        ..samples[50].session.clone()
    };
    let begins = samples
        .iter()
        .map(|sample| store.begin(&sample.confirmation, &sample.session, welcome()))
        .collect();
    for (number, (sample, begun)) in samples
        .iter()
        .zip(together(&mut raw, begins).await)
        .enumerate()
    {
        let kept = store
            .confirmation_by_secret(&sample.confirmation.secret)
            .await
            .unwrap();
        if number == 50 {
            assert!(
                matches!(begun, Err(BeginError::Store(StoreError::Unavailable(_)))),
                "{begun:?}"
            );
            assert_eq!(kept, None, "nothing of its first half");
        } else {
            assert_eq!(begun.unwrap(), sample.confirmation);
            assert_eq!(kept.as_ref(), Some(&sample.confirmation));
            assert_eq!(
                store.session(sample.session.id).await.unwrap().as_ref(),
                Some(&sample.session)
            );
        }
    }
}

#[tokio::test]
async fn those_that_are_begun_again_take_no_room_of_those_that_share_their_transaction() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let samples: Vec<_> = (1..=6).map(Sample::new).collect();
    let begin = async |sample: &Sample| {
        let Sample {
            confirmation,
            session,
        } = sample;
        store.begin(confirmation, session, admission(1, 5)).await
    };
    for sample in &samples[..3] {
        begin(sample).await.unwrap();
    }
    let ends = together(&mut raw, samples.iter().map(begin).collect()).await;
    let let_in: Vec<_> = ends.iter().map(Result::is_ok).collect();
    assert_eq!(let_in, [true, true, true, true, true, false]);
}

#[tokio::test]
async fn a_corrupt_row_fails_its_own_decision_alone() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let samples = begun(&store, 1..=20).await;
    let corrupt = samples[7].confirmation.id;
    let broken = sqlx::query("update confirmations set failed = -1 where id = $1");
    broken
        .bind(corrupt.as_bytes())
        .execute(&mut raw)
        .await
        .unwrap();
    let decide = |sample: &Sample| {
        let store = store.clone();
        let id = sample.confirmation.id;
        async move {
            store
                .decide(
                    id,
                    Decider::User,
                    &Decision::Valid(ada(), None),
                    settlement(at(1)),
                )
                .await
        }
    };
    let decided = together(&mut raw, samples.iter().map(decide).collect()).await;
    for (sample, decided) in samples.iter().zip(decided) {
        if sample.confirmation.id == corrupt {
            assert!(
                matches!(
                    decided,
                    Err(StoreError::Corrupt {
                        table: "confirmations",
                        ..
                    })
                ),
                "{decided:?}"
            );
        } else {
            assert!(matches!(
                decided.unwrap().unwrap().ending(),
                Some(Ending::Confirmed(_))
            ));
        }
    }
}

#[tokio::test]
async fn each_decision_of_a_batch_is_its_own() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let samples = begun(&store, 1..=90).await;
    let decide = |(number, sample): (usize, &Sample)| {
        let store = store.clone();
        let id = sample.confirmation.id;
        let decision = match number % 4 {
            0 => Decision::Valid(ada(), None),
            1 => Decision::Valid(bob(), None),
            2 => Decision::Rejected(Rejection::Used),
            _ => Decision::Unavailable,
        };
        async move {
            store
                .decide(id, Decider::User, &decision, settlement(at(1)))
                .await
                .unwrap()
                .unwrap()
        }
    };
    let decided = together(&mut raw, samples.iter().enumerate().map(decide).collect()).await;
    for (number, (sample, decided)) in samples.iter().zip(decided).enumerate() {
        let session = store.session(sample.session.id).await.unwrap();
        assert_eq!(sample.stored(&store).await, decided);
        let expected = match (number % 4, decided.ending()) {
            (0 | 1, Some(Ending::Confirmed(user))) => {
                let identity = store.user(user).await.unwrap().unwrap().identity;
                assert_eq!(identity, if number % 4 == 0 { ada() } else { bob() });
                Some(user)
            }
            (2, Some(Ending::Rejected(Rejection::Used))) | (3, Some(Ending::Unavailable)) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(session.and_then(|session| session.user()), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_that_decide_the_same_in_opposite_orders_never_wait_in_a_circle() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let stores = [database.open().await, database.open().await];
    for round in 0..4_u8 {
        let samples = begun(&stores[0], round * 60 + 1..=round * 60 + 60).await;
        let decide = |(store, sample, number): (&PostgresStore, &Sample, usize)| {
            let store = store.clone();
            let id = sample.confirmation.id;
            // Of few people, whose names change every time.
            let subject = format!("person {}", (usize::from(round) + number) % 7);
            let identity = Identity {
                subject,
                name: Some(format!("{round} {number}")),
                ..ada()
            };
            tokio::spawn(async move {
                store
                    .decide(
                        id,
                        Decider::User,
                        &Decision::Valid(identity, None),
                        settlement(at(1)),
                    )
                    .await
            })
        };
        let one = samples
            .iter()
            .enumerate()
            .map(|(number, sample)| decide((&stores[0], sample, number)));
        let other = samples
            .iter()
            .enumerate()
            .rev()
            .map(|(number, sample)| decide((&stores[1], sample, number)));
        let (one, other) = tokio::join!(
            join_all(one.collect::<Vec<_>>()),
            join_all(other.collect::<Vec<_>>())
        );
        for (one, other) in one.into_iter().zip(other.into_iter().rev()) {
            assert_eq!(one.unwrap().unwrap(), other.unwrap().unwrap());
        }
    }
}

#[tokio::test]
async fn begins_whose_callers_leave_half_way_spoil_nothing() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    for number in 1..=200 {
        let sample = Sample::new(number);
        // Long enough to be on the way, not long enough to be back.
        let leave = tokio::time::timeout(Duration::from_micros(u64::from(number) * 20), async {
            let _ = store
                .begin(&sample.confirmation, &sample.session, welcome())
                .await;
            let _ = store.session(sample.session.id).await;
            let _ = store
                .decide(
                    sample.confirmation.id,
                    Decider::User,
                    &Decision::Unavailable,
                    settlement(at(1)),
                )
                .await;
        });
        let _ = leave.await;
    }
    let sample = Sample::new(201);
    assert_eq!(
        store
            .begin(&sample.confirmation, &sample.session, welcome())
            .await
            .unwrap(),
        sample.confirmation
    );
    let open = sqlx::query_scalar::<_, i64>(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'",
    );
    assert_eq!(
        open.fetch_one(&mut database.raw().await).await.unwrap(),
        0,
        "no transaction was left open"
    );
}

#[tokio::test]
async fn a_transaction_that_fails_at_its_very_end_is_no_success() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let sample = Sample::new(1).begun(&store).await;
    let at_the_end = "create function fail() returns trigger language plpgsql as $$ begin raise 'at the end'; end $$;
                      create constraint trigger fail after insert or update on confirmations
                          deferrable initially deferred for each row execute function fail()";
    sqlx::raw_sql(at_the_end).execute(&mut raw).await.unwrap();
    let begun = store
        .begin(
            &Sample::new(2).confirmation,
            &Sample::new(2).session,
            welcome(),
        )
        .await;
    assert!(
        matches!(begun, Err(BeginError::Store(StoreError::Unavailable(_)))),
        "{begun:?}"
    );
    let id = sample.confirmation.id;
    let decided = store
        .decide(
            id,
            Decider::User,
            &Decision::Valid(ada(), None),
            settlement(at(1)),
        )
        .await;
    assert!(
        matches!(decided, Err(StoreError::Unavailable(_))),
        "{decided:?}"
    );
    assert_eq!(sample.stored(&store).await, sample.confirmation);
    assert_eq!(
        store.session(sample.session.id).await.unwrap(),
        Some(sample.session)
    );
}
