//! What tests of other programs control practice mode by: what the validator answers, which mails
//! were sent, how far confirmations have come, what time it is, and who is signed in.
//!
//! Anyone who reaches it can act as any user, so it must be reachable in no other place. These routes are
//! made from a [`ValidatorScript`] and a [`PracticeClock`], which exist only where the practice
//! validator judges; they are served on `OPS_ADDR` alone, if that is an address of loopback; and
//! what a browser or a proxy sends is refused.

mod clock;
mod confirmations;
mod guard;
mod mail;
mod problem;
mod sign_in;
mod tokens;

use super::{PracticeClock, ValidatorScript};
use crate::http::state::App;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn,
    routing::{get, post, put},
};
use problem::ControlProblem;
use std::{ops::Deref, sync::Arc};

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// What only a practice mode has that can be controlled.
#[derive(Clone)]
pub struct PracticeTools {
    /// What the practice validator answers.
    pub script: Arc<ValidatorScript>,
    /// The time of everything.
    pub clock: Arc<PracticeClock>,
}

/// A handle to what the control's handlers share.
#[derive(Clone)]
struct Control(Arc<ControlState>);

struct ControlState {
    app: App,
    tools: PracticeTools,
}

impl Deref for Control {
    type Target = ControlState;

    fn deref(&self) -> &ControlState {
        &self.0
    }
}

/// The routes by which `app`, whose validator and clock are `tools`, is controlled.
pub fn routes(app: App, tools: PracticeTools) -> Router {
    Router::new()
        .route("/practice/tokens/{token}", put(tokens::script))
        .route("/practice/mail", get(mail::list))
        .route("/practice/confirmations", get(confirmations::list))
        .route("/practice/clock", post(clock::advance))
        .route("/practice/sign-in", post(sign_in::sign_in))
        .method_not_allowed_fallback(async || ControlProblem::method())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(guard::programs_of_this_machine))
        .with_state(Control(Arc::new(ControlState { app, tools })))
}

#[cfg(test)]
mod tests;
