//! Links by mail: asking for one, waiting for it, and the code in the mail.

use crate::{
    handlers::{after_sign_in, begin, login},
    http::{
        csrf::SameOriginForm,
        error::PageError,
        form::Nothing,
        pending_limit, response,
        state::{App, AppState},
        token_path::TokenPath,
        visitor::Visitor,
    },
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use tracing::Instrument as _;
use vestibule::{
    audit::{Event, Means},
    email_address::Address,
    link::{
        Alarm, Ask, Asker, Browser, Code, GUESSES, Guess, Guessed, LIFETIME, Link, LinkToken,
        WrongCode,
    },
    mail::AccountNotice,
    outcome::Outcome,
    path::LocalPath,
    sign_ins::Progress,
    store::BeginError,
    token::Token,
    user::PASSWORD_ISSUER,
};
use vestibule_app::{
    form_token::FormToken,
    island::{Confirm, Landing, settings::StartMode},
    pages::{MailedLink, MailedPage, NoCookies, title},
    shell::Head,
};

/// The fields of the form that asks for a link.
#[derive(Deserialize)]
pub struct LinkForm {
    email: String,
    next: Option<String>,
    choice: Option<String>,
}

/// The field of the form for the code.
#[derive(Deserialize)]
pub struct CodeForm {
    code: String,
}

/// `POST /login/link`: has a link sent.
pub async fn ask(
    State(app): State<App>,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<LinkForm>,
) -> Result<Response, PageError> {
    if app.outbox.is_none() {
        return Err(PageError::NotFound);
    }
    let address: Address = match form.email.parse() {
        Ok(address) => address,
        Err(error) => {
            let next = form.next.as_deref();
            return Ok(login::wrong_address(
                &app, &visitor, form.email, next, error,
            ));
        }
    };
    // The button says where to, or else where they came from.
    let next = form
        .choice
        .or(form.next)
        .as_deref()
        .and_then(|next| app.way_back(next));
    send(&app, &visitor, address, next).await
}

async fn send(
    app: &AppState,
    visitor: &Visitor,
    address: Address,
    next: Option<LocalPath>,
) -> Result<Response, PageError> {
    // No link is at hand that could be opened again.
    let let_go = pending_limit::make(app, visitor, &[])
        .await
        .map_err(|_| PageError::no_cookies(NoCookies::FULL, "/login"))?;
    let known = login::is_known(app, visitor, address.as_str()).await?;
    // What proofs are bound to is the browser's own, and each browser has it from the page with the
    // form.
    let asker = Asker {
        client: visitor.client,
        browser: visitor.cookies.form().map(Browser::new),
        known,
    };
    let ask = Ask {
        address,
        device: visitor.device(),
        next,
        asker,
    };
    let requested = app.links.request(ask).await.inspect_err(|error| {
        if let BeginError::Capped(_) = error {
            Event::TooOften {
                what: "link",
                user: None,
            }
            .record();
        }
    })?;
    let token = &requested.token;
    let set = begin::set_pending(app, visitor, token, &requested.pending, &let_go);
    Ok(response::with_cookies(see_wait(token), set))
}

fn see_wait(token: &Token) -> Response {
    response::see(&format!("/login/wait/{}", token.expose()))
}

/// `GET /login/wait/{token}`: the page that waits for its link.
pub async fn wait(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
    tried: Result<Query<CodeQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(tried) = tried.unwrap_or_default();
    waiting(&app, &visitor, &token, tried).await
}

/// The query of the page that waits: what became of a code that was typed there. The form leads
/// back here by it, so that a reload does not spend another guess.
#[derive(Default, Deserialize)]
pub struct CodeQuery {
    code: Option<String>,
}

impl CodeQuery {
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

async fn waiting(
    app: &AppState,
    visitor: &Visitor,
    token: &Token,
    tried: CodeQuery,
) -> Result<Response, PageError> {
    let shown = visitor.pending(token);
    let session = visitor.session();
    let report = app.sign_ins.status(token, shown, session.as_ref()).await?;
    let link = app.links.waited_for(token, shown).await?;
    if let Progress::Done(Outcome::Confirmed { redirect } | Outcome::Rejected { redirect, .. }) =
        &report.progress
    {
        return Ok(response::see_other(redirect));
    }
    let Some(link) = link else {
        if shown.is_none() && LinkToken::is_waiting(&app.keys, token) {
            return Err(PageError::no_cookies(NoCookies::MAILED, "/login"));
        }
        // A page from long ago.
        return Ok(response::see_other(&app.destinations().login));
    };
    let channel = report
        .channel
        .map(|channel| channel.to_string())
        .unwrap_or_default();
    let settings = app.island(token, channel, StartMode::Mail, None);
    let mailed = MailedLink {
        path: format!("/login/wait/{}", token.expose()),
        address: link.address.as_str().to_owned(),
        minutes: LIFETIME.as_secs() / 60,
        number: link.number.value(),
        practice: app.mailbox.is_some(),
        problem: tried.problem(&link),
        resend_in: response::seconds(link.resend_in(app.sign_ins.now())),
    };
    let head = Head {
        live: true,
        ..Head::titled(title::MAILED)
    };
    let page = app.form_page(visitor, head, false, || {
        provide_context(Landing {
            settings,
            form_token: FormToken::of_page().unwrap_or_default(),
        });
        view! {
            <MailedPage link=mailed>
                <Confirm />
            </MailedPage>
        }
    });
    Ok(page)
}

/// `POST /login/wait/{token}/code`.
pub async fn code(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<CodeForm>,
) -> Result<Response, PageError> {
    let Ok(code) = form.code.parse::<Code>() else {
        return Ok(response::see(&CodeQuery::path(&token, "unread")));
    };
    let shown = visitor.pending(&token);
    let Guess { came_to, wrong } = app.links.guess(&token, shown, &code).await?;
    if let Some(wrong) = wrong {
        // Not waited for: the time it takes would reveal whether the address belongs to a user.
        let app = app.clone();
        let visitor = visitor.clone();
        tokio::spawn(async move { tell_of(&app, &visitor, &wrong).await }.in_current_span());
    }
    if came_to == Guessed::Right {
        Event::LetIn { means: Means::Code }.record();
    }
    Ok(match came_to {
        Guessed::Wrong { .. } => response::see(&CodeQuery::path(&token, "wrong")),
        // The page shows the outcome.
        Guessed::Right | Guessed::Invalid(_) => see_wait(&token),
    })
}

/// A wrong code was typed: it is noted, and where it is too many, the address's owner is told.
async fn tell_of(app: &AppState, visitor: &Visitor, wrong: &WrongCode) {
    let user = match app
        .sign_ins
        .stores()
        .users
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
        let off = alarm == Alarm::Off;
        after_sign_in::tell(app, visitor, &user, AccountNotice::WrongCodes { off }).await;
    }
}

/// `POST /login/wait/{token}/again`: has another link sent to the same address.
pub async fn again(
    State(app): State<App>,
    TokenPath(token): TokenPath,
    visitor: Visitor,
    SameOriginForm(_): SameOriginForm<Nothing>,
) -> Result<Response, PageError> {
    let link = app
        .links
        .waited_for(&token, visitor.pending(&token))
        .await?;
    let Some(link) = link else {
        return Ok(response::see_other(&app.destinations().login));
    };
    let left = link.resend_in(app.sign_ins.now());
    if left.is_zero() {
        return send(&app, &visitor, link.address, link.next).await;
    }
    let page = waiting(&app, &visitor, &token, CodeQuery::default()).await?;
    Ok(response::too_often(page, left))
}

#[cfg(test)]
mod tests;
