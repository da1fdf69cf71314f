//! Vestibule in the process of an application's own tests.

use crate::{
    config::{Config, RawSettings},
    http::listener,
    startup::{router::router, tasks::ServerHandle},
};
use axum::{Extension, Router, extract::ConnectInfo, http::Method};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{fmt::Display, net::SocketAddr, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vestibule::{confirmation::Rejection, tls, user::Identity, validator::Reason};

/// Vestibule in practice mode, in this process and in a folder of its own: its validator answers as
/// a test says, its clock is moved by hand, and its mails and confirmations can be read.
///
/// ```
/// use axum::{body::Body, http::Request};
/// use tower::ServiceExt as _;
/// use vestibule_server::{testing::Server, validator::Identity};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = Server::start().await;
/// let grace = Identity::new("https://id.example", "grace");
/// let signed_in = server.sign_in(&grace).await;
/// let request = Request::get("/v1/session")
///     .header("host", server.addr().to_string())
///     .header("cookie", signed_in.cookie);
/// let answer = server.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
/// assert_eq!(answer.status(), 200);
/// server.shutdown().await;
/// # }
/// ```
pub struct Server {
    router: Router,
    running: ServerHandle,
    client: Client,
    control: String,
    addr: SocketAddr,
    serving: JoinHandle<()>,
    stop: CancellationToken,
    _data: TempDir,
}

/// One answer of the validator, as `docs/TESTING.md` has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(Value);

/// A mail that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mail {
    /// 1 for the first since the start.
    pub id: u64,
    /// The recipient.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says besides its link and its code.
    pub text: String,
    /// The address that its button leads to.
    pub link: Option<String>,
    /// The code that can be typed instead.
    pub code: Option<String>,
}

/// How far a confirmation has come.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConfirmationState {
    /// Its id.
    pub id: String,
    /// `queued`, `contacting`, `retrying`, `later` or `decided`.
    pub step: String,
    /// `confirmed`, `invalid`, `expired`, `used`, `cancelled` or `unavailable`, once it is decided.
    pub ending: Option<String>,
    /// How often the validator was asked.
    pub asked: u32,
}

/// A browser that has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInBrowser {
    /// Its header `Cookie`.
    pub cookie: String,
    /// The id of its user.
    pub user: String,
}

impl Answer {
    /// The token is this identity's.
    #[must_use]
    pub fn valid(identity: &Identity) -> Self {
        Self(json!({ "verdict": "valid", "identity": object(identity) }))
    }

    /// The token is not good.
    #[must_use]
    pub fn invalid(reason: Reason) -> Self {
        let reason = Rejection::from(reason).as_str();
        Self(json!({ "verdict": "invalid", "reason": reason }))
    }

    /// A status and no more.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self(json!({ "status": status }))
    }

    /// The validator is to be asked again after so many seconds.
    #[must_use]
    pub fn later(seconds: u32) -> Self {
        Self(json!({ "status": 202, "retry_after": seconds }))
    }

    /// The validator answers later, and calls back with this verdict after so long.
    #[must_use]
    pub fn calling_back(after: Duration, verdict: Self) -> Self {
        let Self(mut answer) = verdict;
        answer["status"] = 202.into();
        answer["callback_after"] = humantime::format_duration(after).to_string().into();
        Self(answer)
    }

    /// The same, after so long.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.0["after"] = humantime::format_duration(time).to_string().into();
        self
    }
}

impl Server {
    /// Starts it with no settings.
    ///
    /// # Panics
    /// If it cannot start.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts it with these settings, each the name of an environment variable and its value.
    ///
    /// # Panics
    /// If it cannot start, is not in practice mode, or there is no setting of such a name.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let data = TempDir::new().expect("there is a folder for it");
        let own = [
            ("VESTIBULE_DATA", data.path().display().to_string()),
            ("LEPTOS_SITE_ADDR", "127.0.0.1:0".into()),
            ("OPS_ADDR", "127.0.0.1:0".into()),
        ];
        let given = said(RawSettings::from_pairs(settings.iter().copied()));
        let given = said(given.or(own));
        let mut config = said(Config::read(&given));
        assert!(config.is_practice(), "only practice mode can be controlled");
        let listener = said(listener::bind(config.addr));
        let addr = said(listener.local_addr());
        config.addr = addr;
        let (router, running) = said(router(config).await);
        let stop = CancellationToken::new();
        let serving = listener::serve(listener, router.clone(), stop.clone());
        let control = running.ops_addr().expect("OPS_ADDR is set");
        Self {
            router,
            running,
            client: said(
                Client::builder()
                    .tls_backend_preconfigured(tls::client_config(tls::machine_roots()))
                    .no_proxy()
                    .build(),
            ),
            control: format!("http://{control}"),
            addr,
            serving: tokio::spawn(serving),
            stop,
            _data: data,
        }
    }

    /// All of its routes, to ask without a connection: by a client on this machine.
    pub fn router(&self) -> Router {
        let client = SocketAddr::from(([127, 0, 0, 1], 40_000));
        self.router.clone().layer(Extension(ConnectInfo(client)))
    }

    /// Where it listens, for browsers and for its own validator: the `Host` of requests to it.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Has the validator give these answers for the token, one for each question, and the last one
    /// from then on.
    ///
    /// # Panics
    /// If one of them cannot be given.
    pub async fn answers(&self, token: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers: Vec<_> = answers.into_iter().map(|Answer(answer)| answer).collect();
        let path = format!("/practice/tokens/{token}");
        self.send(Method::PUT, &path, &json!({ "answers": answers }))
            .await;
    }

    /// Lets this much time pass. Whatever becomes due by that happens at once.
    ///
    /// # Panics
    /// If it is over ten years in all.
    pub async fn advance(&self, by: Duration) {
        let advance = humantime::format_duration(by).to_string();
        let path = "/practice/clock";
        self.send(Method::POST, path, &json!({ "advance": advance }))
            .await;
    }

    /// The mails to this address, the newest first.
    ///
    /// # Panics
    /// If it is no address.
    pub async fn mails(&self, to: &str) -> Vec<Mail> {
        self.read("/practice/mail", ("to", to)).await
    }

    /// The confirmations that were begun with this token, the oldest first: undecided ones, and
    /// those that the validator was asked about.
    ///
    /// # Panics
    /// If it is no token.
    pub async fn confirmations(&self, token: &str) -> Vec<ConfirmationState> {
        self.read("/practice/confirmations", ("token", token)).await
    }

    /// Signs a new browser in.
    ///
    /// # Panics
    /// If it is no identity, or its user is disabled.
    pub async fn sign_in(&self, identity: &Identity) -> SignedInBrowser {
        let path = "/practice/sign-in";
        let answer = self.send(Method::POST, path, &object(identity)).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let cookies = answer["cookies"].as_array().into_iter().flatten();
        let pair = |cookie: &Value| format!("{}={}", text(&cookie["name"]), text(&cookie["value"]));
        SignedInBrowser {
            cookie: cookies.map(pair).collect::<Vec<_>>().join("; "),
            user: text(&answer["user"]["id"]),
        }
    }

    /// Ends it, as a server is ended.
    ///
    /// # Panics
    /// If one of its tasks has panicked.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.running.shutdown().await;
        said(self.serving.await);
    }

    async fn read<T: for<'d> Deserialize<'d>>(&self, path: &str, query: (&str, &str)) -> T {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(query.0, query.1)
            .finish();
        let path = format!("{path}?{query}");
        said(serde_json::from_value(
            self.send(Method::GET, &path, &Value::Null).await,
        ))
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.control);
        let mut request = self.client.request(method, url);
        if !body.is_null() {
            request = request.header("content-type", "application/json");
            request = request.body(body.to_string());
        }
        let answer = said(request.send().await);
        let status = answer.status();
        let text = said(answer.text().await);
        assert!(status.is_success(), "{path}: {}", text.trim_end());
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// An identity as a validator says it.
fn object(identity: &Identity) -> Value {
    let Identity {
        issuer,
        subject,
        name,
        email,
    } = identity;
    json!({ "issuer": issuer, "subject": subject, "name": name, "email": email })
}

/// The value, or a panic that says why there is none.
fn said<T, E: Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests;
