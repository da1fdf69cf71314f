//! `/continue`: a browser that is signed in holds another user's sign-in, so the page asks as whom
//! to go on.

use crate::{
    handlers::after_sign_in,
    http::{
        csrf::SameOriginForm,
        error::PageError,
        form::Choice,
        response,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{extract::State, response::Response};
use leptos::prelude::*;
use vestibule::{entry::Entry, pending::TokenTag, user::User};
use vestibule_app::{
    pages::{Candidate, ContinuePage, Person, title},
    shell::Head,
};

/// The page that asks.
pub fn ask(
    app: &AppState,
    visitor: &Visitor,
    current: Option<&User>,
    candidates: Vec<(TokenTag, User)>,
) -> Response {
    let person = |user: &User| Person {
        name: user.display_name().to_owned(),
        about: user.description(),
    };
    let current = current.map(person);
    let candidate = |(tag, user): (TokenTag, User)| Candidate {
        value: tag.to_string(),
        person: person(&user),
    };
    let candidates: Vec<_> = candidates.into_iter().map(candidate).collect();
    let head = Head::titled(title::continue_as(&candidates));
    app.form_page(visitor, head, false, || {
        view! { <ContinuePage current=current candidates=candidates /> }
    })
}

/// `POST /continue`: the answer to "continue as B?".
pub async fn choose(
    State(app): State<App>,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<Choice>,
) -> Result<Response, PageError> {
    let choice = form.choice.parse().ok();
    if choice.is_none() && form.choice != "stay" {
        return Err(PageError::Forbidden);
    }
    let shown = visitor.shown();
    let Entry::SignedIn(sign_in) = app.sign_ins.choose(&shown, choice).await? else {
        return Ok(response::see_other(&app.destinations().confirmed));
    };
    let next = after_sign_in::next(&app, &shown, &sign_in).await;
    let on = next.as_ref().unwrap_or(&app.destinations().confirmed);
    let cookies = after_sign_in::cookies(&app, &visitor, &sign_in).await;
    Ok(response::with_cookies(response::see_other(on), cookies))
}

#[cfg(test)]
mod tests;
