//! Who may see one of the application's pages, and what is shown in its place to others.

use super::{Vestibule, layer::Requirement, signed_in::SignedIn};
use crate::{
    handlers::require_user::{Access, admit, login_leading_to},
    http::{
        client_address::{self, Clients},
        error::{self, PageError},
        navigation, response,
        run_to_completion::finish,
        state::App,
        visitor::Visitor,
    },
};
use axum::{
    extract::{FromRequestParts as _, OriginalUri, State},
    http::{HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;
use vestibule::path::LocalPath;

/// What is said where the application's layers are around our own routes.
const AROUND_OURSELVES: &str = "Vestibule's own routes need no user: merge them after \
                                require_user() and require_fresh()";

/// Lets the user of `request` in, with the cookies for the response. Else: the answer that takes the
/// place of the application's, complete.
pub(super) async fn let_in(
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

/// Who sent `request`, if it may be answered at all.
pub(super) async fn visitor(app: &App, request: &mut Parts) -> Result<Visitor, PageError> {
    Clients::check(&request.extensions)?;
    app.origins.check(request)?;
    let visitor = Visitor::from_request_parts(request, app).await;
    Ok(visitor.unwrap_or_else(|never| match never {}))
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
        tracing::error!("{AROUND_OURSELVES}");
        return (StatusCode::INTERNAL_SERVER_ERROR, AROUND_OURSELVES).into_response();
    }
    let next = next.and_then(|next| app.way_back(next.as_str()));
    let login = response::see(&login_leading_to(next.as_ref(), again));
    complete(app, login).await
}

/// The whole path that `request` asked for, as the browser knows it, if a browser can be led back
/// there.
pub(super) fn wanted(request: &Parts) -> Option<LocalPath> {
    if request.method != Method::GET {
        return None;
    }
    whole_uri(request).path_and_query()?.as_str().parse().ok()
}

/// What `request` asked for, from within routers that are nested as well.
pub(super) fn whole_uri(request: &Parts) -> &Uri {
    let original = request.extensions.get::<OriginalUri>();
    original.map_or(&request.uri, |OriginalUri(uri)| uri)
}

/// The answer to a script, or another program, of no known user.
pub(super) fn unauthorized() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        [(header::CACHE_CONTROL, "no-store")],
        "Sign in first.",
    )
        .into_response()
}

/// `response`, which is ours, with all that belongs to an answer of ours.
pub(super) async fn complete(app: &App, response: Response) -> Response {
    let response = response::put_base(State(app.destinations().base().clone()), response).await;
    let response = error::render(State(app.pages.clone()), response).await;
    app.hsts.with_headers(response)
}
