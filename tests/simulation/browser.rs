//! Browsers: they keep their cookies, and lose responses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vestibule::{
    entry::PresentedSecrets,
    pending::{PendingCookie, TokenTag},
    secret::{Keys, SessionSecret},
    token::Token,
};

/// A browser, with two tabs at most.
#[derive(Debug, Default)]
pub struct Browser(Mutex<State>);

/// What it holds and is up to.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub jar: BTreeMap<TokenTag, String>,
    pub session: Option<SessionSecret>,
    /// Requests on their way.
    pub busy: usize,
    /// Counts what the user has done that may change who they are.
    pub changes: u64,
    /// How much of that is still on its way.
    pub choosing: usize,
}

impl Browser {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub fn cookie(&self, keys: &Keys, token: &Token) -> Option<String> {
        self.jar.get(&TokenTag::of(keys, token)).cloned()
    }

    pub fn shown(&self) -> PresentedSecrets {
        let claimed =
            |(tag, text): (&TokenTag, &String)| Some((*tag, PendingCookie::claimed_secret(text)?));
        PresentedSecrets {
            session: self.session.clone(),
            pending: self.jar.iter().filter_map(claimed).collect(),
            device: None,
        }
    }
}

/// What a user has done that may change who they are in these browsers; dropped, it has been done,
/// or is lost.
pub struct Choice(Vec<Arc<Browser>>);

impl Choice {
    pub fn made(browsers: Vec<Arc<Browser>>) -> Self {
        for browser in &browsers {
            let mut state = browser.state();
            state.changes += 1;
            state.choosing += 1;
        }
        Self(browsers)
    }
}

impl Drop for Choice {
    fn drop(&mut self) {
        for browser in &self.0 {
            browser.state().choosing -= 1;
        }
    }
}

/// A request on its way; dropped, it has come back or is lost.
pub struct Request(Arc<Browser>);

impl Request {
    pub fn sent(browser: &Arc<Browser>) -> Self {
        browser.state().busy += 1;
        Self(Arc::clone(browser))
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
    }
}
