//! Links by mail: asking for one, waiting for it, and opening it on another device.

use crate::{
    accounts::user_agent::{self, device},
    handlers::{after_sign_in, begin, login, require_user},
    http::{
        client_address::ClientOf,
        csrf::OwnForm,
        form::{Choice, Nothing},
        pending_room::{self, Full},
        response, return_path,
        state::{Shared, Site},
        time_format::utc,
        token_path::TokenPath,
    },
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use std::sync::Arc;
use tracing::Instrument as _;
use vestibule::{
    audit::{Event, Means},
    caps::Client,
    email_address::Address,
    link::{
        Alarm, Ask, Asker, Browser, Code, GUESSES, Guess, Guessed, LIFETIME, Link, LinkToken,
        Number, Opened, Spent, WrongCode,
    },
    mail::News,
    outcome::Outcome,
    path::LocalPath,
    store::BeginError,
    token::Token,
    user::PASSWORD_ISSUER,
    vestibule::Progress,
};
use vestibule_app::{
    island::{Confirm, settings::Start},
    pages::{LetInPage, LinkPage, MailboxPage, MailedPage, NoCookies, SpentPage, title},
    shell::Head,
};

/// The fields of the form that asks for a link.
#[derive(Deserialize)]
pub struct AskForm {
    email: String,
    next: Option<String>,
    choice: Option<String>,
}

/// The field of the form for the code.
#[derive(Deserialize)]
pub struct Typed {
    code: String,
}

/// `POST /login/link`: has a link sent.
pub async fn ask(
    State(site): State<Shared>,
    ClientOf(client): ClientOf,
    headers: HeaderMap,
    OwnForm(form): OwnForm<AskForm>,
) -> Response {
    if site.outbox.is_none() {
        return response::problem(&site, StatusCode::NOT_FOUND);
    }
    let address: Address = match form.email.parse() {
        Ok(address) => address,
        Err(error) => {
            return login::wrong_address(&site, &headers, form.email, form.next.as_deref(), error);
        }
    };
    // The button says where to, or else where they came from.
    let next = form
        .choice
        .or(form.next)
        .as_deref()
        .and_then(return_path::way_back);
    send(&site, &headers, client, address, next).await
}

async fn send(
    site: &Shared,
    headers: &HeaderMap,
    client: Client,
    address: Address,
    next: Option<LocalPath>,
) -> Response {
    let cookies = site.cookies_of(headers);
    let Ok(let_go) = pending_room::make(site, headers, &cookies, &[]).await else {
        return response::too_many_here(site);
    };
    let known = match login::is_known(site, headers, address.as_str()).await {
        Ok(known) => known,
        Err(error) => return response::store_problem(site, &error),
    };
    // What proofs are bound to is the browser's own, and each browser has it from the page with the
    // form.
    let asker = Asker {
        client,
        browser: cookies.form().map(Browser::new),
        known,
    };
    match site
        .links
        .request(Ask {
            address,
            device: device(headers),
            next,
            asker,
        })
        .await
    {
        Ok(requested) => {
            let wait = response::see(&format!("/login/wait/{}", requested.token.expose()));
            let set = begin::set_pending(
                site,
                &requested.token,
                &requested.pending,
                &cookies,
                &let_go,
            );
            response::with_cookies(wait, set)
        }
        Err(BeginError::Capped(cap)) => {
            Event::TooOften {
                what: "link",
                user: None,
            }
            .record();
            response::capped(site, cap)
        }
        Err(BeginError::Store(error)) => response::store_problem(site, &error),
    }
}

/// `GET /login/wait/{token}`: the page that waits for its link.
pub async fn wait(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
    tried: Result<Query<Tried>, QueryRejection>,
) -> Response {
    let Query(tried) = tried.unwrap_or_default();
    waiting(&site, &headers, &token, tried).await
}

/// The query of the page that waits: what became of a code that was typed there. The form leads
/// back here by it, so that a reload does not spend another guess.
#[derive(Default, Deserialize)]
pub struct Tried {
    code: Option<String>,
}

impl Tried {
    /// The address of the page that waits under this token, after a code.
    fn path(token: &Token, code: &str) -> String {
        format!("/login/wait/{}?code={code}", token.expose())
    }

    /// The message about the code.
    fn problem(&self, link: &Link) -> Option<String> {
        match (self.code.as_deref()?, GUESSES.saturating_sub(link.guesses)) {
            ("unread", _) => Some("Enter the six-digit code.".to_owned()),
            ("wrong", 1) => Some("That is not the code. You can try one more time.".to_owned()),
            ("wrong", left @ 2..GUESSES) => Some(format!(
                "That is not the code. You can try {left} more times."
            )),
            _ => None,
        }
    }
}

async fn waiting(site: &Shared, headers: &HeaderMap, token: &Token, tried: Tried) -> Response {
    let cookies = site.cookies_of(headers);
    let shown = cookies.pending(site.vestibule.keys(), token);
    let status = site
        .vestibule
        .status(token, shown, cookies.session().as_ref())
        .await;
    let link = site.links.waited_for(token, shown).await;
    let (report, link) = match (status, link) {
        (Ok(report), Ok(link)) => (report, link),
        (Err(error), _) | (_, Err(error)) => return response::store_problem(site, &error),
    };
    if let Progress::Done(Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. }) =
        &report.progress
    {
        return response::see_other(redirect);
    }
    let Some(link) = link else {
        if shown.is_none() && LinkToken::is_waiting(site.vestibule.keys(), token) {
            return response::no_cookies(site, NoCookies::MAILED, "/login");
        }
        // A page from long ago.
        return response::see_other(&site.vestibule.destinations().login);
    };
    let channel = report
        .channel
        .map(|channel| channel.to_string())
        .unwrap_or_default();
    let app_key = site.pusher_key.clone();
    let socket = site.socket.clone();
    let poll_seconds = site.poll_seconds();
    let path = format!("/login/wait/{}", token.expose());
    let problem = tried.problem(&link);
    let practice = site.mailbox.is_some();
    let minutes = LIFETIME.as_secs() / 60;
    let resend_in = response::seconds(link.resend_in(site.vestibule.now()));
    let address = link.address.as_str().to_owned();
    let number = link.number.value();
    let token = token.expose().to_owned();
    let head = Head {
        live: true,
        ..Head::titled(title::MAILED)
    };
    response::form(site, headers, head, false, |proof| {
        let island_proof = proof.clone().unwrap_or_default();
        view! {
            <MailedPage
                path=path
                address=address
                minutes=minutes
                number=number
                practice=practice
                problem=problem
                resend_in=resend_in
                proof=proof
            >
                <Confirm token channel app_key socket start=Start::Mail proof=island_proof poll_seconds />
            </MailedPage>
        }
    })
}

/// `POST /login/wait/{token}/code`.
pub async fn code(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
    OwnForm(form): OwnForm<Typed>,
) -> Response {
    let Ok(code) = form.code.parse::<Code>() else {
        return response::see(&Tried::path(&token, "unread"));
    };
    let cookies = site.cookies_of(&headers);
    let shown = cookies.pending(site.vestibule.keys(), &token);
    let Guess { came_to, wrong } = match site.links.guess(&token, shown, &code).await {
        Ok(guess) => guess,
        Err(error) => return response::store_problem(&site, &error),
    };
    if let Some(wrong) = wrong {
        // Not waited for: the time it takes would reveal whether the address belongs to a user.
        let site = Arc::clone(&site);
        let headers = headers.clone();
        tokio::spawn(async move { tell_of(&site, &headers, &wrong).await }.in_current_span());
    }
    if came_to == Guessed::Right {
        Event::LetIn { means: Means::Code }.record();
    }
    match came_to {
        Guessed::Wrong { .. } => response::see(&Tried::path(&token, "wrong")),
        // The page shows the outcome.
        Guessed::Right | Guessed::Spent(_) => {
            response::see(&format!("/login/wait/{}", token.expose()))
        }
    }
}

/// A wrong code was typed: it is noted, and where it is too many, the address's owner is told.
async fn tell_of(site: &Site, headers: &HeaderMap, wrong: &WrongCode) {
    let user = match site
        .vestibule
        .store()
        .user_by_identity(PASSWORD_ISSUER, wrong.address.as_str())
        .await
    {
        Ok(user) => user,
        Err(error) => return tracing::warn!(%error, "it could not be told whose code was guessed"),
    };
    let why = if wrong.alarm == Some(Alarm::Off) {
        "codes_off"
    } else {
        "wrong"
    };
    Event::SignInRefused {
        user: user.as_ref().map(|user| user.id),
        means: Means::Code,
        why,
    }
    .record();
    if let (Some(user), Some(alarm)) = (user.filter(|user| !user.disabled), wrong.alarm) {
        after_sign_in::tell(
            site,
            headers,
            &user,
            News::WrongCodes {
                off: alarm == Alarm::Off,
            },
        )
        .await;
    }
}

/// `POST /login/wait/{token}/again`: has another link sent to the same address.
pub async fn again(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    ClientOf(client): ClientOf,
    headers: HeaderMap,
    OwnForm(_): OwnForm<Nothing>,
) -> Response {
    let cookies = site.cookies_of(&headers);
    match site
        .links
        .waited_for(&token, cookies.pending(site.vestibule.keys(), &token))
        .await
    {
        Ok(Some(link)) => {
            let left = link.resend_in(site.vestibule.now());
            if left.is_zero() {
                return send(&site, &headers, client, link.address, link.next).await;
            }
            response::too_often(
                waiting(&site, &headers, &token, Tried::default()).await,
                left,
            )
        }
        Ok(None) => response::see_other(&site.vestibule.destinations().login),
        Err(error) => response::store_problem(&site, &error),
    }
}

/// The landing of a link of ours in a browser that did not ask for it: writes nothing.
pub async fn land_elsewhere(
    site: &Shared,
    headers: &HeaderMap,
    token: &Token,
    link: &LinkToken,
) -> Response {
    opened(site, headers, token, link, None).await
}

/// The page of a link that was opened elsewhere, and what is wrong with the number that was typed
/// into it.
async fn opened(
    site: &Shared,
    headers: &HeaderMap,
    token: &Token,
    link: &LinkToken,
    problem: Option<String>,
) -> Response {
    let opened = match site.links.look(link).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(spent)) => return self::spent(site, link, spent).await,
        Err(error) => return response::store_problem(site, &error),
    };
    let path = format!("/confirm/{}", token.expose());
    let Opened {
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
    let cookies = site.cookies_of(headers);
    let pending = site
        .vestibule
        .land(token, cookies.pending(site.vestibule.keys(), token));
    let set = match begin::landed(site, headers, token, &pending, &cookies).await {
        Ok(set) => set,
        Err(Full) => return begin::full(site, headers, token),
    };
    let page = response::form(site, headers, Head::titled(title::LINK), failed, |proof| {
        view! {
            <LinkPage
                token_path=path
                address=address
                device=device
                asked=asked
                waited_for=waited_for
                problem=problem
                proof=proof
            />
        }
    });
    response::with_cookies(page, set)
}

async fn spent(site: &Shared, link: &LinkToken, spent: Spent) -> Response {
    let link = match site.links.kept(link).await {
        Ok(link) => link,
        Err(error) => return response::store_problem(site, &error),
    };
    // A stranger who finds an old link must not learn whose it was.
    let address = link.as_ref().map(|link| link.address.masked());
    let login = require_user::login_leading_to(
        site,
        link.and_then(|link| link.next)
            .as_ref()
            .map(LocalPath::as_str),
    );
    let why = match spent {
        Spent::Used => "It has been used. If that was you, you are signed in where you used it.",
        Spent::Expired => {
            "It has expired, or was taken back: by a newer one, or by a wrong number or code."
        }
    };
    response::respond(site, Head::titled(title::SPENT), || {
        view! { <SpentPage why=why address=address login=login.to_string() /> }
    })
}

/// `POST /confirm/{token}/pick`: lets the waiting browser in.
pub async fn pick(
    State(site): State<Shared>,
    TokenPath(token): TokenPath,
    headers: HeaderMap,
    OwnForm(form): OwnForm<Choice>,
) -> Response {
    let link = LinkToken::read(site.vestibule.keys(), &token);
    let Some(link) = link else {
        return response::problem(&site, StatusCode::FORBIDDEN);
    };
    let Ok(number) = form.choice.parse::<Number>() else {
        let problem = "Enter the two-digit number.".to_owned();
        return opened(&site, &headers, &token, &link, Some(problem)).await;
    };
    let device = match site.links.look(&link).await {
        Ok(Ok(opened)) => user_agent::words(opened.device.as_ref()).to_owned(),
        Ok(Err(spent)) => return self::spent(&site, &link, spent).await,
        Err(error) => return response::store_problem(&site, &error),
    };
    let picked = site.links.pick(&link, number).await;
    match &picked {
        Ok(Ok(())) => Event::LetIn {
            means: Means::Number,
        }
        .record(),
        Ok(Err(_)) => Event::SignInRefused {
            user: None,
            means: Means::Number,
            why: "wrong",
        }
        .record(),
        Err(_) => {}
    }
    match picked {
        Ok(Ok(())) => response::respond(
            &site,
            Head::titled(title::LET_IN),
            || view! { <LetInPage device=device /> },
        ),
        Ok(Err(spent)) => self::spent(&site, &link, spent).await,
        Err(error) => response::store_problem(&site, &error),
    }
}

/// `GET /practice/mail`. Its links lead to the name of this machine that the browser knows it by:
/// under another, a browser that has asked for one shows other cookies.
pub async fn mailbox(State(site): State<Shared>, headers: HeaderMap) -> Response {
    let Some(mailbox) = &site.mailbox else {
        return response::problem(&site, StatusCode::NOT_FOUND);
    };
    let mut mails = mailbox.mails();
    let host = headers.get(header::HOST);
    if let Some(asked) = site
        .origins
        .iter()
        .find(|origin| host.is_some_and(|host| host == origin.host()))
    {
        for (url, _) in mails.iter_mut().filter_map(|mail| mail.action.as_mut()) {
            if let Some(path) = url.strip_prefix(site.origins[0].as_str()) {
                *url = format!("{}{path}", asked.as_str());
            }
        }
    }
    response::respond(
        &site,
        Head::titled(title::MAILBOX),
        || view! { <MailboxPage mails=mails /> },
    )
}
