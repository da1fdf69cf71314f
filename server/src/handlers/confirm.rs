//! `/confirm/{token}`: the landing, and the way through it without JavaScript.

use crate::{
    config,
    handlers::{begin, magic_link},
    http::{
        client_address::ClientOf,
        csrf::OwnForm,
        form::Nothing,
        form_proof,
        pending_room::Full,
        response,
        state::{Shared, Site},
        token_path::TokenPath,
    },
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule::{
    channel::Channel, confirmation::Rejection, link::LinkToken, outcome::Outcome,
    secret::SessionSecret, store::BeginError, token::Token, vestibule::Progress,
};
use vestibule_app::{
    api::Step,
    island::{
        Confirm,
        sentence::{self, Sentence},
        settings::Start,
    },
    pages::{ConfirmPage, NoCookies, WaitPage, WaitState, title},
    shell::Head,
};

/// `GET /confirm/{token}`: writes nothing, calls no other service.
pub async fn land(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
) -> Response {
    let cookies = site.cookies_of(&headers);
    let session = cookies.session();
    let who = match site.vestibule.recognise(session.as_ref()).await {
        Ok(who) => who,
        Err(error) => return response::store_problem(&site, &error),
    };
    let link = LinkToken::read(site.vestibule.keys(), &token);
    if who.is_some() && has_signed_in(&site, &token, link.as_ref(), session.as_ref()).await {
        return response::see_other(&site.vestibule.destinations().confirmed);
    }
    let kept = begin::kept_under(&site, token.clone(), &cookies);
    if let Some(link) = link.as_ref().filter(|_| kept == token) {
        return magic_link::land_elsewhere(&site, &headers, &token, link).await;
    }
    if LinkToken::is_waiting(site.vestibule.keys(), &token) {
        // It was begun when its link was asked for, and must not begin again: a fresh cookie would
        // break the link.
        return response::see(&format!("/login/wait/{}", token.expose()));
    }
    let pending = site
        .vestibule
        .land(&kept, cookies.pending(site.vestibule.keys(), &kept));
    let proof = form_proof::proof(&site, &headers);
    let set = match begin::landed(&site, &headers, &kept, &pending, &cookies).await {
        Ok(set) => set,
        Err(Full) => return begin::full(&site, &headers, &token),
    };

    let channel = Channel::of(&pending.cookie.secret.hash()).to_string();
    // A browser that asked for the link begins by itself, whatever `CONFIRM_START` says.
    let auto = who.is_none() && (site.start == config::Start::Auto || link.is_some());
    let start = if auto { Start::Auto } else { Start::Click };
    let signed_in = who.map(|who| who.user.display_name().to_owned());
    let app_key = site.pusher_key.clone();
    let socket = site.socket.clone();
    let poll_seconds = site.poll_seconds();
    let text = proof.text.unwrap_or_default();
    let token = token.expose().to_owned();
    let head = Head {
        live: true,
        ..Head::titled(title::CONFIRM)
    };
    let response = response::respond(&site, head, || {
        view! {
            <ConfirmPage signed_in=signed_in>
                <Confirm token channel app_key socket start proof=text poll_seconds />
            </ConfirmPage>
        }
    });
    response::with_cookies(response, set.into_iter().chain(proof.set))
}

/// Whether this browser was signed in by the link that it opens once more.
async fn has_signed_in(
    site: &Site,
    token: &Token,
    link: Option<&LinkToken>,
    session: Option<&SessionSecret>,
) -> bool {
    let waited = link
        .map(|link| link.waiting_each(site.vestibule.keys()))
        .unwrap_or_default();
    for token in std::iter::once(token).chain(&waited) {
        if site
            .vestibule
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
pub struct Begin {
    again: Option<String>,
}

/// `POST /confirm/{token}`: the form's `begin`.
pub async fn begin(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    ClientOf(client): ClientOf,
    headers: HeaderMap,
    OwnForm(form): OwnForm<Begin>,
) -> Response {
    let cookies = site.cookies_of(&headers);
    match begin::begin(&site, token.clone(), &cookies, form.again.is_some(), client).await {
        Ok(Some(begun)) => {
            let set = begin::set_pending(&site, &begun.token, &begun.pending, &cookies, &[]);
            response::with_cookies(see_wait(&token), set)
        }
        Ok(None) => response::no_cookies(
            &site,
            NoCookies::LINK,
            &format!("/confirm/{}", token.expose()),
        ),
        Err(BeginError::Capped(cap)) => response::capped(&site, cap),
        Err(BeginError::Store(error)) => response::store_problem(&site, &error),
    }
}

/// `POST /confirm/{token}/cancel`.
pub async fn cancel(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
    OwnForm(_): OwnForm<Nothing>,
) -> Response {
    let cookies = site.cookies_of(&headers);
    let token = begin::kept_under(&site, token, &cookies);
    match site
        .links
        .cancel(&token, cookies.pending(site.vestibule.keys(), &token))
        .await
    {
        Ok(report) => match report.progress {
            Progress::Done(
                Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. },
            ) => response::see_other(&redirect),
            _ => see_wait(&token),
        },
        Err(error) => response::store_problem(&site, &error),
    }
}

/// `GET /confirm/{token}/wait`: reads the status and refreshes itself until there is an outcome.
pub async fn wait(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
) -> Response {
    let cookies = site.cookies_of(&headers);
    let token = begin::kept_under(&site, token, &cookies);
    let shown = cookies.pending(site.vestibule.keys(), &token);
    let report = match site
        .vestibule
        .status(&token, shown, cookies.session().as_ref())
        .await
    {
        Ok(report) => report,
        Err(error) => return response::store_problem(&site, &error),
    };
    if report.progress == Progress::Unknown && shown.is_none() {
        // Without the cookie of a landing nothing can be begun: the landing sets it, and offers to
        // begin.
        return response::see(&format!("/confirm/{}", token.expose()));
    }
    let (state, said) = match report.progress {
        Progress::Done(Outcome::Rejected {
            reason: Rejection::Cancelled,
            ..
        }) => (WaitState::Cancelled, Sentence::Said(sentence::CANCELLED)),
        Progress::Done(Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. }) => {
            return response::see_other(&redirect);
        }
        Progress::Done(Outcome::Unavailable) => (
            WaitState::Unavailable,
            Sentence::Said(sentence::UNAVAILABLE),
        ),
        Progress::Unknown => (WaitState::Ready, Sentence::Said(sentence::READY)),
        Progress::Queued => (WaitState::Waiting, Sentence::Waiting(Step::Queued)),
        Progress::Contacting => (WaitState::Waiting, Sentence::Waiting(Step::Contacting)),
        Progress::Retrying { attempt } => (
            WaitState::Waiting,
            Sentence::Waiting(Step::Retrying { attempt }),
        ),
    };
    let proof = form_proof::proof(&site, &headers);
    let path = format!("/confirm/{}", token.expose());
    let text = proof.text;
    let mut response = response::respond(&site, Head::titled(title::WAIT), || {
        view! { <WaitPage token_path=path sentence=said.text() state=state proof=text /> }
    });
    if let Some(seconds) = state.refresh() {
        response
            .headers_mut()
            .insert(header::REFRESH, HeaderValue::from(seconds));
    }
    response::with_cookies(response, proof.set)
}

fn see_wait(token: &Token) -> Response {
    response::see(&format!("/confirm/{}/wait", token.expose()))
}
