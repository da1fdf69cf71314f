//! Rate limits: on passwords, and on mails to an address that the requester names.
//!
//! Each limit has room for a few tries at once, which comes back one by one (a generic cell rate
//! algorithm). The counts are this server's own: each of several servers lets as many tries
//! through.

use crate::accounts::passwords;
use governor::{
    NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};
use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use vestibule::{
    caps::{Client, Network},
    email_address::Address,
    session::SessionId,
    user::UserId,
};

/// How many passwords a network address may try at once, and how soon there is room for another;
/// and the wider networks of IPv6 around it, a /56 and a /48.
const OF_NETWORKS: [(u32, Duration); 3] = [
    (20, Duration::from_secs(10)),
    (40, Duration::from_secs(5)),
    (80, Duration::from_millis(2500)),
];
/// The same for browsers that have signed in to the account before: a whole office signs in at once
/// in the morning, and an attacker with accounts of their own must not keep the others waiting.
const OF_KNOWN_NETWORKS: [(u32, Duration); 3] = [
    (100, Duration::from_secs(1)),
    (200, Duration::from_millis(500)),
    (400, Duration::from_millis(250)),
];
/// How many passwords of one account may be tried at once, and how soon there is room for another:
/// 100 an hour.
const OF_ACCOUNT: (u32, Duration) = (20, Duration::from_secs(36));
/// How many changes of how they sign in a user may ask for at once, how many mails go to an address
/// that a user claims, and how many about new browsers to one user, and how soon there is room for
/// another.
const OF_USER: (u32, Duration) = (5, Duration::from_mins(12));

/// How often a session may end others of its user at once, and how soon there is room for another.
const OF_SESSION: (u32, Duration) = (10, Duration::from_mins(6));

/// How many confirmations a client begins at once, if it may not have more undecided: there is room
/// for as many again after this long. What is decided at once is not undecided, and yet a question
/// to the validator and a row each.
const BEGINS: u32 = 100;
const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// How many entries there are before those are looked for that have all their room again, and at
/// most.
const MANY: usize = 10_000;
const MOST: usize = 1_000_000;
/// How long everyone waits then.
const FULL: Duration = Duration::from_secs(1);

/// It was tried too often. There is room for another try after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimited(pub Duration);

/// The rate limits, one for each kind of request.
pub struct RateLimits<C: Clock = DefaultClock> {
    begins: [KeyedLimiter<Network, C>; 3],
    networks: [KeyedLimiter<Network, C>; 3],
    known_networks: [KeyedLimiter<Network, C>; 3],
    /// By a hash of the address, because what is typed may be long; and by whether the browser has
    /// signed in as this user before: tries in other browsers do not use up its room.
    accounts: KeyedLimiter<(u64, bool), C>,
    users: KeyedLimiter<UserId, C>,
    told: KeyedLimiter<UserId, C>,
    sessions: KeyedLimiter<SessionId, C>,
    /// By a hash of the mailbox.
    addresses: KeyedLimiter<u64, C>,
    hash: RandomState,
}

struct KeyedLimiter<K: Hash + Eq + Clone, C: Clock> {
    limiter: RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    /// How many entries there may be before the next look: twice as many as the last one has left,
    /// so that a look costs each of them little.
    look_at: AtomicUsize,
}

impl RateLimits {
    /// Starts with empty counts. A client may have `of_client` confirmations undecided.
    #[must_use]
    pub fn new(of_client: u32) -> Self {
        Self::with_clock(of_client, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> RateLimits<C> {
    /// Counts by `clock`.
    pub fn with_clock(of_client: u32, clock: &C) -> Self {
        let at_once = of_client.max(BEGINS);
        let begins = [1, 2, 4].map(|multiple| {
            let at_once = at_once.saturating_mul(multiple);
            KeyedLimiter::new((at_once, BEGINS_WITHIN / at_once), clock)
        });
        Self {
            begins,
            networks: OF_NETWORKS.map(|quota| KeyedLimiter::new(quota, clock)),
            known_networks: OF_KNOWN_NETWORKS.map(|quota| KeyedLimiter::new(quota, clock)),
            accounts: KeyedLimiter::new(OF_ACCOUNT, clock),
            users: KeyedLimiter::new(OF_USER, clock),
            told: KeyedLimiter::new(OF_USER, clock),
            sessions: KeyedLimiter::new(OF_SESSION, clock),
            addresses: KeyedLimiter::new(OF_USER, clock),
            hash: RandomState::new(),
        }
    }

    /// Before `client` begins a confirmation.
    pub fn begin(&self, client: Client) -> Result<(), RateLimited> {
        self.begins
            .iter()
            .zip(client.networks())
            .try_for_each(|(rooms, network)| rooms.take(network))
    }

    /// Before `client` tries a password of the account `email`, in a browser that is `known` to it,
    /// or is not: what is tried in the one kind of browsers takes no room from the other.
    pub fn password(&self, client: Client, email: &str, known: bool) -> Result<(), RateLimited> {
        let networks = if known {
            &self.known_networks
        } else {
            &self.networks
        };
        for (rooms, network) in networks.iter().zip(client.networks()) {
            rooms.take(network)?;
        }
        self.accounts
            .take(&(self.hash.hash_one(passwords::subject(email)), known))
    }

    /// Before `user` is told of one more new browser: an external validator may accept an address
    /// without proof, and that mailbox must not be flooded.
    pub fn notices(&self, user: UserId) -> Result<(), RateLimited> {
        self.told.take(&user)
    }

    /// Before `user` sets a password: each costs the work of hashing it, and a mail.
    pub fn change(&self, user: UserId) -> Result<(), RateLimited> {
        self.users.take(&user)
    }

    /// Before `session` ends others of its user: a thief with one session must not end each new one
    /// of its owner.
    pub fn ending(&self, session: SessionId) -> Result<(), RateLimited> {
        self.sessions.take(&session)
    }

    /// Before `user` has a mail sent to an address that they say is theirs.
    pub fn address(&self, user: UserId, to: &Address) -> Result<(), RateLimited> {
        self.change(user)?;
        self.addresses.take(&self.hash.hash_one(to.mailbox()))
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> KeyedLimiter<K, C> {
    fn new((at_once, every): (u32, Duration), clock: &C) -> Self {
        let at_once = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(every)
            .expect("it takes time")
            .allow_burst(at_once);
        let limiter = RateLimiter::hashmap_with_clock(quota, clock.clone());
        Self {
            limiter,
            clock: clock.clone(),
            look_at: AtomicUsize::new(MANY),
        }
    }

    fn take(&self, key: &K) -> Result<(), RateLimited> {
        if self.limiter.len() > self.look_at.load(Ordering::Relaxed) {
            self.limiter.retain_recent();
            self.look_at.store(
                (self.limiter.len() * 2).clamp(MANY, MOST),
                Ordering::Relaxed,
            );
            if self.limiter.len() > MOST {
                return Err(RateLimited(FULL));
            }
        }
        let wait =
            |until: NotUntil<C::Instant>| RateLimited(until.wait_time_from(self.clock.now()));
        self.limiter.check_key(key).map_err(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::net::Ipv6Addr;
    use vestibule::secret::Keys;

    fn client(number: u8) -> Client {
        Client::from_bytes([number; 16])
    }

    fn count(mut attempt: impl FnMut(usize) -> Result<(), RateLimited>) -> (usize, Duration) {
        (0..1000)
            .find_map(|tried| attempt(tried).err().map(|RateLimited(wait)| (tried, wait)))
            .expect("it ends")
    }

    #[test]
    fn a_client_tries_so_often_whichever_account_and_then_waits() {
        let clock = FakeRelativeClock::default();
        let limits = RateLimits::with_clock(100, &clock);
        let attempt =
            |tried: usize| limits.password(client(1), &format!("p{tried}@example.com"), false);
        assert_eq!(count(attempt), (20, Duration::from_secs(10)));
        assert_eq!(limits.password(client(2), "p@example.com", false), Ok(()));
        clock.advance(Duration::from_secs(10));
        assert_eq!(attempt(0), Ok(()));
        assert!(attempt(0).is_err());
    }

    #[test]
    fn the_networks_around_a_client_try_hardly_more_often() {
        let keys = Keys::from_secret(&[1; 32]);
        let client = |address: u128| Client::at(&keys, Ipv6Addr::from_bits(address).into());
        let start = Ipv6Addr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]).to_bits();
        // Another address of one /64, another /64 of one /56, another /56 of one /48, another /48.
        for (distance, tries) in [(1_u128, 20), (1 << 64, 40), (1 << 72, 80), (1 << 80, 999)] {
            let limits = RateLimits::with_clock(100, &FakeRelativeClock::default());
            let attempt = |tried: usize| {
                let address = start + distance * u128::try_from(tried).unwrap();
                limits.password(client(address), &format!("p{tried}@example.com"), false)
            };
            assert_eq!(
                (0..999).take_while(|tried| attempt(*tried).is_ok()).count(),
                tries,
                "{distance:x}"
            );
        }
    }

    #[test]
    fn an_account_is_tried_so_often_by_all_together_and_its_own_browsers_have_room_left() {
        let limits = RateLimits::with_clock(100, &FakeRelativeClock::default());
        let attempt = |tried: usize| {
            limits.password(
                client(u8::try_from(tried).unwrap()),
                " Ada@example.com",
                false,
            )
        };
        assert_eq!(count(attempt).0, 20);
        assert!(
            limits
                .password(client(200), "ada@example.com", false)
                .is_err()
        );
        assert_eq!(limits.password(client(0), "ada@example.com", true), Ok(()));
    }

    #[test]
    fn accounts_of_one_client_have_so_many_tries_in_their_own_browsers() {
        let limits = RateLimits::with_clock(100, &FakeRelativeClock::default());
        let attempt =
            |tried: usize| limits.password(client(1), &format!("p{tried}@example.com"), true);
        assert_eq!(count(attempt), (100, Duration::from_secs(1)));
        assert_eq!(
            limits.password(client(1), "p@example.com", false),
            Ok(()),
            "strangers have their own"
        );
    }

    #[test]
    fn a_session_ends_so_many_others() {
        let limits = RateLimits::with_clock(100, &FakeRelativeClock::default());
        let session = SessionId::from_bytes([1; 16]);
        assert_eq!(
            count(|_| limits.ending(session)),
            (10, Duration::from_mins(6))
        );
    }

    #[test]
    fn a_client_begins_as_many_as_may_be_undecided_and_at_least_a_hundred() {
        for (of_client, at_once) in [(1, 100), (100, 100), (200, 200)] {
            let limits = RateLimits::with_clock(of_client, &FakeRelativeClock::default());
            let wait = Duration::from_secs(10) / at_once;
            assert_eq!(
                count(|_| limits.begin(client(1))),
                (usize::try_from(at_once).unwrap(), wait)
            );
        }
    }

    #[test]
    fn a_user_and_an_address_have_so_many_mails() {
        let limits = RateLimits::with_clock(100, &FakeRelativeClock::default());
        let user = UserId::from_bytes([1; 16]);
        let address = |name: usize| format!("p{name}@example.com").parse().unwrap();
        let tagged = |tag: usize| format!("ada+{tag}@example.com").parse().unwrap();
        assert_eq!(count(|tried| limits.address(user, &address(tried))).0, 5);
        let others = |tried: usize| {
            limits.address(
                UserId::from_bytes([u8::try_from(tried).unwrap() + 2; 16]),
                &tagged(tried),
            )
        };
        assert_eq!(count(others).0, 5, "one mailbox");
    }

    #[test]
    fn keys_that_have_all_their_room_again_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let limits = RateLimits::with_clock(100, &clock);
        for number in 0..=MANY {
            limits
                .users
                .take(&UserId::from_bytes(
                    u128::try_from(number).unwrap().to_be_bytes(),
                ))
                .unwrap();
        }
        clock.advance(Duration::from_hours(2));
        limits.users.take(&UserId::from_bytes([255; 16])).unwrap();
        assert_eq!(limits.users.limiter.len(), 1);
    }
}
