//! A link of ours, opened in another browser than the one that asked for it: it lets that one in.

use crate::{
    accounts::{time_format::utc, user_agent},
    handlers::{begin, require_user},
    http::{
        csrf::SameOriginForm,
        error::PageError,
        form::Choice,
        response,
        state::{App, AppState},
        token_path::TokenPath,
        visitor::Visitor,
    },
};
use axum::{extract::State, response::Response};
use leptos::prelude::*;
use vestibule::{
    audit::{Event, Means},
    link::{InvalidLink, LinkError, LinkToken, Number, OpenedLink},
    token::Token,
};
use vestibule_app::{
    pages::{LetInPage, LinkPage, SpentPage, title},
    shell::Head,
};

/// The landing of a link of ours in a browser that did not ask for it: writes nothing.
pub async fn land(
    app: &AppState,
    visitor: &Visitor,
    token: &Token,
    link: &LinkToken,
) -> Result<Response, PageError> {
    opened(app, visitor, token, link, None).await
}

/// The page of a link that was opened elsewhere, and what is wrong with the number that was typed
/// into it.
async fn opened(
    app: &AppState,
    visitor: &Visitor,
    token: &Token,
    link: &LinkToken,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let opened = match app.links.look(link).await {
        Ok(opened) => opened,
        Err(error) => return not_opened(app, link, error).await,
    };
    let path = format!("/confirm/{}", token.expose());
    let OpenedLink {
        address,
        device,
        asked,
        waited_for,
    } = opened;
    let failed = problem.is_some();
    let address = address.as_str().to_owned();
    let asked = utc(asked);
    let device = user_agent::words(device.as_ref()).to_owned();
    // The browser has to show that it keeps cookies before the link is used up for it.
    let pending = app.sign_ins.land(token, visitor.pending(token));
    let set = begin::landed(app, visitor, token, &pending)
        .await
        .map_err(|_| begin::full(visitor, token))?;
    let page = app.form_page(visitor, Head::titled(title::LINK), failed, || {
        view! {
            <LinkPage
                token_path=path
                address=address
                device=device
                asked=asked
                waited_for=waited_for
                problem=problem
            />
        }
    });
    Ok(response::with_cookies(page, set))
}

/// The page of a link that was not opened.
async fn not_opened(
    app: &AppState,
    link: &LinkToken,
    error: LinkError,
) -> Result<Response, PageError> {
    let why = match error {
        LinkError::Invalid(why) => why,
        LinkError::Store(error) => return Err(error.into()),
    };
    let link = app.links.kept(link).await?;
    // A stranger who finds an old link must not learn whose it was.
    let address = link.as_ref().map(|link| link.address.masked());
    let next = link.and_then(|link| link.next);
    let login = require_user::login_leading_to(next.as_ref(), false);
    let why = match why {
        InvalidLink::Used => {
            "It has been used. If that was you, you are signed in where you used it."
        }
        InvalidLink::Expired => {
            "It has expired, or a newer link, a wrong number or a wrong code cancelled it."
        }
    };
    Ok(app.page(Head::titled(title::SPENT), || {
        view! { <SpentPage why=why address=address login=login /> }
    }))
}

/// `POST /confirm/{token}/pick`: lets the waiting browser in.
pub async fn pick(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<Choice>,
) -> Result<Response, PageError> {
    let link = LinkToken::read(&app.keys, &token).ok_or(PageError::Forbidden)?;
    let Ok(number) = form.choice.parse::<Number>() else {
        let problem = "Enter the two-digit number.".to_owned();
        return opened(&app, &visitor, &token, &link, Some(problem)).await;
    };
    let device = match app.links.look(&link).await {
        Ok(opened) => user_agent::words(opened.device.as_ref()).to_owned(),
        Err(error) => return not_opened(&app, &link, error).await,
    };
    if let Err(error) = app.links.pick(&link, number).await {
        if let LinkError::Invalid(_) = error {
            Event::SignInRefused {
                user: None,
                means: Means::Number,
                why: "wrong",
            }
            .record();
        }
        return not_opened(&app, &link, error).await;
    }
    Event::LetIn {
        means: Means::Number,
    }
    .record();
    Ok(app.page(
        Head::titled(title::LET_IN),
        || view! { <LetInPage device=device /> },
    ))
}

#[cfg(test)]
mod tests;
