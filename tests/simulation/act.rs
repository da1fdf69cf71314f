//! What a user does.

use crate::{
    browser::{Browser, Choice, Request, State},
    gate::{Fate, Gates, What, Who},
};
use std::sync::{Arc, Mutex, PoisonError};
use vestibule::{
    caps::Client,
    entry::{Entry, SignIn},
    pending::TokenTag,
    secret::SessionSecret,
    sign_ins::{Pending, SignIns},
    store::BeginError,
    token::Token,
    user::UserId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Land(usize),
    Begin(usize),
    TryAgain(usize),
    Status(usize),
    Cancel(usize),
    Enter,
    /// Becomes the user of the first link.
    Become,
    /// Stays who they are.
    Stay,
    SignOut,
    SignOutEverywhere,
}

impl Act {
    /// Whether the user chooses by it who they want to be.
    pub const fn is_a_choice(self) -> bool {
        matches!(
            self,
            Self::Become | Self::Stay | Self::SignOut | Self::SignOutEverywhere
        )
    }
}

/// A page that greeted a user, for the rules to judge.
#[derive(Clone, Debug)]
pub struct Greeting {
    pub browser: usize,
    /// Who was signed in when the page was asked for.
    pub before: Option<UserId>,
    pub greeted: UserId,
    /// Whether the user said meanwhile who they want to be.
    pub chosen: bool,
}

/// A user of a node's [`SignIns`].
pub struct Visit {
    pub act: Act,
    pub number: usize,
    pub browser: Arc<Browser>,
    pub before: Option<UserId>,
    pub sign_ins: SignIns,
    pub gates: Arc<Gates>,
    pub tokens: Arc<[Token]>,
    pub greetings: Arc<Mutex<Vec<Greeting>>>,
    pub _choice: Option<Choice>,
}

/// What a response tells the browser to do with its cookies.
#[derive(Default)]
struct Cookies {
    pending: Option<(TokenTag, String)>,
    session: Option<SessionSecret>,
    spent: Vec<TokenTag>,
    forget_all: bool,
}

impl Visit {
    /// Asks, and does with the cookies what the response says, if it arrives.
    pub async fn pay(self) {
        let _request = Request::sent(&self.browser);
        let state = self.browser.state().clone();
        let Ok(cookies) = self.ask(&state).await else {
            return;
        };
        if let Fate::Go = self
            .gates
            .pass(Who::Browser(self.number), What::Response)
            .await
        {
            let mut state = self.browser.state();
            state.jar.extend(cookies.pending);
            state
                .jar
                .retain(|tag, _| !cookies.spent.contains(tag) && !cookies.forget_all);
            if cookies.session.is_some() || cookies.forget_all {
                state.session = cookies.session;
            }
        }
    }

    async fn ask(&self, state: &State) -> Result<Cookies, BeginError> {
        let sign_ins = &self.sign_ins;
        let cookie = |place: usize| state.cookie(sign_ins.keys(), &self.tokens[place]);
        Ok(match self.act {
            Act::Land(place) => {
                let token = &self.tokens[place];
                self.pending(token, &sign_ins.land(token, cookie(place).as_deref()))
            }
            Act::Begin(place) | Act::TryAgain(place) => {
                let token = &self.tokens[place];
                let again = matches!(self.act, Act::TryAgain(_));
                let client =
                    Client::from_bytes([u8::try_from(self.number).unwrap_or_default(); 16]);
                let (pending, _) = sign_ins
                    .begin(token, cookie(place).as_deref(), again, client, None)
                    .await?;
                self.pending(token, &pending)
            }
            Act::Status(place) => {
                let token = &self.tokens[place];
                sign_ins
                    .status(token, cookie(place).as_deref(), state.session.as_ref())
                    .await?;
                Cookies::default()
            }
            Act::Cancel(place) => {
                sign_ins
                    .cancel(&self.tokens[place], cookie(place).as_deref())
                    .await?;
                Cookies::default()
            }
            Act::Enter => self.entered(state, sign_ins.enter(&state.shown()).await?),
            Act::Become => {
                let choice = state.jar.keys().next().copied();
                self.entered(state, sign_ins.choose(&state.shown(), choice).await?)
            }
            Act::Stay => self.entered(state, sign_ins.choose(&state.shown(), None).await?),
            Act::SignOut | Act::SignOutEverywhere => {
                sign_ins
                    .sign_out(&state.shown(), self.act == Act::SignOutEverywhere)
                    .await?;
                Cookies {
                    forget_all: true,
                    ..Cookies::default()
                }
            }
        })
    }

    fn pending(&self, token: &Token, pending: &Pending) -> Cookies {
        let keys = self.sign_ins.keys();
        let set = pending.fresh.then(|| {
            (
                TokenTag::of(keys, token),
                pending.cookie.encode(keys, token),
            )
        });
        Cookies {
            pending: set,
            ..Cookies::default()
        }
    }

    fn entered(&self, asked: &State, entry: Entry) -> Cookies {
        let Entry::SignedIn(SignIn {
            who,
            renewed,
            spent,
            ..
        }) = entry
        else {
            return Cookies::default();
        };
        // Also what the user had done before, and what was not there yet.
        let chosen = self.act.is_a_choice()
            || asked.choosing > 0
            || self.browser.state().changes != asked.changes;
        let browser = self.number;
        let before = self.before;
        let greeted = who.user.id;
        let mut greetings = self
            .greetings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        greetings.push(Greeting {
            browser,
            before,
            greeted,
            chosen,
        });
        Cookies {
            session: renewed.or_else(|| asked.session.clone()),
            spent,
            ..Cookies::default()
        }
    }
}
