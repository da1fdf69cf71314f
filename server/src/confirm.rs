//! `/confirm/{token}`: the landing, and the way through it without JavaScript.

use crate::{
    client::ClientOf,
    config,
    cookies::RequestCookies,
    guard::{self, OwnForm},
    links, page,
    room::{self, Full},
    site::{Shared, Site},
};
use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use leptos::prelude::*;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use vestibule::{
    channel::Channel,
    confirmation::Rejection,
    link::LinkToken,
    outcome::Outcome,
    path::LocalPath,
    pending::TokenTag,
    secret::SessionSecret,
    store::BeginError,
    token::Token,
    vestibule::{Pending, Progress},
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

/// The token in the path. What is none is a page that does not exist. Where mail programs or people
/// have left more around it, the answer leads to the address without that.
pub struct TokenPath(pub Token);

/// What stands before a token in a path.
const BEFORE: [&str; 2] = ["/confirm/", "/login/wait/"];

impl FromRequestParts<Shared> for TokenPath {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Response> {
        let not_found = || page::problem(site, StatusCode::NOT_FOUND);
        let path = parts.uri.path();
        let (before, rest) = BEFORE
            .into_iter()
            .find_map(|before| Some((before, path.strip_prefix(before)?)))
            .ok_or_else(not_found)?;
        let (opened, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let opened = percent_decode_str(opened).decode_utf8_lossy();
        let token = Token::within(&opened).ok_or_else(not_found)?;
        let token = LinkToken::within(site.vestibule.keys(), &token).unwrap_or(token);
        if token.expose() == opened {
            return Ok(Self(token));
        }
        // A form that was sent to such an address belongs to the page there.
        let below = if parts.method.is_safe() { below } else { "" };
        let clean: LocalPath = format!("{before}{}{below}", token.expose())
            .parse()
            .map_err(|_| not_found())?;
        Err(page::see_other(&clean))
    }
}

/// `GET /confirm/{token}`: writes nothing, asks nobody.
pub async fn land(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
) -> Response {
    let cookies = site.cookies_of(&headers);
    let session = cookies.session();
    let who = match site.vestibule.recognise(session.as_ref()).await {
        Ok(who) => who,
        Err(error) => return page::store_problem(&site, &error),
    };
    let link = LinkToken::read(site.vestibule.keys(), &token);
    if who.is_some() && has_signed_in(&site, &token, link.as_ref(), session.as_ref()).await {
        return page::see_other(&site.vestibule.destinations().confirmed);
    }
    let kept = links::kept_under(&site, token.clone(), &cookies);
    if let Some(link) = link.as_ref().filter(|_| kept == token) {
        return links::land_elsewhere(&site, &headers, &token, link).await;
    }
    if LinkToken::is_waiting(site.vestibule.keys(), &token) {
        // It was begun when its link was asked for, and is begun no second time: a fresh cookie
        // would spoil the link.
        return page::see(&format!("/login/wait/{}", token.expose()));
    }
    let pending = site
        .vestibule
        .land(&kept, cookies.pending(site.vestibule.keys(), &kept));
    let proof = guard::proof(&site, &headers);
    let set = match landed(&site, &headers, &kept, &pending, &cookies).await {
        Ok(set) => set,
        Err(Full) => return full(&site, &headers, &token),
    };

    let channel = Channel::of(&pending.cookie.secret.hash()).to_string();
    // Whoever has asked for the link wants in by it: that page begins by itself, whatever others
    // do.
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
    let response = page::respond(&site, head, || {
        view! {
            <ConfirmPage signed_in=signed_in>
                <Confirm token channel app_key socket start proof=text poll_seconds />
            </ConfirmPage>
        }
    });
    page::with_cookies(response, set.into_iter().chain(proof.set))
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
    match links::begin(&site, token.clone(), &cookies, form.again.is_some(), client).await {
        Ok(Some(begun)) => {
            let set = set_pending(&site, &begun.token, &begun.pending, &cookies, &[]);
            page::with_cookies(see_wait(&token), set)
        }
        Ok(None) => page::no_cookies(
            &site,
            NoCookies::LINK,
            &format!("/confirm/{}", token.expose()),
        ),
        Err(BeginError::Capped(cap)) => page::capped(&site, cap),
        Err(BeginError::Store(error)) => page::store_problem(&site, &error),
    }
}

/// Nothing but the proof.
#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /confirm/{token}/cancel`.
pub async fn cancel(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
    OwnForm(_): OwnForm<Nothing>,
) -> Response {
    let cookies = site.cookies_of(&headers);
    let token = links::kept_under(&site, token, &cookies);
    match site
        .links
        .cancel(&token, cookies.pending(site.vestibule.keys(), &token))
        .await
    {
        Ok(report) => match report.progress {
            Progress::Done(
                Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. },
            ) => page::see_other(&redirect),
            _ => see_wait(&token),
        },
        Err(error) => page::store_problem(&site, &error),
    }
}

/// `GET /confirm/{token}/wait`: reads the status and refreshes itself until there is an outcome.
pub async fn wait(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
) -> Response {
    let cookies = site.cookies_of(&headers);
    let token = links::kept_under(&site, token, &cookies);
    let shown = cookies.pending(site.vestibule.keys(), &token);
    let report = match site
        .vestibule
        .status(&token, shown, cookies.session().as_ref())
        .await
    {
        Ok(report) => report,
        Err(error) => return page::store_problem(&site, &error),
    };
    if report.progress == Progress::Unknown && shown.is_none() {
        // Without the cookie of a landing nothing can be begun: the landing sets it, and offers to
        // begin.
        return page::see(&format!("/confirm/{}", token.expose()));
    }
    let (state, said) = match report.progress {
        Progress::Done(Outcome::Rejected {
            reason: Rejection::Cancelled,
            ..
        }) => (WaitState::Cancelled, Sentence::Said(sentence::CANCELLED)),
        Progress::Done(Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. }) => {
            return page::see_other(&redirect);
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
    let proof = guard::proof(&site, &headers);
    let path = format!("/confirm/{}", token.expose());
    let text = proof.text;
    let mut response = page::respond(&site, Head::titled(title::WAIT), || {
        view! { <WaitPage token_path=path sentence=said.text() state=state proof=text /> }
    });
    if let Some(seconds) = state.refresh() {
        response
            .headers_mut()
            .insert(header::REFRESH, HeaderValue::from(seconds));
    }
    page::with_cookies(response, proof.set)
}

/// The cookies of a landing.
///
/// # Errors
/// [`Full`] if the browser has too many sign-ins in progress.
pub async fn landed(
    site: &Site,
    headers: &HeaderMap,
    token: &Token,
    pending: &Pending,
    cookies: &RequestCookies,
) -> Result<Vec<HeaderValue>, Full> {
    // A link that another page embeds, as an image perhaps, is not a landing.
    let embedded = headers
        .get("sec-fetch-dest")
        .is_some_and(|destination| destination != "document");
    if embedded || !pending.fresh {
        return Ok(Vec::new());
    }
    let let_go = room::make(
        site,
        headers,
        cookies,
        &TokenTag::each(site.vestibule.keys(), token),
    )
    .await?;
    Ok(set_pending(site, token, pending, cookies, &let_go))
}

/// The landing in a browser that has no room for another sign-in: the page has a link that
/// opens it again, so that the user decides.
pub fn full(site: &Site, headers: &HeaderMap, token: &Token) -> Response {
    let said = if room::is_from_elsewhere(headers) {
        NoCookies::MANY
    } else {
        NoCookies::FULL
    };
    page::no_cookies(site, said, &format!("/confirm/{}", token.expose()))
}

/// The cookies that give a browser a pending secret it does not have yet, in place of those that
/// are `let_go`.
pub fn set_pending(
    site: &Site,
    token: &Token,
    pending: &Pending,
    cookies: &RequestCookies,
    let_go: &[TokenTag],
) -> Vec<HeaderValue> {
    if !pending.fresh {
        return Vec::new();
    }
    let keys = site.vestibule.keys();
    let tags = TokenTag::each(keys, token);
    let value = pending.cookie.encode(keys, token);
    site.cookies.pending(
        &tags,
        value,
        site.vestibule.timing().pending_cookie(),
        cookies,
        let_go,
    )
}

fn see_wait(token: &Token) -> Response {
    page::see(&format!("/confirm/{}/wait", token.expose()))
}
