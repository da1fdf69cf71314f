//! Who may see one of the application's pages, and what is shown in its place to others.

use super::{
    Vestibule,
    answer::{complete, misplaced, unauthorized},
    request::{visitor, wanted},
    signed_in::SignedIn,
};
use crate::{
    handlers::require_user::{Access, admit, login_leading_to},
    http::{
        client_address, error::PageError, navigation, response, run_to_completion::finish,
        state::App,
    },
};
use axum::{
    http::{HeaderValue, request::Parts},
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;

/// Who may go on to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Everybody.
    Anyone,
    /// A user.
    User,
    /// A user who has signed in a short while ago.
    FreshUser,
}

/// What is said where the application's layers are around our own routes.
const AROUND_OURSELVES: &str = "Vestibule's own routes need no user: merge them after \
                                require_user() and require_fresh()";

/// Lets the user of `request` in, with the cookies for the response. Else: the answer that takes the
/// place of the application's, complete.
pub async fn let_in(
    vestibule: &Vestibule,
    requirement: Requirement,
    before: Option<SignedIn>,
    request: &mut Parts,
) -> Result<(SignedIn, Vec<HeaderValue>), Response> {
    let app = &vestibule.app;
    let (user, cookies) = match before {
        // Another layer has let them in. The cookies that were spent on that are still shown.
        Some(user) => (user, Vec::new()),
        None => enter(app, request).await?,
    };
    if requirement == Requirement::FreshUser && !user.is_fresh() {
        let mut response = sign_in_first(app, request, true).await;
        response = response::with_cookies(response, cookies);
        return Err(response);
    }
    Ok((user, cookies))
}

/// The user of `request`, after the exchange, if there is one to make.
async fn enter(app: &App, request: &mut Parts) -> Result<(SignedIn, Vec<HeaderValue>), Response> {
    let access = match access(app, request).await {
        Ok(access) => access,
        Err(error) => return Err(complete(app, error.into_response()).await),
    };
    match access {
        Access::Admitted(who, cookies) => Ok((SignedIn::new(who, app.sign_ins.now()), cookies)),
        Access::Instead(page) => Err(complete(app, page).await),
        Access::SignedOut => Err(sign_in_first(app, request, false).await),
    }
}

async fn access(app: &App, request: &mut Parts) -> Result<Access, PageError> {
    let visitor = visitor(app, request).await?;
    let span = client_address::span(visitor.client);
    let app = app.clone();
    // A browser that hangs up does not leave an exchange half done.
    finish(async move { admit(&app, &visitor).await }.instrument(span)).await
}

/// The answer to a request of no known user, or of one who has to sign in `again`: a browser is led
/// to the login page, and back here if it only wanted to see something.
async fn sign_in_first(app: &App, request: &Parts, again: bool) -> Response {
    if !navigation::is_for_a_tab(&request.headers) {
        return unauthorized();
    }
    let next = wanted(request);
    let base = app.destinations().base();
    if next.as_ref().is_some_and(|next| base.below(next).is_some()) {
        return misplaced(AROUND_OURSELVES);
    }
    let next = next.and_then(|next| app.way_back(next.as_str()));
    let login = response::see(&login_leading_to(next.as_ref(), again));
    complete(app, login).await
}
