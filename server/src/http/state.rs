//! The state that all handlers share.

use crate::{
    accounts::{passwords::Passwords, rate_limit::Throttle, user_agent::device},
    config::{Start, origin::Origin, proxies::Proxies},
    http::{
        cookies::{CookiePolicy, RequestCookies},
        files::Files,
        listener::Counts,
    },
    mail::Mailbox,
    practice::PracticeUser,
};
use axum::http::HeaderMap;
use leptos::prelude::LeptosOptions;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use vestibule::{
    caps::Shares, entry::Shown, link::Links, mail::Outbox, publisher::PusherPublisher,
    vestibule::Vestibule,
};

/// A handle to the shared state.
pub type Shared = Arc<Site>;

/// The state that all handlers share.
pub struct Site {
    /// The library.
    pub vestibule: Vestibule,
    /// Authorises subscriptions.
    pub pusher: Arc<PusherPublisher>,
    /// The Pusher app's public key.
    pub pusher_key: String,
    /// Where browsers connect; `None` for this server's own address.
    pub socket: Option<String>,
    /// What the document needs to know of the built site.
    pub leptos: LeptosOptions,
    /// The built site's files.
    pub files: Arc<Files>,
    /// The origins that are ours; the first is the public one.
    pub origins: Vec<Origin>,
    /// The trusted proxies, whose forwarding header names the client.
    pub proxies: Proxies,
    /// How many requests each client behind those has under way.
    pub under_way: Counts,
    /// How many it may have.
    pub of_client: Shares,
    /// The HSTS header for browsers that come by HTTPS.
    pub hsts: Option<&'static str>,
    /// How cookies are named and marked.
    pub cookies: CookiePolicy,
    /// Whether the confirm page begins by itself.
    pub start: Start,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Cancelled once the worker beside the pages has stopped; `None` where workers are elsewhere.
    pub worker_stopped: Option<CancellationToken>,
    /// The service for our own links.
    pub links: Links,
    /// Where other mail than links goes out; `None` where no mail can be sent.
    pub outbox: Option<Outbox>,
    /// The rate limits.
    pub throttle: Throttle,
    /// Where mail goes in practice mode.
    pub mailbox: Option<Arc<Mailbox>>,
    /// The practice user, in practice mode.
    pub practice: Option<PracticeUser>,
}

impl Site {
    /// The cookies of a request.
    #[must_use]
    pub fn cookies_of(&self, headers: &HeaderMap) -> RequestCookies {
        self.cookies.read(headers)
    }

    /// What a request shows: its secrets, and what its browser calls itself.
    #[must_use]
    pub fn shown(&self, headers: &HeaderMap) -> Shown {
        Shown {
            device: device(headers),
            ..self.cookies_of(headers).shown()
        }
    }

    /// Seconds between two questions of a page that waits.
    #[must_use]
    pub fn poll_seconds(&self) -> u32 {
        u32::try_from(self.vestibule.timing().poll.as_secs().max(1)).unwrap_or(u32::MAX)
    }
}
