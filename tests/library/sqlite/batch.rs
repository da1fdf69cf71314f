//! Many writes share one durable transaction, and none of them another's failure.

use crate::support::{Harness, Sample, admission, at, settlement, welcome};
use futures_util::future::join_all;
use vestibule::{
    caps::{Admission, Client},
    confirmation::{Decider, Decision, Ending, State},
    session::{Session, SessionId},
    store::{BeginError, ConfirmationQueue as _, ConfirmationStore, SessionStore as _, StoreError},
    user::UserId,
};

/// Has `writes` arrive while the database is locked, so that they wait together and go into one
/// transaction.
async fn together<W: Future>(harness: &Harness, writes: Vec<W>) -> Vec<W::Output> {
    let mut raw = harness.raw().await;
    sqlx::query("begin immediate")
        .execute(&mut raw)
        .await
        .unwrap();
    let release = async { sqlx::query("rollback").execute(&mut raw).await.unwrap() };
    let (written, _) = tokio::join!(join_all(writes), release);
    written
}

#[tokio::test]
async fn one_failing_write_does_not_fail_those_that_share_its_transaction() {
    let harness = Harness::open().await;
    let store = &harness.store;
    let mut sessions: Vec<_> = (1..=20).map(|number| Sample::new(number).session).collect();
    let unknown = UserId::from_bytes([99; 16]);
    sessions[0] = sessions[0].clone().rebind(unknown, at(900)).unwrap();
    let written = together(
        &harness,
        sessions
            .iter()
            .map(|session| store.insert_session(session))
            .collect(),
    )
    .await;
    let failed: Vec<_> = written.iter().map(Result::is_err).collect();
    assert_eq!(
        failed,
        (1..=20).map(|number| number == 1).collect::<Vec<_>>()
    );
    for session in &sessions[1..] {
        assert_eq!(
            store.session(session.id).await.unwrap().as_ref(),
            Some(session)
        );
    }
}

#[tokio::test]
async fn a_corrupt_row_fails_its_own_write_alone() {
    let harness = Harness::open().await;
    let store: &dyn ConfirmationStore = &harness.store;
    let corrupt = Sample::new(1).begun(store).await;
    let good = Sample::new(2).begun(store).await;
    let broken = sqlx::query("update confirmations set secret = x'00' where id = ?");
    broken
        .bind(corrupt.confirmation.id.as_slice())
        .execute(&mut harness.raw().await)
        .await
        .unwrap();
    let writes = [&corrupt, &good].map(|sample| {
        let decision = &Decision::Unavailable;
        store.decide(
            sample.confirmation.id,
            Decider::User,
            decision,
            settlement(at(1)),
        )
    });
    let decided = together(&harness, writes.into()).await;
    assert!(
        matches!(
            decided[0],
            Err(StoreError::Corrupt {
                table: "confirmations",
                ..
            })
        ),
        "{:?}",
        decided[0]
    );
    assert_eq!(
        decided[1].as_ref().unwrap().as_ref().unwrap().ending(),
        Some(Ending::Unavailable)
    );
}

#[tokio::test]
async fn begins_that_share_a_transaction_find_no_more_room_than_one_after_the_other() {
    // Two of each /64, four of each /56, eight of the /48.
    const CLIENTS: [([u8; 3], usize); 7] = [
        ([1, 11, 111], 2),
        ([2, 11, 111], 2),
        ([3, 11, 111], 0),
        ([4, 12, 111], 2),
        ([5, 13, 111], 2),
        ([6, 13, 111], 0),
        ([7, 14, 112], 2),
    ];
    for there in [0, 1] {
        let harness = Harness::open().await;
        let of = |place: usize| Admission {
            client: Client::in_networks(CLIENTS[place].0.map(|name| [name; 16])),
            ..admission(1, 2)
        };
        let begins: Vec<_> = (0..21)
            .map(|number| (Sample::new(number), of(usize::from(number) / 3)))
            .collect();
        let begin = async |(sample, admission): &(Sample, Admission)| {
            let Sample {
                confirmation,
                session,
            } = sample;
            harness.store.begin(confirmation, session, *admission).await
        };
        // Those that are there already are begun again with the others, which they share room with.
        for begun in &begins[..there] {
            begin(begun).await.unwrap();
        }
        let ends = together(&harness, begins.iter().map(begin).collect()).await;
        for (place, ends) in ends.chunks(3).enumerate() {
            let (networks, room) = CLIENTS[place];
            let let_in = ends.iter().filter(|end| end.is_ok()).count();
            assert_eq!(let_in, room, "{networks:?}");
        }
        assert_eq!(harness.store.undecided(100).await, Ok(10));
    }
}

#[tokio::test]
async fn what_waits_for_a_link_takes_no_turn_of_what_is_due() {
    let harness = Harness::open().await;
    let waiting = (1..20).map(|number| {
        let mut sample = Sample::new(number);
        if let State::Queued(queued) = &mut sample.confirmation.state {
            queued.due_at = at(600);
        }
        sample
    });
    let samples: Vec<_> = waiting.chain([Sample::new(20)]).collect();
    let writes = samples.iter().map(|sample| {
        harness
            .store
            .begin(&sample.confirmation, &sample.session, welcome())
    });
    for end in together(&harness, writes.collect()).await {
        end.unwrap();
    }
    let mut raw = harness.raw().await;
    let turn: i64 = sqlx::query_scalar("select turn from confirmations where due_at <= created_at")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(turn, 0);
}

#[tokio::test]
async fn a_write_that_fails_half_way_leaves_nothing_of_its_first_half() {
    let harness = Harness::open().await;
    let taken = Sample::new(1).session;
    harness.store.insert_session(&taken).await.unwrap();
    let clashing = |number: u8| {
        let sample = Sample::new(number);
        let session = Session {
            id: SessionId::from_bytes([1; 16]),
            ..sample.session
        };
        (sample.confirmation, session)
    };
    let begins: Vec<_> = (2..10).map(clashing).collect();
    let writes = begins
        .iter()
        .map(|(confirmation, session)| harness.store.begin(confirmation, session, welcome()))
        .collect();
    for written in together(&harness, writes).await {
        assert!(
            matches!(written, Err(BeginError::Store(StoreError::Unavailable(_)))),
            "{written:?}"
        );
    }
    assert_eq!(harness.store.next_due().await.unwrap(), None);
}
