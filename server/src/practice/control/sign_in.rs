//! `POST /practice/sign-in`: the cookies of a browser that has just signed in.
//!
//! The session is begun, confirmed by a verdict and exchanged as any other: there is no second way
//! to make one.

use super::{Control, ControlProblem};
use crate::{
    config::origin::Origin,
    http::{state::App, visitor::Visitor},
    practice::script::{ScriptedAnswer, ada},
};
use axum::{
    Json,
    extract::{FromRequestParts as _, State, rejection::JsonRejection},
    http::{HeaderValue, Request},
};
use cookie::Cookie;
use serde::Deserialize;
use serde_json::{Value, json};
use vestibule::{
    audit::{Event, Means},
    caps::Client,
    clock::{Clock as _, SystemClock},
    entry::{Entry, PresentedSecrets, SignIn},
    pending::TokenTag,
    secret::random,
    sign_ins::SignIns,
    token::Token,
    user::{Identity, User},
    validator::Answer,
};

/// Who signs in: an identity as a validator says it. Its issuer is practice mode's unless another
/// is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInBody {
    subject: String,
    issuer: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

pub async fn sign_in(
    State(control): State<Control>,
    body: Result<Json<SignInBody>, JsonRejection>,
) -> Result<Json<Value>, ControlProblem> {
    let Json(body) = body?;
    let verdict = verdict(body);
    let answer = Answer::read(verdict.to_string().as_bytes())
        .map_err(|error| ControlProblem::invalid(error.to_string()))?;
    let sign_in = confirmed(&control, verdict, answer).await?;
    let cookies = cookies(&control.app, &sign_in).await;
    Ok(Json(
        json!({ "cookies": cookies, "user": object(&sign_in.who.user) }),
    ))
}

/// What the validator says of the token of this sign-in.
fn verdict(body: SignInBody) -> Value {
    let SignInBody {
        subject,
        issuer,
        name,
        email,
    } = body;
    let issuer = issuer.map_or_else(|| ada()["issuer"].clone(), Value::from);
    let identity = json!({ "issuer": issuer, "subject": subject, "name": name, "email": email });
    json!({ "verdict": "valid", "identity": identity })
}

/// Lands and begins with a token of its own, confirms it, and enters.
async fn confirmed(
    control: &Control,
    verdict: Value,
    answer: Answer,
) -> Result<SignIn, ControlProblem> {
    let entropy = control.app.sign_ins.entropy();
    let number = u128::from_be_bytes(random(entropy));
    let token: Token = format!("practice-sign-in-{number:032x}")
        .parse()
        .expect("these are characters of a token");
    let script = &control.tools.script;
    // The worker may ask about it at any moment, and is told the same.
    script.set(&token, vec![ScriptedAnswer::verdict(verdict)]);
    let entered = enter(&control.app.sign_ins, &token, answer).await;
    script.forget(&token);
    match entered? {
        Entry::SignedIn(sign_in) => Ok(sign_in),
        Entry::SignedOut | Entry::ChooseAccount { .. } => {
            Err(ControlProblem::conflict("this user is disabled"))
        }
    }
}

async fn enter(sign_ins: &SignIns, token: &Token, answer: Answer) -> Result<Entry, ControlProblem> {
    let keys = sign_ins.keys();
    let landed = sign_ins.land(token, None).cookie.encode(keys, token);
    // A client of its own: what a test signs in takes no room from its browsers.
    let client = Client::from_bytes(random(sign_ins.entropy()));
    let (pending, _) = sign_ins
        .begin(token, Some(&landed), false, client, None)
        .await?;
    let secret = pending.cookie.secret;
    let confirmations = &sign_ins.stores().confirmations;
    let begun = confirmations.confirmation_by_secret(&secret.hash()).await?;
    let begun =
        begun.ok_or_else(|| ControlProblem::conflict("this sign-in was deleted meanwhile"))?;
    sign_ins.receive(begun.id, answer).await?;
    let shown = PresentedSecrets {
        pending: vec![(TokenTag::of(keys, token), secret)],
        ..PresentedSecrets::default()
    };
    Ok(sign_ins.enter(&shown).await?)
}

/// The session's cookie, and the one by which this browser is known to the user, so that no mail
/// warns of a new one.
async fn cookies(app: &App, sign_in: &SignIn) -> Vec<Value> {
    let user = &sign_in.who.user;
    Event::SignedIn {
        user: user.id,
        means: Means::Confirmation,
    }
    .record();
    let (mut parts, ()) = Request::new(()).into_parts();
    let Ok(visitor) = Visitor::from_request_parts(&mut parts, app).await;
    let session = sign_in.renewed.iter();
    let session = session.map(|secret| app.cookies.session(secret));
    let known = app.cookies.known(&visitor.known_with(user));
    session
        .chain([known])
        .filter_map(|line| for_playwright(&app.origins.all[0], &line))
        .collect()
}

/// A cookie as Playwright's `addCookies` and Puppeteer's `setCookie` take it.
fn for_playwright(origin: &Origin, line: &HeaderValue) -> Option<Value> {
    let cookie = Cookie::parse(line.to_str().ok()?).ok()?;
    let lives = cookie.max_age()?.try_into().ok()?;
    // Browsers go by the machine's time.
    let expires = (SystemClock.now() + lives).as_millis() / 1000;
    Some(json!({
        "name": cookie.name(),
        "value": cookie.value(),
        "url": format!("{}/", origin.as_str()),
        "expires": expires,
        "httpOnly": cookie.http_only() == Some(true),
        "secure": cookie.secure() == Some(true),
        "sameSite": cookie.same_site()?.to_string(),
    }))
}

fn object(user: &User) -> Value {
    let Identity {
        issuer,
        subject,
        name,
        email,
    } = &user.identity;
    json!({ "id": user.id.to_string(), "issuer": issuer, "subject": subject, "name": name, "email": email })
}
