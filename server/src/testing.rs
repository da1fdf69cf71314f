//! The whole application, for tests of its handlers: the real router with all that works behind it,
//! asked in this process, and browsers that keep its cookies.
//!
//! It is practice mode in a folder of its own: a validator, a broker and a mailbox are there, and
//! nothing listens where browsers would connect.

use crate::{
    config::{Config, RawSettings},
    router,
    startup::tasks::ServerHandle,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, header},
};
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::timeout;
use tower::ServiceExt as _;
use url::form_urlencoded;

/// The host that browsers ask. Nothing listens there.
const HOST: &str = "127.0.0.1:3000";
/// The practice user's address and password.
pub const PRACTICE_USER: [(&str, &str); 2] = [
    ("email", "practice@example.com"),
    ("password", "open-sesame-42"),
];
/// Settings of a server in use, whose validator is not there.
pub const IN_USE: [(&str, &str); 3] = [
    ("PUBLIC_URL", "https://sign-in.example"),
    ("VALIDATOR_URL", "http://127.0.0.1:9/"),
    (
        "VESTIBULE_SECRET",
        "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
    ),
];

/// The application.
pub struct TestApp {
    router: Router,
    data: TempDir,
    host: &'static str,
    _running: ServerHandle,
}

impl TestApp {
    /// Starts it with no settings.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts it with these settings.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        let folder = data.path().display().to_string();
        let own = [
            ("VESTIBULE_DATA", folder.as_str()),
            ("LEPTOS_SITE_ADDR", HOST),
        ];
        let settings = [&own[..], settings].concat();
        let given = RawSettings::from_lookup(|setting| {
            let value = settings.iter().find(|(key, _)| *key == setting.key);
            value.map(|(_, value)| (*value).to_owned())
        });
        let config = Config::read(&given).unwrap();
        let host = if config.is_practice() {
            HOST
        } else {
            "sign-in.example"
        };
        let (router, running) = router(config).await.unwrap();
        Self {
            router,
            data,
            host,
            _running: running,
        }
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> TestBrowser<'_> {
        TestBrowser {
            app: self,
            cookies: BTreeMap::new(),
            headers: vec![("host".to_owned(), self.host.to_owned())],
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Lets half an hour pass for all sessions.
    pub async fn age_sessions(&self) {
        let file = self.data.path().join("vestibule.db");
        let options = SqliteConnectOptions::new().filename(file);
        let mut database = options.connect().await.unwrap();
        sqlx::query("update sessions set created_at = created_at - 1800000")
            .execute(&mut database)
            .await
            .unwrap();
    }

    /// The newest mail with a link, once there are so many of them.
    pub async fn mail(&self, count: usize) -> TestMail {
        let mut browser = self.browser();
        let mails = within(async || {
            let page = browser.open("/practice/mail").await;
            let mails: Vec<_> = page.body.split("<li").map(str::to_owned).collect();
            let links = mails.iter().filter(|mail| mail.contains("/confirm/"));
            (links.count() >= count).then_some(mails)
        })
        .await;
        let mails: Vec<_> = mails
            .into_iter()
            .filter(|mail| mail.contains("/confirm/"))
            .collect();
        assert_eq!(mails.len(), count, "no more mails than that: {mails:?}");
        let between = |start: &str, end: &str| {
            let (_, rest) = mails[0].split_once(start)?;
            Some(rest.split(end).next()?.to_owned())
        };
        TestMail {
            link: format!("/confirm/{}", between("/confirm/", "\"").unwrap()),
            code: between("<code>", "<"),
        }
    }
}

/// A mail with a link.
#[derive(Debug)]
pub struct TestMail {
    /// The path of its link.
    pub link: String,
    /// Its code, if it has one.
    pub code: Option<String>,
}

/// A browser: it keeps cookies, and says where its requests come from.
#[derive(Clone)]
pub struct TestBrowser<'a> {
    app: &'a TestApp,
    cookies: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
    address: IpAddr,
}

impl TestBrowser<'_> {
    /// The same browser, which sends this header as well, or in place of its own.
    pub fn sending(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(known, _)| known != name);
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same browser, with another cookie.
    pub fn with_cookie(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.cookies.insert(name.to_owned(), value.to_owned());
        other
    }

    /// The names of its cookies.
    pub fn cookies(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Forgets a cookie.
    pub fn forget(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    /// Takes over the cookies of `other`, which is the same browser.
    pub fn take_cookies_of(&mut self, other: &Self) {
        self.cookies.clone_from(&other.cookies);
    }

    /// Goes to a page.
    pub async fn open(&mut self, path: &str) -> TestResponse {
        let navigation = [
            ("sec-fetch-site", "none"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        self.send(Method::GET, path, &navigation, String::new())
            .await
    }

    /// Sends a form of one of our pages.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        let own = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        self.post(path, &own, fields).await
    }

    /// Calls a function of the server, as the island does.
    pub async fn call(&mut self, function: &str, fields: &[(&str, &str)]) -> TestResponse {
        let own = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "cors"),
        ];
        self.post(&format!("/api/{function}"), &own, fields).await
    }

    /// Sends a form with these headers, of which none has to say that it is one of ours.
    pub async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> TestResponse {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [&[form], headers].concat();
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(Method::POST, path, &headers, body).await
    }

    /// Sends a request. The browser's own headers take the place of those of the same name.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> TestResponse {
        let mut request = Request::builder().method(method).uri(path);
        let own = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let replaced = |name: &str| self.headers.iter().any(|(own, _)| own == name);
        let given = headers.iter().copied().filter(|(name, _)| !replaced(name));
        for (name, value) in own.chain(given).filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            let pairs = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            request = request.header(header::COOKIE, pairs.collect::<Vec<_>>().join("; "));
        }
        let peer = SocketAddr::from((self.address, 40_000));
        let request = request.extension(ConnectInfo(peer));
        let request = request.body(Body::from(body)).unwrap();
        let response = self.app.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let response = TestResponse {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        for (name, value) in response.cookies() {
            match value {
                Some(value) => self.cookies.insert(name, value),
                None => self.cookies.remove(&name),
            };
        }
        response
    }

    /// Begins with a link as its page does by itself.
    pub async fn begin(&mut self, token: &str) -> TestResponse {
        self.open(&format!("/confirm/{token}")).await;
        self.call("begin", &[("token", token), ("again", "false")])
            .await
    }

    /// Begins with a link as its page does without scripts.
    pub async fn begin_by_form(&mut self, token: &str) -> TestResponse {
        let path = format!("/confirm/{token}");
        self.open(&path).await;
        self.submit(&path, &[]).await
    }

    /// Waits for the outcome of what was begun with a link, and returns where it leads.
    pub async fn outcome(&mut self, token: &str) -> String {
        within(async || {
            let status = self.call("status", &[("token", token)]).await;
            let (_, rest) = status.body.split_once(r#""redirect":""#)?;
            Some(rest.split('"').next()?.to_owned())
        })
        .await
    }

    /// Signs in as the practice user, by password.
    pub async fn sign_in(&mut self) -> TestResponse {
        let response = self.submit("/login", &PRACTICE_USER).await;
        response.assert_status(303)
    }
}

/// A response that was read in full.
#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl TestResponse {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where it leads.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// The cookies that it sets, and, without a value, those that it removes.
    pub fn cookies(&self) -> Vec<(String, Option<String>)> {
        let lines = self.headers.get_all(header::SET_COOKIE);
        let cookie = |line: &str| {
            let (name, value) = line.split(';').next()?.split_once('=')?;
            let removed = line.contains("Max-Age=0");
            Some((name.to_owned(), (!removed).then(|| value.to_owned())))
        };
        lines
            .iter()
            .filter_map(|line| cookie(line.to_str().ok()?))
            .collect()
    }

    /// Whether it sets a cookie of this name.
    pub fn sets(&self, name: &str) -> bool {
        self.cookies()
            .iter()
            .any(|(set, value)| set == name && value.is_some())
    }

    /// The text between two others in its body.
    pub fn between(&self, start: &str, end: &str) -> Option<&str> {
        self.body.split_once(start)?.1.split(end).next()
    }

    /// It has this status.
    #[track_caller]
    pub fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// It redirects to this path.
    #[track_caller]
    pub fn assert_leads_to(self, path: &str) -> Self {
        assert_eq!(
            (self.status, self.location()),
            (303, Some(path)),
            "{self:#?}"
        );
        self
    }

    /// Its body has this text.
    #[track_caller]
    pub fn assert_says(self, text: &str) -> Self {
        assert!(self.body.contains(text), "{text:?} is missing: {self:#?}");
        self
    }

    /// Its body does not have this text.
    #[track_caller]
    pub fn assert_does_not_say(self, text: &str) -> Self {
        assert!(!self.body.contains(text), "{text:?} is there: {self:#?}");
        self
    }

    /// It sets and removes no cookie.
    #[track_caller]
    pub fn assert_sets_nothing(self) -> Self {
        assert!(self.cookies().is_empty(), "{self:#?}");
        self
    }
}

/// What `look` finds once it finds something. The limit only makes a failure of what would
/// otherwise be a test that hangs.
pub async fn within<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = timeout(Duration::from_mins(1), async {
        loop {
            if let Some(found) = look().await {
                break found;
            }
            tokio::task::yield_now().await;
        }
    });
    found.await.expect("it is found in time")
}
