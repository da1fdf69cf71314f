//! A client has no more undecided confirmations than it may, however many begin at once; a refused
//! begin keeps nothing.

use crate::support::{Sample, adapters, admission, at, settlement, welcome};
use vestibule::{
    caps::{Admission, Capped, Client, Usage},
    confirmation::{Confirmation, Decider, Decision},
    store::{BeginError, Stores},
};

/// Begins the sample with this number.
async fn begin(stores: &Stores, number: u8, admission: Admission) -> Result<Confirmation, Capped> {
    let sample = Sample::new(number);
    match stores
        .confirmations
        .begin(&sample.confirmation, &sample.session, admission)
        .await
    {
        Ok(confirmation) => Ok(confirmation),
        Err(BeginError::Capped(cap)) => Err(cap),
        Err(BeginError::Store(error)) => panic!("the store can be used: {error}"),
    }
}

/// Begins all of `numbers` at once, and counts those that are let in.
async fn begin_at_once(
    stores: &Stores,
    numbers: std::ops::Range<u8>,
    admission: Admission,
) -> usize {
    let begins: Vec<_> = numbers
        .map(|number| {
            let stores = stores.clone();
            tokio::spawn(async move { begin(&stores, number, admission).await.is_ok() })
        })
        .collect();
    let mut let_in = 0;
    for begin in begins {
        let_in += usize::from(begin.await.unwrap());
    }
    let_in
}

async fn is_kept(stores: &Stores, number: u8) -> bool {
    let Sample {
        confirmation,
        session,
    } = Sample::new(number);
    let kept = stores
        .confirmations
        .confirmation_by_secret(&confirmation.secret)
        .await
        .unwrap()
        .is_some();
    assert_eq!(
        kept,
        stores.sessions.session(session.id).await.unwrap().is_some(),
        "both or neither"
    );
    kept
}

#[tokio::test]
async fn a_client_may_have_as_many_as_its_cap_and_others_have_theirs() {
    for stores in adapters().await {
        for number in 1..=3 {
            assert!(begin(&stores, number, admission(1, 3)).await.is_ok());
        }
        assert_eq!(
            begin(&stores, 4, admission(1, 3)).await,
            Err(Capped::Client)
        );
        assert!(!is_kept(&stores, 4).await);
        assert!(begin(&stores, 5, admission(2, 3)).await.is_ok());
        assert_eq!(stores.queue.undecided(100).await.unwrap(), 4);
        assert_eq!(stores.queue.undecided(2).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn what_is_decided_makes_room() {
    for stores in adapters().await {
        let first = begin(&stores, 1, admission(1, 1)).await.unwrap();
        assert_eq!(
            begin(&stores, 2, admission(1, 1)).await,
            Err(Capped::Client)
        );
        stores
            .confirmations
            .decide(
                first.id,
                Decider::User,
                &Decision::Unavailable,
                settlement(at(1)),
            )
            .await
            .unwrap();
        assert_eq!(stores.queue.undecided(100).await.unwrap(), 0);
        assert!(begin(&stores, 2, admission(1, 1)).await.is_ok());
        assert_eq!(
            begin(&stores, 3, admission(1, 1)).await,
            Err(Capped::Client)
        );
    }
}

#[tokio::test]
async fn a_begin_that_is_repeated_is_never_refused() {
    for stores in adapters().await {
        let first = begin(&stores, 1, admission(1, 1)).await;
        assert_eq!(begin(&stores, 1, admission(1, 1)).await, first);
        assert_eq!(
            begin(
                &stores,
                1,
                Admission {
                    usage: Usage::Full,
                    ..admission(1, 1)
                }
            )
            .await,
            first
        );
        assert_eq!(stores.queue.undecided(100).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn at_the_overall_cap_no_one_begins_and_a_client_over_its_own_cap_is_told_so() {
    for stores in adapters().await {
        begin(&stores, 1, admission(1, 1)).await.unwrap();
        for (client, cap) in [(1, Capped::Client), (2, Capped::All)] {
            let full = Admission {
                usage: Usage::Full,
                ..admission(client, 1)
            };
            assert_eq!(begin(&stores, 2, full).await, Err(cap));
            assert!(!is_kept(&stores, 2).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_begins_at_once_where_one_more_may_be_one_is_let_in() {
    for stores in adapters().await {
        assert_eq!(begin_at_once(&stores, 1..10, admission(1, 10)).await, 9);
        assert_eq!(begin_at_once(&stores, 10..74, admission(1, 10)).await, 1);
        assert_eq!(stores.queue.undecided(100).await.unwrap(), 10);
        let mut kept = 0;
        for number in 1..74 {
            kept += usize::from(is_kept(&stores, number).await);
        }
        assert_eq!(kept, 10, "nothing stays of those that were refused");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn begins_that_are_repeated_at_once_take_no_room_from_a_new_one() {
    for stores in adapters().await {
        assert_eq!(begin_at_once(&stores, 1..10, admission(1, 10)).await, 9);
        let repeats = begin_at_once(&stores, 1..10, admission(1, 10));
        let (repeats, new) = tokio::join!(repeats, begin(&stores, 10, admission(1, 10)));
        assert_eq!(repeats, 9);
        assert!(new.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_at_its_cap_does_not_cause_others_to_be_refused() {
    for stores in adapters().await {
        begin(&stores, 1, admission(1, 1)).await.unwrap();
        let refused = begin_at_once(&stores, 2..33, admission(1, 1));
        let let_in = begin_at_once(&stores, 33..65, welcome_as(2));
        assert_eq!(tokio::join!(refused, let_in), (0, 32));
    }
}

fn welcome_as(client: u8) -> Admission {
    Admission {
        client: admission(client, 1).client,
        ..welcome()
    }
}

/// A client whose /64, /56 and /48 have these names.
fn neighbour(networks: [u8; 3]) -> Client {
    Client::in_networks(networks.map(|name| [name; 16]))
}

#[tokio::test]
async fn many_clients_of_one_network_have_no_more_than_its_share() {
    for stores in adapters().await {
        let own = admission(1, 2);
        // Two of each /64, four of each /56, eight of the /48.
        let clients = [
            [1, 11, 111],
            [2, 11, 111],
            [3, 11, 111],
            [4, 12, 111],
            [5, 13, 111],
            [6, 13, 111],
            [7, 14, 112],
        ];
        let expected = [2, 2, 0, 2, 2, 0, 2];
        let mut number = 0;
        for (networks, expected) in clients.into_iter().zip(expected) {
            let mut let_in = 0;
            for _ in 0..3 {
                number += 1;
                let client = Admission {
                    client: neighbour(networks),
                    ..own
                };
                match begin(&stores, number, client).await {
                    Ok(_) => let_in += 1,
                    Err(cap) => assert_eq!(cap, Capped::Client),
                }
            }
            assert_eq!(let_in, expected, "{networks:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_clients_of_one_network_that_begin_at_once_no_more_are_let_in_than_its_share() {
    for stores in adapters().await {
        let begins: Vec<_> = (0..96)
            .map(|number| {
                let stores = stores.clone();
                let client = neighbour([number, 100 + number / 48, 200]);
                tokio::spawn(async move {
                    begin(
                        &stores,
                        number,
                        Admission {
                            client,
                            ..admission(1, 5)
                        },
                    )
                    .await
                    .is_ok()
                })
            })
            .collect();
        let mut let_in = 0;
        for begin in begins {
            let_in += usize::from(begin.await.unwrap());
        }
        assert_eq!(let_in, 20);
        assert_eq!(stores.queue.undecided(100).await.unwrap(), 20);
    }
}

#[tokio::test]
async fn of_the_last_tenth_each_client_has_one() {
    for stores in adapters().await {
        let scarce = |client| Admission {
            usage: Usage::Scarce,
            ..admission(client, 100)
        };
        assert!(begin(&stores, 1, scarce(1)).await.is_ok());
        assert_eq!(begin(&stores, 2, scarce(1)).await, Err(Capped::All));
        assert!(!is_kept(&stores, 2).await);
        assert!(begin(&stores, 3, scarce(2)).await.is_ok());
    }
}
