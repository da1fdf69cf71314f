//! What the maps hold, and that nothing is left of sockets that are gone.

use super::*;
use crate::testing::quota;
use std::sync::Arc;
use tokio::sync::Semaphore;

const FRAME: Utf8Bytes = Utf8Bytes::from_static("{}");

fn registry(limits: &Limits) -> Arc<SocketRegistry> {
    Arc::new(SocketRegistry::new(limits))
}

fn id(n: u64) -> SocketId {
    SocketId::parse(&format!("{n}.{n}")).unwrap()
}

/// Registers the socket `n`, without a quota.
fn register(
    registry: &Arc<SocketRegistry>,
    n: u64,
) -> Result<(SocketRegistration, Receiver<Utf8Bytes>), CloseReason> {
    SocketRegistration::new(registry, id(n), None)
}

/// Registers the socket `n` of a client who has these `places`.
fn register_of(
    registry: &Arc<SocketRegistry>,
    n: u64,
    places: &Arc<Semaphore>,
) -> Result<(SocketRegistration, Receiver<Utf8Bytes>), CloseReason> {
    SocketRegistration::new(registry, id(n), Some(&quota(places)))
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

#[test]
fn an_event_reaches_its_subscribers_but_not_the_excluded_one_and_no_other_channel() {
    let registry = registry(&Limits::default());
    let (alice, mut to_alice) = register(&registry, 1).unwrap();
    let (bob, mut to_bob) = register(&registry, 2).unwrap();
    let (carol, mut to_carol) = register(&registry, 3).unwrap();
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
    let (socket, mut events) = register(&registry, 1).unwrap();
    assert_eq!(socket.subscribe(&channel("a")), Ok(()));
    assert_eq!(socket.subscribe(&channel("a")), Ok(()));
    assert_eq!(socket.subscribe(&channel("b")), Err(TooManySubscriptions));
    registry.publish(&channel("a"), &FRAME, None);
    assert!(events.try_recv().is_ok());
    assert!(events.try_recv().is_err());

    socket.unsubscribe(&channel("a"));
    socket.unsubscribe(&channel("never"));
    assert!(!socket.has_subscriptions());
    assert_eq!(registry.subscriber_count(&channel("a")), 0);
    assert_eq!(socket.subscribe(&channel("b")), Ok(()));
}

#[test]
fn nothing_is_left_of_sockets_that_are_gone() {
    let registry = registry(&Limits::default());
    let clients = [50, 50].map(|places| Arc::new(Semaphore::new(places)));
    for n in 0..100 {
        let client = &clients[usize::from(n % 2 == 1)];
        let (socket, _events) = register_of(&registry, n, client).unwrap();
        socket.subscribe(&channel("shared")).unwrap();
        socket.subscribe(&channel(&format!("private-{n}"))).unwrap();
    }
    assert_eq!(registry.snapshot(), Snapshot::default());
    assert_eq!(clients.map(|places| places.available_permits()), [50, 50]);
}

#[test]
fn a_socket_that_does_not_read_is_removed_and_the_others_are_not() {
    let registry = registry(&Limits {
        queue: 2,
        ..Limits::default()
    });
    let (slow, mut to_slow) = register(&registry, 1).unwrap();
    let (quick, mut to_quick) = register(&registry, 2).unwrap();
    slow.subscribe(&channel("news")).unwrap();
    quick.subscribe(&channel("news")).unwrap();

    for _ in 0..10 {
        registry.publish(&channel("news"), &FRAME, None);
        assert!(to_quick.try_recv().is_ok());
    }

    assert_eq!(
        (slow.status(), quick.status()),
        (SocketStatus::Removed, SocketStatus::Registered)
    );
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
fn there_are_never_more_sockets_than_the_cap_and_a_freed_place_is_taken_again() {
    let registry = registry(&Limits {
        max_connections: 1,
        ..Limits::default()
    });
    let first = register(&registry, 1).unwrap();
    assert_eq!(
        register(&registry, 2).err(),
        Some(CloseReason::OverCapacity)
    );
    drop(first);
    assert!(register(&registry, 2).is_ok());
}

#[test]
fn a_closing_registry_delivers_what_is_queued_and_accepts_no_connection() {
    let registry = registry(&Limits::default());
    let (socket, mut events) = register(&registry, 1).unwrap();
    socket.subscribe(&channel("news")).unwrap();
    registry.publish(&channel("news"), &FRAME, None);

    registry.close();

    assert_eq!(events.try_recv(), Ok(FRAME));
    assert_eq!(socket.status(), SocketStatus::BrokerClosing);
    assert_eq!(socket.subscribe(&channel("late")), Ok(()));
    assert_eq!(
        register(&registry, 2).err(),
        Some(CloseReason::ShuttingDown)
    );
    assert_eq!(registry.snapshot().subscriptions, 0);
}

#[test]
fn a_quota_is_told_how_many_sockets_there_are() {
    let registry = registry(&Limits {
        max_connections: 2,
        ..Limits::default()
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let quota = SocketQuota::new({
        let seen = Arc::clone(&seen);
        move |usage| {
            seen.lock().unwrap().push((usage.open, usage.max));
            Ok(SocketPermit::new(()))
        }
    });
    let join = |n| SocketRegistration::new(&registry, id(n), Some(&quota));
    let _sockets = [join(1).unwrap(), join(2).unwrap()];
    assert_eq!(
        join(3).err(),
        Some(CloseReason::OverCapacity),
        "whatever the quota allows"
    );
    assert_eq!(*seen.lock().unwrap(), [(0, 2), (1, 2), (2, 2)]);
}

#[test]
fn a_quota_refuses_a_client_before_the_limit_of_all_does() {
    let registry = registry(&Limits {
        max_connections: 3,
        ..Limits::default()
    });
    let [first, second] = [2, 2].map(|places| Arc::new(Semaphore::new(places)));
    let held = register_of(&registry, 1, &first).unwrap();
    let _more = [
        register_of(&registry, 2, &first).unwrap(),
        register_of(&registry, 3, &second).unwrap(),
    ];
    assert_eq!(
        register_of(&registry, 4, &first).err(),
        Some(CloseReason::TooManySockets),
        "although all is full as well"
    );
    assert_eq!(
        register_of(&registry, 4, &second).err(),
        Some(CloseReason::OverCapacity)
    );
    assert_eq!(
        second.available_permits(),
        1,
        "nothing is kept of a refusal"
    );
    drop(held);
    assert!(register_of(&registry, 4, &first).is_ok());
}

#[test]
fn a_quota_may_keep_the_last_sockets_for_others() {
    let registry = registry(&Limits::default());
    let quota = SocketQuota::new(|_| Err(QuotaError::Capacity));
    let refused = SocketRegistration::new(&registry, id(1), Some(&quota));
    assert_eq!(refused.err(), Some(CloseReason::OverCapacity));
}

#[test]
fn a_socket_that_is_removed_counts_no_more_although_its_task_still_runs() {
    let registry = registry(&Limits {
        queue: 1,
        ..Limits::default()
    });
    let places = Arc::new(Semaphore::new(2));
    let (slow, _to_slow) = register_of(&registry, 1, &places).unwrap();
    let _other = register_of(&registry, 2, &places).unwrap();
    slow.subscribe(&channel("news")).unwrap();
    registry.publish(&channel("news"), &FRAME, None);
    registry.publish(&channel("news"), &FRAME, None);
    assert_eq!(slow.status(), SocketStatus::Removed);
    assert_eq!(places.available_permits(), 1);
    registry.close();
    assert_eq!(places.available_permits(), 2);
}
