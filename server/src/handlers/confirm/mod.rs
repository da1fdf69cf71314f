//! `/confirm/{token}`: the landing, and the way through it without JavaScript.

use crate::{
    config,
    handlers::{approve, begin},
    http::{
        csrf::SameOriginForm,
        error::PageError,
        form::Nothing,
        form_proof, response,
        state::{App, AppState},
        token_path::TokenPath,
        visitor::Visitor,
    },
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderValue, header},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule::{
    channel::Channel,
    confirmation::Rejection,
    link::LinkToken,
    outcome::Outcome,
    secret::SessionSecret,
    sign_ins::{Progress, Step},
    token::Token,
};
use vestibule_app::{
    island::{
        Confirm, Landing,
        sentence::{self, Sentence},
        settings::{Settings, StartMode},
    },
    pages::{ConfirmPage, NoCookies, WaitPage, WaitState, description, title},
    shell::Head,
};

/// The query of a link.
#[derive(Default, Deserialize)]
pub struct LandingQuery {
    /// Where the sign-in leads.
    pub next: Option<String>,
}

/// What a browser finds that opens a link.
pub enum Opened {
    /// A landing.
    Landed(Box<Landed>),
    /// Another page than that.
    Instead(Response),
}

/// A landing, for the page that has the island.
pub struct Landed {
    /// What the island needs to know.
    pub landing: Landing,
    /// What the user is called who is signed in here already.
    pub signed_in: Option<String>,
    /// The cookies of the response.
    pub cookies: Vec<HeaderValue>,
}

/// Opens `token` in this browser: writes nothing, calls no other service.
pub async fn open(
    app: &AppState,
    visitor: &Visitor,
    token: Token,
    next: Option<&str>,
) -> Result<Opened, PageError> {
    let next = next.and_then(|next| app.way_back(next));
    let session = visitor.session();
    let who = app.sign_ins.recognise(session.as_ref()).await?;
    let link = LinkToken::read(&app.keys, &token);
    if who.is_some() && has_signed_in(app, &token, link.as_ref(), session.as_ref()).await {
        let redirect = app.destinations().confirmed_for(next.as_ref());
        return Ok(Opened::Instead(response::see_other(&redirect)));
    }
    let kept = begin::kept_under(app, visitor, token.clone());
    if let Some(link) = &link
        && kept == token
    {
        let page = approve::land(app, visitor, &token, link).await?;
        return Ok(Opened::Instead(page));
    }
    if LinkToken::is_waiting(&app.keys, &token) {
        // It was begun when its link was asked for, and must not begin again: a fresh cookie would
        // break the link.
        let waiting = response::see(&format!("/login/wait/{}", token.expose()));
        return Ok(Opened::Instead(waiting));
    }
    let pending = app.sign_ins.land(&kept, visitor.pending(&kept));
    let proof = form_proof::proof(app.sign_ins.entropy(), visitor);
    let set = begin::landed(app, visitor, &kept, &pending)
        .await
        .map_err(|_| begin::full(visitor, &token))?;

    // A browser that asked for the link begins by itself, whatever `CONFIRM_START` says.
    let auto = who.is_none() && (app.start == config::BeginMode::Auto || link.is_some());
    let start = if auto {
        StartMode::Auto
    } else {
        StartMode::Click
    };
    let channel = Channel::of(&pending.cookie.secret.hash()).to_string();
    Ok(Opened::Landed(Box::new(Landed {
        landing: Landing {
            settings: app.island(&token, channel, start, next.as_ref()),
            form_token: proof.text.unwrap_or_default(),
        },
        signed_in: who.map(|who| who.user.display_name().to_owned()),
        cookies: set.into_iter().chain(proof.set).collect(),
    })))
}

/// `GET /confirm/{token}`.
pub async fn land(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
    query: Result<Query<LandingQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(LandingQuery { next }) = query.unwrap_or_default();
    let landed = match open(&app, &visitor, token, next.as_deref()).await? {
        Opened::Landed(landed) => *landed,
        Opened::Instead(page) => return Ok(page),
    };
    let Landed {
        landing,
        signed_in,
        cookies,
    } = landed;
    let head = Head {
        live: true,
        ..Head::titled(title::CONFIRM).described(description::CONFIRM)
    };
    // Most landings differ in these values alone.
    let settings = &landing.settings;
    let is_usual = settings.next.is_none() && signed_in.is_none();
    let values = [&settings.token, &settings.channel, &landing.form_token];
    let view = |[token, channel, form_token]: [String; 3]| {
        provide_context(Landing {
            settings: Settings {
                token,
                channel,
                ..settings.clone()
            },
            form_token,
        });
        let signed_in = signed_in.clone();
        view! {
            <ConfirmPage signed_in=signed_in>
                <Confirm />
            </ConfirmPage>
        }
    };
    let page = if is_usual {
        let template = &app.landings[usize::from(settings.start == StartMode::Auto)];
        app.pages
            .page_of(template, head, values.map(String::as_str), view)
    } else {
        app.page(head, || view(values.map(String::clone)))
    };
    Ok(response::with_cookies(page, cookies))
}

/// Whether this browser was signed in by the link that it opens once more.
async fn has_signed_in(
    app: &AppState,
    token: &Token,
    link: Option<&LinkToken>,
    session: Option<&SessionSecret>,
) -> bool {
    let waited = link
        .map(|link| link.waiting_each(&app.keys))
        .unwrap_or_default();
    for token in std::iter::once(token).chain(&waited) {
        if app
            .sign_ins
            .came_from(token, session)
            .await
            .unwrap_or(false)
        {
            return true;
        }
    }
    false
}

/// The fields of the Continue form.
#[derive(Deserialize)]
pub struct BeginForm {
    again: Option<String>,
    next: Option<String>,
}

/// `POST /confirm/{token}`: the form's `begin`.
pub async fn begin(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<BeginForm>,
) -> Result<Response, PageError> {
    let next = form.next.and_then(|next| app.way_back(&next));
    let again = form.again.is_some();
    let begun = begin::begin(&app, &visitor, token.clone(), again, next.as_ref()).await?;
    let landing = format!("/confirm/{}", token.expose());
    let begun = begun.ok_or_else(|| PageError::no_cookies(NoCookies::LINK, landing))?;
    let set = begin::set_pending(&app, &visitor, &begun.token, &begun.pending, &[]);
    Ok(response::with_cookies(see_wait(&token), set))
}

/// `POST /confirm/{token}/cancel`.
pub async fn cancel(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
    SameOriginForm(_): SameOriginForm<Nothing>,
) -> Result<Response, PageError> {
    let token = begin::kept_under(&app, &visitor, token);
    let report = app.links.cancel(&token, visitor.pending(&token)).await?;
    Ok(match report.progress {
        Progress::Done(Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. }) => {
            response::see_other(&redirect)
        }
        _ => see_wait(&token),
    })
}

/// `GET /confirm/{token}/wait`: reads the status and refreshes itself until there is an outcome.
pub async fn wait(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let token = begin::kept_under(&app, &visitor, token);
    let shown = visitor.pending(&token);
    let session = visitor.session();
    let report = app.sign_ins.status(&token, shown, session.as_ref()).await?;
    if report.progress == Progress::Unknown && shown.is_none() {
        // Without the cookie of a landing nothing can be begun: the landing sets it, and offers to
        // begin.
        return Ok(response::see(&format!("/confirm/{}", token.expose())));
    }
    let (state, said) = match report.progress {
        Progress::Done(Outcome::Rejected {
            reason: Rejection::Cancelled,
            ..
        }) => (WaitState::Cancelled, Sentence::Fixed(sentence::CANCELLED)),
        Progress::Done(Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. }) => {
            return Ok(response::see_other(&redirect));
        }
        Progress::Done(Outcome::Unavailable) => (
            WaitState::Unavailable,
            Sentence::Fixed(sentence::UNAVAILABLE),
        ),
        Progress::Unknown => (WaitState::Ready, Sentence::Fixed(sentence::READY)),
        Progress::Waiting(step @ Step::Later { .. }) => (WaitState::Later, Sentence::Waiting(step)),
        Progress::Waiting(step) => (WaitState::Waiting, Sentence::Waiting(step)),
    };
    let path = format!("/confirm/{}", token.expose());
    let mut page = app.form_page(&visitor, Head::titled(title::WAIT), false, || {
        view! { <WaitPage token_path=path sentence=said.text() state=state /> }
    });
    if let Some(seconds) = state.refresh() {
        page.headers_mut()
            .insert(header::REFRESH, HeaderValue::from(seconds));
    }
    Ok(page)
}

fn see_wait(token: &Token) -> Response {
    response::see(&format!("/confirm/{}/wait", token.expose()))
}

#[cfg(test)]
mod tests;
