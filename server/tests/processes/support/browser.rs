//! A browser that goes on asking, whatever becomes of the server.

use super::until;
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, StatusCode, header, redirect};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What all browsers send with. It keeps no connection: the next request may find another server.
static CLIENT: LazyLock<Client> = LazyLock::new(|| client().build().expect("a client"));

fn client() -> ClientBuilder {
    // The client that the library brings needs a TLS provider, even if it speaks no TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(10));
    client.pool_max_idle_per_host(0).no_proxy()
}

/// A browser. Its cookies are as their responses said.
#[derive(Clone)]
pub struct Browser {
    base: String,
    host: Option<&'static str>,
    client: Client,
    /// Whether it asks again if it gets no answer or a failure.
    patient: bool,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    /// A browser that finds the server at `127.0.0.1:port`.
    pub fn at(port: u16) -> Self {
        Self {
            base: format!("http://127.0.0.1:{port}"),
            host: None,
            client: CLIENT.clone(),
            patient: true,
            cookies: Arc::default(),
        }
    }

    /// The same where the server's addresses lie below this path.
    pub fn below(mut self, base: &str) -> Self {
        self.base += base;
        self
    }

    /// A browser to which each answer has to be a good one.
    pub fn impatient(port: u16) -> Self {
        Self {
            patient: false,
            ..Self::at(port)
        }
    }

    /// The same at another address of this machine.
    pub fn from(self, address: Ipv4Addr) -> Self {
        let client = client()
            .local_address(IpAddr::from(address))
            .build()
            .expect("a client");
        Self { client, ..self }
    }

    /// A browser that knows the server by this name.
    pub fn knowing(port: u16, host: &'static str) -> Self {
        Self {
            host: Some(host),
            ..Self::at(port)
        }
    }

    /// Opens the link, has it checked, and goes where that leads, until the profile greets the
    /// user. Returns when it was told that the link is good.
    pub async fn sign_in(&self, token: &str) -> Instant {
        self.open(token).await;
        self.begun(token).await;
        self.confirmed(token).await;
        let told = Instant::now();
        let page = until("the profile", || self.get("/profile")).await;
        assert!(page.contains(token), "the profile of {token}, not {page}");
        told
    }

    /// Opens the link.
    pub async fn open(&self, token: &str) {
        until("a page for the link", || async {
            self.get(&format!("/confirm/{token}")).await
        })
        .await;
    }

    /// Has the link begin.
    pub async fn begun(&self, token: &str) {
        until("the link to begin", || self.report("begin", token)).await;
    }

    /// Waits until it is told that the link is good.
    pub async fn confirmed(&self, token: &str) {
        let done = until("an outcome", || async {
            let report = self.report("status", token).await?;
            // A crash before the answer to `begin` may have kept nothing.
            if report["progress"]["state"] == "unknown" {
                self.report("begin", token).await;
            }
            (report["progress"]["state"] == "done").then_some(report)
        });
        let done = done.await;
        assert_eq!(
            done["progress"]["outcome"]["outcome"], "confirmed",
            "{token}"
        );
    }

    /// Has the link begin, just once. Returns the status, and whether it was said when to try
    /// again.
    pub async fn begin(&self, token: &str) -> (StatusCode, bool) {
        let response = self
            .call("begin", token)
            .timeout(Duration::from_secs(30))
            .send()
            .await;
        let response = response.expect("the server answers");
        (
            response.status(),
            response.headers().contains_key(header::RETRY_AFTER),
        )
    }

    /// Asks for a link to this address, and says where that leads.
    pub async fn ask_for_link(&self, address: &str) -> String {
        let post = self.request(Method::POST, "/login/link");
        let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = post
            .body(format!("email={address}"))
            .send()
            .await
            .expect("the server answers");
        let location = response
            .headers()
            .get(header::LOCATION)
            .and_then(|location| location.to_str().ok());
        location.unwrap_or_default().to_owned()
    }

    /// Sends a form of ours, and says what its answer's status is.
    pub async fn post(&self, path: &str, form: &str) -> StatusCode {
        let post = self
            .request(Method::POST, path)
            .timeout(Duration::from_mins(1));
        let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = post
            .body(form.to_owned())
            .send()
            .await
            .expect("the server answers");
        self.keep(response.headers());
        response.status()
    }

    async fn report(&self, what: &str, token: &str) -> Option<Value> {
        serde_json::from_str(&self.send(self.call(what, token)).await?).ok()
    }

    fn call(&self, what: &str, token: &str) -> RequestBuilder {
        let form = format!("token={token}&again=false");
        let post = self.request(Method::POST, &format!("/api/{what}"));
        post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
    }

    /// The page, if it can be had just now.
    pub async fn get(&self, path: &str) -> Option<String> {
        let get = self.request(Method::GET, path);
        self.send(
            get.header("sec-fetch-mode", "navigate")
                .header("sec-fetch-dest", "document"),
        )
        .await
    }

    /// The status and the text at `path`, whatever they are.
    pub async fn look(&self, path: &str) -> (u16, String) {
        let response = self
            .request(Method::GET, path)
            .send()
            .await
            .expect("the server answers");
        (
            response.status().as_u16(),
            response.text().await.expect("a text"),
        )
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let cookies: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookies.join("; "));
        match self.host {
            Some(host) => request.header(header::HOST, host),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Option<String> {
        let response = request.send().await;
        let good = response
            .as_ref()
            .is_ok_and(|response| response.status() == StatusCode::OK);
        assert!(good || self.patient, "{response:?}");
        let response = response.ok().filter(|_| good)?;
        let headers = response.headers().clone();
        let body = response.text().await.ok()?;
        self.keep(&headers);
        Some(body)
    }

    /// Keeps the cookies of a response.
    fn keep(&self, headers: &header::HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for cookie in headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|cookie| cookie.to_str().ok())
        {
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if rest.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
