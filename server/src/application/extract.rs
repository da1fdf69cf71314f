//! How the application's handlers learn who sent a request.

use super::{
    answer::unauthorized, request::wanted, sign_in_context::SignInContext, signed_in::SignedIn,
};
use crate::http::{navigation, response};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use std::{fmt, sync::atomic::Ordering};
use vestibule::path::LocalPath;

/// What is said where the layer is missing.
const NO_LAYER: &str = "Vestibule cannot be asked who is signed in: put .layer(vestibule.layer()) \
                        around the application's routes";

/// Why a request has no [`SignedIn`]. Leptos tells browsers what `Debug` says of it, so that is no
/// more than they may know.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignedInRejection {
    /// No layer of Vestibule's is around the route: 500.
    NoLayer,
    /// It is no known user's: 303 to where a browser signs in, 401 for others.
    SignedOut {
        /// Where a browser signs in, and from there comes back.
        enter: Option<LocalPath>,
    },
    /// It cannot be told now: 503. Let no one in. The log says why.
    Unavailable,
}

impl fmt::Display for SignedInRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLayer => f.write_str(NO_LAYER),
            Self::SignedOut { .. } => f.write_str("no user is signed in"),
            Self::Unavailable => f.write_str("it cannot be told who is signed in"),
        }
    }
}

impl std::error::Error for SignedInRejection {}

impl IntoResponse for SignedInRejection {
    fn into_response(self) -> Response {
        match self {
            Self::NoLayer => (StatusCode::INTERNAL_SERVER_ERROR, NO_LAYER).into_response(),
            Self::SignedOut { enter: Some(enter) } => response::see_other(&enter),
            Self::SignedOut { enter: None } => unauthorized(),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                [(header::CACHE_CONTROL, "no-store")],
                "It cannot be told who is signed in. Try again in a moment.",
            )
                .into_response(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = SignedInRejection;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, SignedInRejection> {
        let context = context(head)?;
        match who(head, &context).await? {
            Some(user) => Ok(user),
            None => Err(SignedInRejection::SignedOut {
                enter: enter(head, &context),
            }),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = SignedInRejection;

    async fn from_request_parts(
        head: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SignedInRejection> {
        let context = context(head)?;
        who(head, &context).await
    }
}

/// What the layer has left.
fn context(head: &Parts) -> Result<SignInContext, SignedInRejection> {
    let context = head.extensions.get::<SignInContext>().cloned();
    context.ok_or_else(|| {
        // As a stranger's, the request would be answered with something that is merely wrong.
        tracing::error!("{NO_LAYER}");
        SignedInRejection::NoLayer
    })
}

/// Who is signed in. A request to a host that is not ours comes with no cookie of ours.
async fn who(
    head: &mut Parts,
    context: &SignInContext,
) -> Result<Option<SignedIn>, SignedInRejection> {
    context.asked.store(true, Ordering::Relaxed);
    if let Some(user) = &context.user {
        return Ok(Some(user.clone()));
    }
    let app = &context.vestibule.app;
    if app.origins.check(head).is_err() {
        return Ok(None);
    }
    let session = app.cookies.read(&head.headers).session();
    let who = app.sign_ins.who(session.as_ref()).await.map_err(|error| {
        tracing::error!(%error, "it cannot be told who is signed in");
        SignedInRejection::Unavailable
    })?;
    let user = who.map(|who| SignedIn::new(who, app.sign_ins.now()));
    // It is asked once for a request.
    head.extensions.insert(SignInContext {
        user: user.clone(),
        ..context.clone()
    });
    Ok(user)
}

/// Where the browser that sent the request gets its session, and from where it comes back.
fn enter(head: &Parts, context: &SignInContext) -> Option<LocalPath> {
    if !navigation::is_for_a_tab(&head.headers) {
        return None;
    }
    let app = &context.vestibule.app;
    let destinations = app.destinations();
    let next = wanted(head).and_then(|next| app.way_back(next.as_str()));
    Some(next.map_or_else(|| destinations.enter(), |next| destinations.through(next)))
}
