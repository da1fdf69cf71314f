//! The browser that sent a request, as far as the request tells.

use crate::{
    accounts::{device_cookie::DeviceCookie, user_agent},
    http::{
        client_address::Clients,
        cookies::{CookiePolicy, RequestCookies},
        navigation,
    },
};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
};
use std::{convert::Infallible, sync::Arc};
use vestibule::{
    caps::Client,
    device::Device,
    entry::PresentedSecrets,
    secret::{Keys, SessionSecret},
    token::Token,
    user::User,
};

/// The browser that sent a request: its cookies, what it calls itself, and what it says about where
/// the request comes from (Fetch Metadata). Text browsers say nothing of that last kind.
#[derive(Clone)]
pub struct Visitor {
    /// Its cookies.
    pub cookies: RequestCookies,
    /// As whom it is counted.
    pub client: Client,
    /// How its cookies are named and marked.
    pub policy: CookiePolicy,
    /// The operator's keys, under which its cookies were made.
    pub keys: Arc<Keys>,
    method: Method,
    headers: HeaderMap,
}

impl Visitor {
    /// The text of its pending cookie for `token`.
    pub fn pending(&self, token: &Token) -> Option<&str> {
        self.cookies.pending(&self.keys, token)
    }

    /// The secret of its session cookie.
    pub fn session(&self) -> Option<SessionSecret> {
        self.cookies.session()
    }

    /// The secrets that it shows, and what it calls itself.
    pub fn shown(&self) -> PresentedSecrets {
        PresentedSecrets {
            device: self.device(),
            ..self.cookies.shown()
        }
    }

    /// Whether it has signed in as `user` before.
    pub fn is_known_to(&self, user: &User) -> bool {
        self.cookies.known().contains(&self.keys, user)
    }

    /// The users that it is known for from now on, `user` among them.
    pub fn known_with(&self, user: &User) -> DeviceCookie {
        self.cookies.known().with(&self.keys, user)
    }

    /// What it calls itself.
    pub fn device(&self) -> Option<Device> {
        user_agent::device(&self.headers)
    }

    /// Whether it is really going to the page: nothing else exchanges a secret.
    pub fn is_navigating(&self) -> bool {
        navigation::is_navigation(&self.method, &self.headers)
    }

    /// Whether a page embeds what is asked for, as an image perhaps.
    pub fn is_embedding(&self) -> bool {
        self.headers
            .get("sec-fetch-dest")
            .is_some_and(|place| place != "document")
    }

    /// Whether another site has led it here. What says nothing is taken for the user.
    pub fn is_from_elsewhere(&self) -> bool {
        self.headers
            .get("sec-fetch-site")
            .is_some_and(|site| site != "same-origin" && site != "none")
    }

    /// Whether a page of ours may have led it here.
    pub fn may_be_from_us(&self) -> bool {
        self.headers
            .get("sec-fetch-site")
            .is_none_or(|site| site == "same-origin")
    }

    /// Whether its forms will say where they come from.
    pub fn tells_origins(&self) -> bool {
        self.headers.contains_key("sec-fetch-site")
    }

    /// The host that it asked, with its port.
    pub fn host(&self) -> Option<&HeaderValue> {
        self.headers.get(header::HOST)
    }
}

impl<S> FromRequestParts<S> for Visitor
where
    S: Sync,
    Arc<Clients>: FromRef<S>,
    Arc<Keys>: FromRef<S>,
    CookiePolicy: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let policy = CookiePolicy::from_ref(state);
        let clients = Arc::<Clients>::from_ref(state);
        Ok(Self {
            cookies: policy.read(&parts.headers),
            client: clients.of(&parts.extensions, &parts.headers),
            policy,
            keys: FromRef::from_ref(state),
            method: parts.method.clone(),
            headers: parts.headers.clone(),
        })
    }
}
