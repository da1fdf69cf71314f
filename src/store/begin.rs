//! To begin many confirmations at once: which of them may, and what each came to, without a word of
//! SQL.
//!
//! A transaction counts what is there, lets in those that find room beside it, one after the other,
//! and inserts them. Until it ends, nothing else begins for the networks that it has counted.

use super::StoreError;
use crate::{
    caps::{Admission, Capped, Client, Network, Tally},
    confirmation::{Confirmation, Queued, State},
    secret::SecretHash,
    session::Session,
};
use std::collections::{HashMap, HashSet};

/// A confirmation that is to begin, and its session unless that is kept elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub confirmation: Confirmation,
    pub session: Option<Session>,
    pub admission: Admission,
}

/// The confirmation that is now kept under the pending secret. To be refused is no failure: it
/// undoes nothing of those who share the transaction.
pub(super) type BeginResult = Result<Confirmation, Capped>;

impl Begin {
    /// What the confirmation waits with.
    pub fn queued(&self) -> Result<&Queued, StoreError> {
        match &self.confirmation.state {
            State::Queued(queued) => Ok(queued),
            State::Decided(_) | State::Settled(_) => Err(StoreError::Unavailable(
                "only a queued confirmation can be begun".into(),
            )),
        }
    }
}

/// What is there, and what of a batch was let in since.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// The pending secrets that have begun a confirmation.
    begun: HashSet<SecretHash>,
    undecided: Tally,
    /// The next turn in each /48.
    turns: HashMap<Network, i64>,
    /// The first turn of all.
    first: i64,
}

/// A row of a [`Census`].
pub(super) enum Counted {
    /// A secret that has begun a confirmation.
    Begun(SecretHash),
    /// How many undecided ones a client has.
    Undecided {
        client: Client,
        number: u32,
        /// The turn after their last one.
        next: i64,
    },
    /// The first turn of all.
    First(i64),
}

/// The turn of what is not due when it begins: it takes none of its network's.
const LAST_TURN: i64 = i64::MAX;

impl FromIterator<Counted> for Census {
    fn from_iter<I: IntoIterator<Item = Counted>>(rows: I) -> Self {
        let mut census = Self::default();
        for row in rows {
            match row {
                Counted::Begun(secret) => {
                    census.begun.insert(secret);
                }
                Counted::Undecided {
                    client,
                    number,
                    next,
                } => {
                    census.undecided.add(client, number);
                    let turn = census.turns.entry(client.networks()[2]).or_default();
                    *turn = next.max(*turn);
                }
                Counted::First(turn) => census.first = turn,
            }
        }
        census
    }
}

impl Census {
    /// Those of `jobs` that begin now, each with its turn, as if one had come after the other: one
    /// whose secret has begun another does not, and one that is refused takes no room.
    pub fn admit<'j>(&mut self, jobs: &[&'j Begin]) -> Vec<(&'j Begin, i64)> {
        let mut admitted = Vec::with_capacity(jobs.len());
        for &job in jobs {
            let secret = job.confirmation.secret;
            let Admission {
                client,
                shares,
                usage,
            } = job.admission;
            if !self.begun.contains(&secret) && self.undecided.take(client, shares.during(usage)) {
                self.begun.insert(secret);
                admitted.push((job, self.turn(job)));
            }
        }
        admitted
    }

    /// The turn of one that begins: after those of its network, and not before any other.
    fn turn(&mut self, job: &Begin) -> i64 {
        let begun_at = job.confirmation.created_at;
        if !job.queued().is_ok_and(|queued| queued.due_at <= begun_at) {
            return LAST_TURN;
        }
        let network = job.admission.client.networks()[2];
        let next = self.turns.entry(network).or_default();
        let turn = self.first.max(*next);
        *next = turn.saturating_add(1);
        turn
    }

    /// Gives the room of `job` back, whose secret has begun another meanwhile.
    #[cfg(feature = "postgres")]
    pub fn give_back(&mut self, job: &Begin) {
        self.undecided.give_back(job.admission.client);
    }

    /// What `jobs` came to where this is `kept` under their secrets.
    pub fn results(
        &self,
        jobs: &[&Begin],
        kept: &StoredConfirmations,
    ) -> Result<Vec<BeginResult>, StoreError> {
        let end = |job: &&Begin| {
            if let Some(kept) = kept.get(&job.confirmation.secret) {
                return Ok(Ok(kept.clone()));
            }
            let there = self.undecided.around(job.admission.client);
            let capped = job.admission.capped(there);
            capped.map(Err).ok_or_else(|| {
                StoreError::Unavailable(
                    "another begin changed what there is room for; try again".into(),
                )
            })
        };
        jobs.iter().map(end).collect()
    }
}

/// What is kept under the secrets of those that were begun before, or now.
pub(super) type StoredConfirmations = HashMap<SecretHash, Confirmation>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        caps::{Shares, Usage},
        clock::Timestamp,
        confirmation::ConfirmationId,
        id::SessionId,
        pending::TokenTag,
        secret::{Keys, SealedToken, SystemEntropy},
        token::Token,
    };

    /// One that a client in these networks begins, who may have so many.
    fn begin(number: u8, networks: [u8; 3], of_client: u32) -> Begin {
        let keys = Keys::from_secret(&[7; 32]);
        let token: Token = "a-token".parse().unwrap();
        let id = ConfirmationId::from_bytes([number; 16]);
        let queued = Queued {
            token: SealedToken::seal(&keys, &SystemEntropy, id, &token),
            failed: 0,
            later: None,
            due_at: Timestamp::from_millis(0),
            fence: 0,
            lease: None,
        };
        Begin {
            confirmation: Confirmation {
                id,
                secret: SecretHash::from_bytes([number; 32]),
                token_tag: TokenTag::of(&keys, &token),
                session: SessionId::from_bytes([number; 16]),
                created_at: Timestamp::from_millis(0),
                deadline: Timestamp::from_millis(60_000),
                next: None,
                state: State::Queued(queued),
            },
            session: None,
            admission: Admission {
                client: client(networks),
                shares: Shares::new(of_client),
                usage: Usage::Free,
            },
        }
    }

    fn client(networks: [u8; 3]) -> Client {
        Client::in_networks(networks.map(|name| [name; 16]))
    }

    fn undecided(networks: [u8; 3], number: u32, next: i64) -> Counted {
        let client = client(networks);
        Counted::Undecided {
            client,
            number,
            next,
        }
    }

    /// The numbers of those that are admitted beside these rows, each with its turn.
    fn admitted(there: impl IntoIterator<Item = Counted>, jobs: &[Begin]) -> Vec<(u8, i64)> {
        let jobs: Vec<_> = jobs.iter().collect();
        let mut census = Census::from_iter(there);
        let numbered = |(job, turn): &(&Begin, i64)| (job.confirmation.id.as_bytes()[0], *turn);
        census.admit(&jobs).iter().map(numbered).collect()
    }

    fn numbers(admitted: &[(u8, i64)]) -> Vec<u8> {
        admitted.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn each_network_has_its_share_with_those_that_are_there() {
        let jobs = [
            begin(1, [1, 11, 111], 2),
            begin(2, [1, 11, 111], 2),
            begin(3, [2, 11, 111], 2),
            begin(4, [3, 11, 111], 2),
            begin(5, [4, 12, 111], 2),
        ];
        assert_eq!(numbers(&admitted([], &jobs)), [1, 2, 3, 4, 5]);
        let there = || [undecided([1, 11, 111], 1, 0), undecided([9, 11, 111], 1, 0)];
        assert_eq!(numbers(&admitted(there(), &jobs)), [1, 3, 5]);
        let widest = [undecided([9, 19, 111], 7, 0)];
        assert_eq!(numbers(&admitted(widest, &jobs)), [1]);
    }

    #[test]
    fn one_that_is_refused_takes_no_room_from_one_that_may_begin() {
        let jobs = [begin(1, [1, 11, 111], 1), begin(2, [1, 11, 111], 4)];
        let there = [undecided([1, 11, 111], 3, 0)];
        assert_eq!(numbers(&admitted(there, &jobs)), [2]);
        // The same where they are two clients of one /56, with twice the share.
        let jobs = [begin(1, [1, 11, 111], 1), begin(2, [2, 11, 111], 2)];
        let there = [undecided([9, 11, 111], 3, 0)];
        assert_eq!(numbers(&admitted(there, &jobs)), [2]);
    }

    #[test]
    fn one_that_is_repeated_is_not_refused_beside_one_that_is() {
        let jobs = [1, 2, 2].map(|number| begin(number, [1, 11, 111], 1));
        let [refused, begun, repeated] = &jobs;
        let secret = begun.confirmation.secret;
        let there = [Counted::Begun(secret), undecided([1, 11, 111], 1, 0)];
        let mut census = Census::from_iter(there);
        let jobs = [refused, begun, repeated];
        assert!(census.admit(&jobs).is_empty());
        let kept = [(secret, begun.confirmation.clone())].into();
        let own = Ok(begun.confirmation.clone());
        let ends = census.results(&jobs, &kept).unwrap();
        assert_eq!(ends, [Err(Capped::Client), own.clone(), own]);
    }

    #[test]
    fn of_two_with_one_secret_one_begins() {
        let jobs = [1, 1].map(|number| begin(number, [1, 11, 111], 9));
        assert_eq!(numbers(&admitted([], &jobs)), [1]);
    }

    #[test]
    fn a_turn_comes_after_those_of_its_network_and_not_before_any_other() {
        let mut jobs = [1, 2, 3, 4].map(|number| begin(number, [number / 2, 11, 111], 9));
        let State::Queued(later) = &mut jobs[1].confirmation.state else {
            panic!("it is queued");
        };
        later.due_at = Timestamp::from_millis(1);
        let there = |next| [undecided([7, 11, 111], 1, next), Counted::First(5)];
        assert_eq!(
            admitted(there(0), &jobs),
            [(1, 5), (2, LAST_TURN), (3, 6), (4, 7)]
        );
        assert_eq!(
            admitted(there(9), &jobs),
            [(1, 9), (2, LAST_TURN), (3, 10), (4, 11)]
        );
    }
}
