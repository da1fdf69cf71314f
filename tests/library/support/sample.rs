//! Values to arrange tests with.

use std::time::Duration;
use vestibule::{
    caps::{Admission, Client, Shares, Usage},
    clock::Timestamp,
    confirmation::{
        Confirmation, ConfirmationId, Later, Queued, Rejection, Stage, State, Wait, WorkerId,
    },
    outcome::{Destinations, Outcome},
    pending::TokenTag,
    secret::{Keys, SealedToken, SecretHash, SystemEntropy, random},
    session::{Session, SessionId},
    store::{ConfirmationStore, SessionStore, Settlement, Stores, UserStore},
    timing::Timing,
    token::Token,
    user::{Authority, Identity, UserId},
};

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

pub fn token(text: &str) -> Token {
    text.parse().unwrap()
}

/// Keys made from these numbers, the newest first.
pub fn keys(numbers: &[u8]) -> Keys {
    let secrets: Vec<_> = numbers.iter().map(|number| [*number; 32]).collect();
    Keys::from_secrets(&secrets)
}

pub fn worker(number: u8) -> WorkerId {
    WorkerId::from_bytes([number; 16])
}

pub fn ada() -> Identity {
    person("Ada")
}

pub fn bob() -> Identity {
    person("Bob")
}

fn person(name: &str) -> Identity {
    let email = format!("{name}@example.com");
    Identity {
        issuer: "practice".into(),
        subject: name.into(),
        name: Some(name.into()),
        email: Some(email),
    }
}

pub fn settlement(now: Timestamp) -> Settlement {
    Settlement {
        now,
        new_user: UserId::generate(&SystemEntropy),
        bound: Duration::from_mins(15),
        tells: false,
    }
}

/// Terms on which every client is let in.
pub fn welcome() -> Admission {
    admission(1, u32::MAX)
}

/// Terms on which a client may have `of_client` undecided confirmations.
pub fn admission(client: u8, of_client: u32) -> Admission {
    Admission {
        client: Client::from_bytes([client; 16]),
        shares: Shares::new(of_client),
        usage: Usage::Free,
    }
}

/// That the validator answers later, by a deadline, where each client may have so many that wait.
pub fn wait(stage: Option<Stage>, deadline: i64, of_client: u32) -> Wait {
    Wait {
        later: Later { stage },
        deadline: at(deadline),
        room: Shares::new(of_client),
    }
}

pub fn confirmed() -> Outcome {
    Outcome::Confirmed {
        redirect: Destinations::default().confirmed,
    }
}

pub fn rejected(reason: Rejection) -> Outcome {
    Destinations::default().rejected(reason)
}

/// A confirmation with its pending session, begun at 0 with a deadline at 60 s, all ids and hashes
/// from one number.
#[derive(Clone)]
pub struct Sample {
    pub confirmation: Confirmation,
    pub session: Session,
}

impl Sample {
    pub fn new(number: u8) -> Self {
        let id = ConfirmationId::from_bytes([number; 16]);
        let secret = SecretHash::from_bytes([number; 32]);
        let token_tag = TokenTag::from_bytes([number; 8]);
        let session = SessionId::from_bytes([number; 16]);
        let token = SealedToken::seal(&keys(&[7]), &SystemEntropy, id, &token("good"));
        let state = State::Queued(Queued {
            token,
            failed: 0,
            later: None,
            due_at: at(0),
            fence: 0,
            lease: None,
        });
        Self {
            confirmation: Confirmation {
                id,
                secret,
                token_tag,
                session,
                created_at: at(0),
                deadline: at(60),
                next: None,
                state,
            },
            session: Session::pending(session, secret, token_tag, at(0), at(960)),
        }
    }

    /// The same, but due at `due`.
    pub fn due(mut self, due: Timestamp) -> Self {
        let State::Queued(queued) = &mut self.confirmation.state else {
            unreachable!("samples are queued")
        };
        queued.due_at = due;
        self
    }

    /// The same, but to be decided by `deadline`.
    pub fn deadline(mut self, deadline: Timestamp) -> Self {
        self.confirmation.deadline = deadline;
        self
    }

    /// Keeps it in `store`.
    pub async fn begun(self, store: &dyn ConfirmationStore) -> Self {
        self.begun_by(welcome().client, store).await
    }

    /// Keeps it in `store` as this client's.
    pub async fn begun_by(self, client: Client, store: &dyn ConfirmationStore) -> Self {
        store
            .begin(
                &self.confirmation,
                &self.session,
                Admission {
                    client,
                    ..welcome()
                },
            )
            .await
            .unwrap();
        self
    }

    /// Keeps it in `store` as that of a client of its own.
    pub async fn begun_alone(self, store: &dyn ConfirmationStore) -> Self {
        let client = Client::from_bytes(*self.confirmation.id.as_bytes());
        self.begun_by(client, store).await
    }

    /// The confirmation as it is stored now.
    pub async fn stored(&self, store: &dyn ConfirmationStore) -> Confirmation {
        store
            .confirmation_by_secret(&self.confirmation.secret)
            .await
            .unwrap()
            .expect("it has begun")
    }
}

/// What a new session of `user` may do in `stores`.
pub async fn authority(stores: &Stores, user: UserId) -> Authority {
    authority_in(&*stores.sessions, &*stores.users, user).await
}

/// What a new session of `user` in `sessions` may do in `users`.
pub async fn authority_in(
    sessions: &dyn SessionStore,
    users: &dyn UserStore,
    user: UserId,
) -> Authority {
    let id = SessionId::generate(&SystemEntropy);
    let secret = SecretHash::from_bytes(random(&SystemEntropy));
    let session = Session::established(id, secret, user, None, at(0), &Timing::default());
    assert!(sessions.insert_session(&session).await.unwrap());
    let known = users.user(user).await.unwrap();
    Authority {
        user,
        session: id,
        revision: known.expect("there is such a user").revision,
    }
}
