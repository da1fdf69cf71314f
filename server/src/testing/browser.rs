//! A browser in front of the application.

use super::{PRACTICE_USER, TestApp, TestResponse, within};
use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Method, Request, header},
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use tower::ServiceExt as _;
use url::form_urlencoded;

/// A browser: it keeps cookies, and says where its requests come from.
#[derive(Clone)]
pub struct TestBrowser<'a> {
    app: &'a TestApp,
    /// What it holds for the path of the sign-in pages.
    base: &'static str,
    cookies: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
    address: IpAddr,
}

impl<'a> TestBrowser<'a> {
    /// A browser that has never been here.
    pub(super) fn new(app: &'a TestApp) -> Self {
        Self {
            app,
            base: "",
            cookies: BTreeMap::new(),
            headers: vec![("host".to_owned(), app.host.to_owned())],
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// The same browser, which sends this header as well, or in place of its own.
    pub fn sending(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(known, _)| known != name);
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same browser, on another machine.
    pub fn at(&self, address: impl Into<IpAddr>) -> Self {
        let mut other = self.clone();
        other.address = address.into();
        other
    }

    /// The same browser, to whom the sign-in pages lie below `base`.
    pub fn below(&self, base: &'static str) -> Self {
        let mut other = self.clone();
        other.base = base;
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
        let path = format!("{}/api/{function}", self.base);
        self.post(&path, &own, fields).await
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
        self.answer(request).await
    }

    /// The answer to this very request, whose cookies it keeps.
    pub async fn answer(&mut self, request: Request<Body>) -> TestResponse {
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

    /// Sends a request without a body.
    pub async fn send_to(
        mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> TestResponse {
        self.send(method, path, headers, String::new()).await
    }

    /// Begins with a link as its page does by itself.
    pub async fn begin(&mut self, token: &str) -> TestResponse {
        self.open(&format!("{}/confirm/{token}", self.base)).await;
        self.call("begin", &[("token", token), ("again", "false")])
            .await
    }

    /// Begins with a link as its page does without scripts.
    pub async fn begin_by_form(&mut self, token: &str) -> TestResponse {
        let path = format!("{}/confirm/{token}", self.base);
        self.open(&path).await;
        self.submit(&path, &[]).await
    }

    /// Waits for the outcome of what was begun with a link, and returns where it leads.
    pub async fn outcome(&mut self, token: &str) -> String {
        self.outcome_at(self.base, token).await
    }

    /// The same, of an application below a base.
    pub async fn outcome_at(&mut self, base: &str, token: &str) -> String {
        let own = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "cors"),
        ];
        let path = format!("{base}/api/status");
        within(async || {
            let status = self.post(&path, &own, &[("token", token)]).await;
            let (_, rest) = status.body.split_once(r#""redirect":""#)?;
            Some(rest.split('"').next()?.to_owned())
        })
        .await
    }

    /// Signs in as the practice user, by password.
    pub async fn sign_in(&mut self) -> TestResponse {
        let login = format!("{}/login", self.base);
        let response = self.submit(&login, &PRACTICE_USER).await;
        response.assert_status(303)
    }
}
