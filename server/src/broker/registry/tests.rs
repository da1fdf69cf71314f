//! What the maps hold, and what is left of them.

use super::*;

const FRAME: Utf8Bytes = Utf8Bytes::from_static("{}");

fn registry(limits: &Limits) -> Arc<Registry> {
    Arc::new(Registry::new(limits))
}

fn id(n: u64) -> SocketId {
    SocketId::parse(&format!("{n}.{n}")).unwrap()
}

fn client(n: u64) -> Client {
    Client::from_bytes(u128::from(n).to_be_bytes())
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

#[test]
fn an_event_reaches_its_subscribers_but_not_the_excluded_one_and_no_other_channel() {
    let registry = registry(&Limits::default());
    let (alice, mut to_alice) = registry.join(id(1), None).unwrap();
    let (bob, mut to_bob) = registry.join(id(2), None).unwrap();
    let (carol, mut to_carol) = registry.join(id(3), None).unwrap();
    alice.subscribe(&channel("news")).unwrap();
    bob.subscribe(&channel("news")).unwrap();
    carol.subscribe(&channel("new")).unwrap();

    registry.publish(&channel("news"), &FRAME, Some(id(2)));

    assert_eq!(to_alice.try_recv(), Ok(FRAME));
    assert!(to_bob.try_recv().is_err());
    assert!(to_carol.try_recv().is_err());
    assert_eq!(registry.snapshot().delivered, 1);
}

#[test]
fn subscribing_twice_is_one_subscription_and_one_unsubscribe_ends_it() {
    let registry = registry(&Limits {
        max_subscriptions: 1,
        ..Limits::default()
    });
    let (seat, mut events) = registry.join(id(1), None).unwrap();
    assert_eq!(seat.subscribe(&channel("a")), Ok(()));
    assert_eq!(seat.subscribe(&channel("a")), Ok(()));
    assert_eq!(seat.subscribe(&channel("b")), Err(TooManySubscriptions));
    registry.publish(&channel("a"), &FRAME, None);
    assert!(events.try_recv().is_ok());
    assert!(events.try_recv().is_err());

    seat.unsubscribe(&channel("a"));
    seat.unsubscribe(&channel("never"));
    assert!(!seat.has_subscriptions());
    assert_eq!(registry.subscribers(&channel("a")), 0);
    assert_eq!(seat.subscribe(&channel("b")), Ok(()));
}

#[test]
fn nothing_is_left_of_sockets_that_are_gone() {
    let registry = registry(&Limits::default());
    for n in 0..100 {
        let (seat, _events) = registry.join(id(n), Some(client(n % 2))).unwrap();
        seat.subscribe(&channel("shared")).unwrap();
        seat.subscribe(&channel(&format!("private-{n}"))).unwrap();
    }
    assert_eq!(registry.snapshot(), Snapshot::default());
    assert!(registry.state().clients.is_empty());
}

#[test]
fn a_socket_that_does_not_read_is_let_go_of_and_the_others_are_not() {
    let registry = registry(&Limits {
        queue: 2,
        ..Limits::default()
    });
    let (slow, mut to_slow) = registry.join(id(1), None).unwrap();
    let (quick, mut to_quick) = registry.join(id(2), None).unwrap();
    slow.subscribe(&channel("news")).unwrap();
    quick.subscribe(&channel("news")).unwrap();

    for _ in 0..10 {
        registry.publish(&channel("news"), &FRAME, None);
        assert!(to_quick.try_recv().is_ok());
    }

    assert_eq!((slow.place(), quick.place()), (Place::Lost, Place::Kept));
    let expected = Snapshot {
        connections: 1,
        channels: 1,
        subscriptions: 1,
        published: 10,
        delivered: 12,
        dropped: 1,
    };
    assert_eq!(registry.snapshot(), expected);
    assert!(to_slow.try_recv().is_ok());
}

#[test]
fn there_are_never_more_sockets_than_the_cap_and_a_freed_seat_is_taken_again() {
    let registry = registry(&Limits {
        max_connections: 1,
        ..Limits::default()
    });
    let first = registry.join(id(1), None).unwrap();
    assert_eq!(registry.join(id(2), None).err(), Some(NoSeat::Full));
    drop(first);
    assert!(registry.join(id(2), None).is_ok());
}

#[test]
fn of_the_last_tenth_of_the_seats_each_client_has_one() {
    let registry = registry(&Limits {
        max_of_client: 19,
        max_connections: 20,
        ..Limits::default()
    });
    let mut seats = Vec::new();
    for number in 1..=18 {
        seats.push(registry.join(id(number), Some(client(1))).unwrap());
    }
    assert_eq!(
        registry.join(id(19), Some(client(1))).err(),
        Some(NoSeat::Full)
    );
    seats.push(registry.join(id(19), Some(client(2))).unwrap());
    seats.push(registry.join(id(20), Some(client(3))).unwrap());
}

#[test]
fn the_networks_around_a_client_have_twice_and_four_times_its_seats() {
    let registry = registry(&Limits {
        max_of_client: 2,
        ..Limits::default()
    });
    let mut seats = Vec::new();
    // Each from a /64 of its own: first of one /56, then of others in the same /48.
    for (number, place) in [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 1),
        (5, 2),
        (6, 2),
        (7, 3),
        (8, 3),
    ] {
        let neighbour = Client::in_networks([[number; 16], [100 + place; 16], [200; 16]]);
        seats.push(registry.join(id(number.into()), Some(neighbour)).unwrap());
    }
    for (number, place) in [(9, 1), (10, 4)] {
        let neighbour = Client::in_networks([[number; 16], [100 + place; 16], [200; 16]]);
        assert_eq!(
            registry.join(id(number.into()), Some(neighbour)).err(),
            Some(NoSeat::FullForClient)
        );
    }
}

#[test]
fn one_client_has_its_share_of_the_seats_and_others_have_theirs() {
    let registry = registry(&Limits {
        max_of_client: 2,
        max_connections: 4,
        ..Limits::default()
    });
    let join = |n, client| registry.join(id(n), client);
    let first = join(1, Some(client(1))).unwrap();
    let _more = [
        join(2, Some(client(1))).unwrap(),
        join(3, Some(client(2))).unwrap(),
        join(4, None).unwrap(),
    ];
    assert_eq!(
        join(5, Some(client(1))).err(),
        Some(NoSeat::FullForClient),
        "although all is full as well"
    );
    assert_eq!(join(5, Some(client(2))).err(), Some(NoSeat::Full));
    drop(first);
    assert!(join(5, Some(client(1))).is_ok());
}

#[test]
fn a_closing_registry_delivers_what_is_queued_and_accepts_no_connection() {
    let registry = registry(&Limits::default());
    let (seat, mut events) = registry.join(id(1), None).unwrap();
    seat.subscribe(&channel("news")).unwrap();
    registry.publish(&channel("news"), &FRAME, None);

    registry.close();

    assert_eq!(events.try_recv(), Ok(FRAME));
    assert_eq!(seat.place(), Place::Closed);
    assert_eq!(seat.subscribe(&channel("late")), Ok(()));
    assert_eq!(registry.join(id(2), None).err(), Some(NoSeat::Closing));
    assert_eq!(registry.snapshot().subscriptions, 0);
}
