//! The state that all handlers share.

use crate::{
    accounts::{passwords::Passwords, rate_limits::RateLimits},
    config::{BeginMode, IdentityHeader},
    http::{
        client_address::Clients,
        cookies::CookiePolicy,
        csrf::OwnOrigins,
        files::Files,
        form_proof::{self, Proof},
        landing_pages::LandingPages,
        page::{PageRenderer, Template},
        response,
        security_headers::Hsts,
        unverified_callbacks::UnverifiedCallbacks,
        visitor::Visitor,
    },
    mail::Mailbox,
    practice::PracticeUser,
};
use axum::{extract::FromRef, http::StatusCode, response::Response};
use leptos::prelude::*;
use std::{ops::Deref, sync::Arc};
use tokio_util::sync::CancellationToken;
use vestibule::{
    assertion::{Parties, Signer},
    link::MagicLinks,
    mail::Outbox,
    outcome::Destinations,
    path::{Base, LocalPath},
    publisher::PusherPublisher,
    secret::{Keys, WebhookKeys},
    sign_ins::SignIns,
    token::Token,
};
use vestibule_app::{
    form_token::FormToken,
    island::settings::{Settings, StartMode},
    shell::Head,
};

/// A handle to the state that all handlers share.
#[derive(Clone)]
pub struct App(Arc<AppState>);

/// The state that all handlers share. What only needs one part of it takes that part, by
/// [`FromRef`].
pub struct AppState {
    /// Sign-ins by the validator's tokens, and the sessions that come of them.
    pub sign_ins: SignIns,
    /// Sign-ins by our own links.
    pub links: MagicLinks,
    /// The operator's keys.
    pub keys: Arc<Keys>,
    /// How pages are rendered.
    pub pages: Arc<PageRenderer>,
    /// The usual landing, where the user begins and where the page does.
    pub landings: [Template<3>; 2],
    /// The application's own pages that links lead to.
    pub landing_pages: LandingPages,
    /// The built site's files.
    pub files: Arc<Files>,
    /// The Pusher server.
    pub push: PushSettings,
    /// The origins that are ours.
    pub origins: Arc<OwnOrigins>,
    /// Who is counted as one client.
    pub clients: Arc<Clients>,
    /// How cookies are named and marked.
    pub cookies: CookiePolicy,
    /// The HSTS header.
    pub hsts: Hsts,
    /// What the application is told of users.
    pub identities: Identities,
    /// Whether users can change their password and address here.
    pub account_pages: bool,
    /// Whether the confirm page begins by itself.
    pub start: BeginMode,
    /// Checks passwords.
    pub passwords: Passwords,
    /// The rate limits.
    pub rate_limits: RateLimits,
    /// Where other mail than links goes out; `None` where no mail can be sent.
    pub outbox: Option<Outbox>,
    /// Where mail goes in practice mode.
    pub mailbox: Option<Arc<Mailbox>>,
    /// The practice user, in practice mode.
    pub practice: Option<PracticeUser>,
    /// Whether there are links to practise with: an application's own validator knows none of them.
    pub has_practice_links: bool,
    /// The keys with which the validator signs its callbacks; `None` where it does not call back.
    pub callback_keys: Option<WebhookKeys>,
    /// How many callbacks each client has made that were not genuine.
    pub unverified_callbacks: UnverifiedCallbacks,
    /// The worker beside the pages.
    pub worker: WorkerState,
}

/// What the island needs to hear of an outcome.
pub struct PushSettings {
    /// Authorises subscriptions.
    pub publisher: Arc<PusherPublisher>,
    /// The Pusher app's public key.
    pub app_key: String,
    /// Where browsers connect; `None` for this server's own address.
    pub socket: Option<String>,
}

/// What the application is told of users, and how it is known to come from us.
pub struct Identities {
    /// Signs it.
    pub signer: Signer,
    /// Who tells whom.
    pub parties: Parties,
    /// What is told in plain headers besides the user's id.
    pub headers: Vec<IdentityHeader>,
}

/// Whether the worker beside the pages still works.
#[derive(Clone)]
pub struct WorkerState {
    /// Cancelled once it has stopped; `None` where workers are in processes of their own.
    pub stopped: Option<CancellationToken>,
}

impl AppState {
    /// Renders a page.
    pub fn page<P: IntoView + 'static>(&self, head: Head, view: impl FnOnce() -> P) -> Response {
        self.pages.page(head, view)
    }

    /// Renders a page with forms of ours, which carry a token. One whose form was not taken,
    /// because it `failed`, is 422.
    pub fn form_page<P: IntoView + 'static>(
        &self,
        visitor: &Visitor,
        head: Head,
        failed: bool,
        view: impl FnOnce() -> P,
    ) -> Response {
        self.form_page_with(
            form_proof::proof(self.sign_ins.entropy(), visitor),
            head,
            failed,
            view,
        )
    }

    /// The same, with this proof.
    pub fn form_page_with<P: IntoView + 'static>(
        &self,
        proof: Proof,
        head: Head,
        failed: bool,
        view: impl FnOnce() -> P,
    ) -> Response {
        let page = self.page(head, || {
            provide_context(FormToken(proof.text));
            view()
        });
        let status = if failed {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        response::with_cookies(response::with_status(page, status), proof.set)
    }

    /// What the island of one page needs to know.
    pub fn island(
        &self,
        token: &Token,
        channel: String,
        start: StartMode,
        next: Option<&LocalPath>,
    ) -> Settings {
        Settings {
            token: token.expose().to_owned(),
            channel,
            app_key: self.push.app_key.clone(),
            socket: self.push.socket.clone(),
            start,
            poll_seconds: self.poll_seconds(),
            base: self.destinations().base().as_str().to_owned(),
            next: next.map(ToString::to_string),
        }
    }

    /// Where the user wanted to go, if a browser can be led back there.
    pub fn way_back(&self, next: &str) -> Option<LocalPath> {
        let next = self.destinations().way_back(next);
        next.filter(|next| !self.landing_pages.contain(next))
    }

    /// Where outcomes lead.
    pub fn destinations(&self) -> &Destinations {
        self.sign_ins.destinations()
    }

    /// Seconds between two questions of a page that waits.
    fn poll_seconds(&self) -> u32 {
        u32::try_from(self.sign_ins.timing().poll.as_secs().max(1)).unwrap_or(u32::MAX)
    }
}

impl App {
    /// The state itself, to tell two of them apart.
    pub const fn shared(&self) -> &Arc<AppState> {
        &self.0
    }
}

impl From<AppState> for App {
    fn from(state: AppState) -> Self {
        Self(Arc::new(state))
    }
}

impl Deref for App {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.0
    }
}

impl FromRef<App> for Arc<Files> {
    fn from_ref(app: &App) -> Self {
        app.files.clone()
    }
}

impl FromRef<App> for Arc<OwnOrigins> {
    fn from_ref(app: &App) -> Self {
        app.origins.clone()
    }
}

impl FromRef<App> for Arc<Clients> {
    fn from_ref(app: &App) -> Self {
        app.clients.clone()
    }
}

impl FromRef<App> for Arc<Keys> {
    fn from_ref(app: &App) -> Self {
        app.keys.clone()
    }
}

impl FromRef<App> for Arc<PageRenderer> {
    fn from_ref(app: &App) -> Self {
        app.pages.clone()
    }
}

impl FromRef<App> for Base {
    fn from_ref(app: &App) -> Self {
        app.destinations().base().clone()
    }
}

impl FromRef<App> for CookiePolicy {
    fn from_ref(app: &App) -> Self {
        app.cookies.clone()
    }
}

impl FromRef<App> for Destinations {
    fn from_ref(app: &App) -> Self {
        app.destinations().clone()
    }
}

impl FromRef<App> for Hsts {
    fn from_ref(app: &App) -> Self {
        app.hsts
    }
}

impl FromRef<App> for SignIns {
    fn from_ref(app: &App) -> Self {
        app.sign_ins.clone()
    }
}

impl FromRef<App> for WorkerState {
    fn from_ref(app: &App) -> Self {
        app.worker.clone()
    }
}
