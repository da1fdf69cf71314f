//! `GET /v1/session`: who is signed in, for the application's server, which forwards its browser's
//! `Cookie`.

use super::{CannotTell, PRIVATE, is_another_sites};
use crate::{
    accounts::time_format::rfc3339,
    http::{
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use vestibule::entry::{PendingState, SignedIn};

/// 200.
#[derive(Serialize)]
struct SignedInBody<'b> {
    user: UserBody<'b>,
    session: SessionBody,
}

#[derive(Serialize)]
struct UserBody<'b> {
    /// The user's id here: never another user's. The key to know them by.
    id: String,
    issuer: &'b str,
    subject: &'b str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'b str>,
}

#[derive(Serialize)]
struct SessionBody {
    handle: String,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Whether the user has proved who they are in the last twenty minutes.
    fresh: bool,
    method: &'static str,
}

/// 401.
#[derive(Serialize)]
struct StrangerBody {
    state: &'static str,
    /// Where to send the browser, with `?next=`.
    enter: String,
}

/// Tells it, and writes no more than that the session is used.
pub async fn session(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Response, CannotTell> {
    if is_another_sites(&headers) {
        return Ok((StatusCode::FORBIDDEN, PRIVATE).into_response());
    }
    let Some(who) = app.sign_ins.who(visitor.session().as_ref()).await? else {
        let shown = visitor.cookies.shown();
        let state = match app.sign_ins.pending_state(&shown).await? {
            PendingState::None => "none",
            PendingState::Pending => "pending",
            PendingState::Bound => "bound",
        };
        let enter = app.destinations().enter().to_string();
        let body = Json(StrangerBody { state, enter });
        return Ok((StatusCode::UNAUTHORIZED, PRIVATE, body).into_response());
    };
    Ok((PRIVATE, Json(body(&app, &who).await?)).into_response())
}

async fn body<'b>(app: &AppState, who: &'b SignedIn) -> Result<SignedInBody<'b>, CannotTell> {
    let identity = &who.user.identity;
    Ok(SignedInBody {
        user: UserBody {
            id: who.user.id.to_string(),
            issuer: &identity.issuer,
            subject: &identity.subject,
            name: identity.name.as_deref(),
            email: identity.email.as_deref(),
        },
        session: SessionBody {
            handle: who.sid(),
            since: rfc3339(who.since),
            expires: app.sign_ins.session_end(who).await?.map(rfc3339),
            fresh: who.is_fresh(app.sign_ins.now()),
            method: who.method().as_str(),
        },
    })
}
